import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type ActiveFaults, type CloudFault, cloudFaults } from "./faults.ts";
import { Installation, type Pace } from "./installation.ts";

const LONGEST_LINE = 1000;

/**
 * The one port at which machines reach what runs beside them. The first line of a connection says what it is:
 * `TOKEN NAME service` the machine lives while this connection does; it gets `open PORT`, `close PORT` and `log TEXT`
 * `TOKEN NAME PORT` a client of the machine's port
 * `TOKEN NAME systemctl VERB` answered by lines and a last `rc STATUS`
 * `fault NAME KIND [COUNT]` from the driver only; KIND `clear` ends all of that name
 */
export class Relay {
  readonly #folder: string;
  readonly #pace: Pace;
  readonly #installations = new Map<string, Installation>();
  readonly #names = new Map<string, Set<Installation>>();
  readonly #faults = new Map<string, ActiveFaults>();

  constructor(folder: string, pace: Pace) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#pace = pace;
  }

  listen(address: string, port: number): Promise<Server> {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      firstLine(socket, (words) => this.#answer(socket, words));
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, address, () => resolve(server));
    });
  }

  #answer(socket: Socket, words: string[]): void {
    if (words[0] === "fault") {
      void this.#setFault(socket, words.slice(1)).then((reply) => socket.end(`${reply}\n`));
      return;
    }
    const [token = "", name = "", what = "", verb = ""] = words;
    if (token === "" || name === "") return void socket.destroy();
    const installation = this.#installation(token, name);
    if (what === "service") installation.attach(socket);
    else if (what === "systemctl") void systemctl(installation, verb).then((lines) => socket.end(`${lines.join("\n")}\n`));
    else installation.connect(Number(what), socket);
  }

  /** A token's database is made at first contact: a machine that was installed anew is an empty cloud. */
  #installation(token: string, name: string): Installation {
    let installation = this.#installations.get(token);
    if (!installation) {
      const file = join(this.#folder, `${createHash("sha256").update(token).digest("hex").slice(0, 32)}.json`);
      installation = new Installation(file, this.#pace, this.#faultsOf(name));
      this.#installations.set(token, installation);
      this.#names.set(name, (this.#names.get(name) ?? new Set()).add(installation));
    }
    return installation;
  }

  #faultsOf(name: string): ActiveFaults {
    const faults = this.#faults.get(name) ?? new Map();
    this.#faults.set(name, faults);
    return faults;
  }

  async #setFault(socket: Socket, [name = "", kind = "", count]: string[]): Promise<string> {
    if (socket.remoteAddress !== socket.localAddress) return "only the driver may set faults";
    const faults = this.#faultsOf(name);
    if (kind === "clear") faults.clear();
    else if (kind in cloudFaults) faults.set(kind as CloudFault, kind === "cloud-restarts" ? 1 : Number(count ?? Number.POSITIVE_INFINITY));
    else return `no fault ${kind}; faults are ${[...Object.keys(cloudFaults), "clear"].join(", ")}`;
    for (const installation of this.#names.get(name) ?? []) await installation.refresh();
    return "ok";
  }
}

async function systemctl(installation: Installation, verb: string): Promise<string[]> {
  switch (verb) {
    case "restart":
      await installation.restart();
      return ["rc 0"];
    case "stop":
      await installation.stop();
      return ["rc 0"];
    case "start":
      installation.start();
      return ["rc 0"];
    case "is-active":
      return installation.active ? ["active", "rc 0"] : ["inactive", "rc 3"];
    default:
      return [`Unknown command verb ${verb}.`, "rc 1"];
  }
}

/** Takes the first line off a connection; what came after it stays to be read. */
function firstLine(socket: Socket, use: (words: string[]) => void): void {
  let read = Buffer.alloc(0);
  const onData = (part: Buffer) => {
    read = Buffer.concat([read, part]);
    const end = read.indexOf("\n");
    if (end < 0) {
      if (read.length > LONGEST_LINE) socket.destroy();
      return;
    }
    socket.pause();
    socket.off("data", onData);
    const rest = read.subarray(end + 1);
    if (rest.length > 0) socket.unshift(rest);
    use(read.subarray(0, end).toString("utf8").trim().split(/\s+/));
    // After whoever reads now has its listeners.
    process.nextTick(() => socket.resume());
  };
  socket.on("data", onData);
}
