import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";

/** What a helper program of a daemon gets back: lines to print and the status to end with. */
export interface LineReply {
  lines: string[];
  status: number;
}

/**
 * Answers the daemons' helper programs (lab/bmc/chassis.sh, lab/driver/systemctl.sh), which cannot speak to a Unix socket from bash:
 * one line of words in; lines and a last `rc STATUS` out. Whatever fails answers 255.
 */
export function startLineServer(port: number, answer: (words: string[]) => Promise<LineReply>): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).once("line", async (line) => {
      const reply = await answer(line.trim().split(/\s+/)).catch((error: unknown): LineReply => {
        process.stderr.write(`${line}: ${String(error)}\n`);
        return { lines: [], status: 255 };
      });
      socket.end([...reply.lines, `rc ${reply.status}`, ""].join("\n"));
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
