import { createConnection } from "node:net";

/** ONC RPC and NFS 4.0, as far as one question needs them (RFC 5531, RFC 7530). */
const rpc = { call: 0, version: 2, nfs: 100_003, nfsVersion: 4, compound: 1, authSys: 1, programMismatch: 2 };
const operation = { putRootHandle: 24, lookup: 15 };
const nfsStatus = { ok: 0, perm: 1, noEntry: 2, access: 13, wrongSecurity: 10_016 };

const NFS_PORT = 2049;
const QUESTION_SECONDS = 10;
/** The last fragment of a message has this bit in its length. */
const LAST_FRAGMENT = 0x8000_0000;

const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const words = (...values: number[]) => Buffer.concat(values.map(word));
const opaque = (text: string) => {
  const bytes = Buffer.from(text);
  return Buffer.concat([word(bytes.length), bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
};

/** One COMPOUND that goes from the server's root to the directory, as root of nowhere. */
function lookup(directory: string): Buffer {
  const names = directory.split("/").filter(Boolean);
  const credential = Buffer.concat([word(0), opaque("testbed"), words(0, 0, 0)]);
  const message = Buffer.concat([
    words(1, rpc.call, rpc.version, rpc.nfs, rpc.nfsVersion, rpc.compound),
    words(rpc.authSys, credential.length),
    credential,
    words(0, 0),
    opaque(""),
    words(0, 1 + names.length, operation.putRootHandle),
    ...names.map((name) => Buffer.concat([word(operation.lookup), opaque(name)])),
  ]);
  return Buffer.concat([word(LAST_FRAGMENT + message.length), message]);
}

/**
 * Whether an NFS server exports a directory, asked as a client asks; nothing is mounted. What it exports to others only (a server may
 * want a privileged port, or name its clients) is exported. A server that does not speak version 4 answers no such question.
 * @returns why it does not, undefined when it does
 * @throws when nobody answers
 */
export async function exportFault(server: string, directory: string, port = NFS_PORT): Promise<string | undefined> {
  const answer = await ask(server, port, lookup(directory));
  // Whom RPC itself denies an answer is one of the others.
  if (answer.readUInt32BE(8) !== 0) return undefined;
  // After transaction, direction, acceptance, and the verifier's kind, length and bytes.
  const at = 20 + answer.readUInt32BE(16);
  if (answer.readUInt32BE(at) === rpc.programMismatch) return undefined;
  if (answer.readUInt32BE(at) !== 0) return `NFS server ${server} answers ${directory} with RPC status ${answer.readUInt32BE(at)}`;
  const status = answer.readUInt32BE(at + 4);
  if ([nfsStatus.ok, nfsStatus.perm, nfsStatus.access, nfsStatus.wrongSecurity].includes(status)) return undefined;
  if (status === nfsStatus.noEntry) return `${directory} is not exported by ${server}; export its root there`;
  return `NFS server ${server} answers ${directory} with NFS status ${status}`;
}

function ask(server: string, port: number, question: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const socket = createConnection({ host: server, port });
    const fail = (message: string) => reject(new Error(`NFS server ${server}:${port}: ${message}`));
    socket.setTimeout(QUESTION_SECONDS * 1000, () => socket.destroy(new Error(`no answer within ${QUESTION_SECONDS} s`)));
    socket.once("error", (error) => fail(error.message));
    socket.once("close", () => fail("the connection was closed without an answer"));
    socket.once("connect", () => socket.write(question));
    socket.on("data", (data) => {
      answer = Buffer.concat([answer, data]);
      if (answer.length < 4 || answer.length < 4 + (answer.readUInt32BE(0) & ~LAST_FRAGMENT)) return;
      if (answer.length < 28) fail("an answer that is too short");
      else resolve(answer.subarray(4));
      socket.destroy();
    });
  });
}
