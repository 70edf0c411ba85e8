import type { Socket } from "node:net";

const VERSION = "8.0.40-0ubuntu0.22.04.1";
/** A client that says nothing after the greeting is dropped. */
const LOGIN_SECONDS = 10;

/** Port 3306: a greeting by the MySQL protocol, version 10; a client that then logs in is refused. */
export function answerDatabasePort(socket: Socket): void {
  const greeting = Buffer.concat([
    Buffer.from([10]),
    Buffer.from(`${VERSION}\0`),
    // Connection id, first part of the salt, capabilities, character set, status, rest of the salt.
    Buffer.from([1, 0, 0, 0]),
    Buffer.from("saltsalt\0"),
    Buffer.from([0xff, 0xf7, 0xff, 2, 0, 0xff, 0x81, 21]),
    Buffer.alloc(10),
    Buffer.from("saltsaltsalt\0mysql_native_password\0"),
  ]);
  socket.write(packet(0, greeting));
  socket.setTimeout(LOGIN_SECONDS * 1000, () => socket.destroy());
  socket.once("data", () => {
    const text = Buffer.from("#28000Access denied for user");
    socket.end(packet(2, Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), text])));
  });
}

function packet(sequence: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head.writeUInt8(sequence, 3);
  return Buffer.concat([head, payload]);
}
