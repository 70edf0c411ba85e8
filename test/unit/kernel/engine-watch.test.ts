import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { watchEngine } from "../../../providers/kernel/engine-watch.ts";

const open = new Set<Socket>();
let server: Server | undefined;

/** Something that listens as an engine does. */
async function engine(): Promise<string> {
  server = createServer((socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function end(): void {
  server?.close();
  for (const socket of open) socket.destroy();
}

afterEach(end);

/** Whether `gone` was called within the time. */
const goneWithin = (milliseconds: number, address: string, then: () => void) =>
  new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    watchEngine(address, () => {
      clearTimeout(timer);
      resolve(true);
    });
    then();
  });

test("the end of the engine is noticed", async () => {
  const address = await engine();
  expect(await goneWithin(20_000, address, () => void once(server as Server, "connection").then(end))).toBe(true);
});

test("an engine that closes an idle connection is not taken for gone", async () => {
  const address = await engine();
  const connections: Promise<unknown> = (async () => {
    for (let times = 0; times < 2; times++) {
      await once(server as Server, "connection");
      for (const socket of open) socket.destroy();
    }
    await once(server as Server, "connection");
  })();
  let gone = false;
  watchEngine(address, () => {
    gone = true;
  });
  await connections;
  expect(gone).toBe(false);
});

test("where no engine ever answered nothing is watched", async () => {
  const address = await engine();
  end();
  await once(server as Server, "close");
  expect(await goneWithin(1500, address, () => undefined)).toBe(false);
});
