import { rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { createInterface } from "node:readline";

export type ControlReply = { ok: true; value: unknown } | { ok: false; error: string };

/** Serves commands on a socket in the state folder: one JSON array of words in, one JSON reply out. Its existence means: the lab is ready. */
export function serveControl(path: string, run: (words: string[]) => Promise<ControlReply>): Promise<void> {
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).once("line", async (line) => {
      const reply = await run(JSON.parse(line) as string[]).catch((error: unknown): ControlReply => ({ ok: false, error: String(error) }));
      socket.end(`${JSON.stringify(reply)}\n`);
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
}

/** Asks the supervisor of a lab; fails at once when none listens. */
export function askControl(path: string, words: string[], limitSeconds = 30): Promise<ControlReply> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.setTimeout(limitSeconds * 1000, () =>
      socket.destroy(new Error(`the lab's supervisor did not answer "${words.join(" ")}" within ${limitSeconds} s`)),
    );
    socket.once("error", reject);
    // The reader repeats the socket's errors as its own.
    createInterface({ input: socket })
      .once("error", reject)
      .once("line", (line) => resolve(JSON.parse(line) as ControlReply));
    socket.once("close", () => reject(new Error(`the lab's supervisor closed the connection before it answered "${words.join(" ")}"`)));
    socket.write(`${JSON.stringify(words)}\n`);
  });
}
