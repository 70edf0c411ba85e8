import { appendFileSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { CloudFault } from "../../lab/cloudstack/faults.ts";
import { waitUntil } from "./wait-until.ts";

/** What lab/guest/cloudstack-forward.sh is on a machine: it listens where the emulator says, and forwards to it. */
export class CloudGuest {
  /** What the emulator told about ports, in its order. */
  readonly told: string[] = [];
  readonly #relay: { host: string; port: number };
  readonly #token: string;
  readonly #name: string;
  readonly #servers = new Map<number, Server>();
  /** The port here that stands for one of the machine. */
  readonly #places: Record<number, number>;
  readonly #log: string | undefined;
  #service: Socket | undefined;

  constructor(relay: { host: string; port: number }, token: string, name: string, places: Record<number, number>, log?: string) {
    this.#log = log;
    this.#relay = relay;
    this.#token = token;
    this.#name = name;
    this.#places = places;
  }

  /** Makes its management server misbehave; `clear` ends that. */
  async fault(kind: CloudFault | "clear", count = ""): Promise<void> {
    const socket = createConnection({ ...this.#relay, localAddress: this.#relay.host });
    socket.write(`fault ${this.#name} ${kind} ${count}\n`);
    const [reply] = await lines(socket);
    if (reply !== "ok") throw new Error(reply ?? "the emulator closed the connection");
  }

  /** Switches the machine on. */
  on(): void {
    const service = createConnection(this.#relay);
    service.write(`${this.#token} ${this.#name} service\n`);
    createInterface({ input: service })
      .on("error", () => service.destroy())
      .on("line", (line) => this.#told(line));
    this.#service = service;
  }

  /** Kills the machine. */
  async off(): Promise<void> {
    this.#service?.destroy();
    this.#service = undefined;
    await Promise.all([...this.#servers.keys()].map((port) => this.#close(port)));
  }

  async until(port: number, state: "open" | "closed"): Promise<void> {
    await waitUntil(`port ${port} ${state}`, () => this.#servers.has(port) === (state === "open"));
  }

  /** Runs `systemctl VERB` of the machine. */
  systemctl(verb: string): Promise<string[]> {
    const socket = createConnection(this.#relay);
    socket.write(`${this.#token} ${this.#name} systemctl ${verb}\n`);
    return lines(socket);
  }

  #told(line: string): void {
    const [verb, text = ""] = line.split(/ (.*)/);
    if (verb !== "log") this.told.push(line);
    if (verb === "open") this.#open(Number(text));
    else if (verb === "close") void this.#close(Number(text));
    else this.#logged(text);
  }

  #logged(text: string): void {
    if (this.#log) appendFileSync(this.#log, `${text}\n`);
  }

  #open(port: number): void {
    const server = createServer((client) => {
      const beside = createConnection(this.#relay);
      beside.write(`${this.#token} ${this.#name} ${port}\n`);
      // A reset on one side is a reset on the other.
      for (const [one, other] of [
        [client, beside],
        [beside, client],
      ] as const)
        one.on("error", () => other.resetAndDestroy()).on("close", () => other.destroy());
      client.pipe(beside).pipe(client);
    });
    this.#servers.set(port, server);
    server.listen(this.#places[port], this.#relay.host);
  }

  async #close(port: number): Promise<void> {
    const server = this.#servers.get(port);
    this.#servers.delete(port);
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }
}

/** Everything that a connection says until its end. */
export async function lines(socket: Socket): Promise<string[]> {
  const said: string[] = [];
  for await (const line of createInterface({ input: socket })) said.push(line);
  return said;
}
