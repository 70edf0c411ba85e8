import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the proxy does to a call instead of passing it on. */
export type ProxyFault =
  /** The connection is cut; the server never sees the call. */
  | "cut-before"
  /** The server does the call; its answer is cut. */
  | "cut-after"
  /** An answer without the server. */
  | { status: number; text: string };

interface Planned {
  /** A command, or every one that changes something. */
  command: string;
  fault: ProxyFault;
  /** How many calls pass before. */
  after: number;
  times: number;
}

const isChange = (command: string) => !/^(list|get|query|login)/.test(command);

/** An API error as the server sends it. */
export function apiError(command: string, errorcode: number, cserrorcode: number, errortext: string): ProxyFault {
  return {
    status: errorcode,
    text: JSON.stringify({ [`${command.toLowerCase()}response`]: { uuidList: [], errorcode, cserrorcode, errortext } }),
  };
}

/** Stands before a management server's port 8080: counts calls, and spoils some. */
export class CloudProxy {
  /** The commands that came, in their order. */
  readonly commands: string[] = [];
  readonly #target: number;
  readonly #before = new Map<string, () => Promise<void>>();
  readonly #rewrites = new Map<string, (text: string) => string>();
  #planned: Planned[] = [];
  #server: Server | undefined;

  constructor(target: number) {
    this.#target = target;
  }

  async listen(): Promise<number> {
    const server = createServer((incoming, response) => void this.#answer(incoming, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  /** @param command `change` stands for every call that changes something */
  spoil(command: string, fault: ProxyFault, { after = 0, times = 1 } = {}): void {
    this.#planned.push({ command, fault, after, times });
  }

  /** Runs something when a command comes, before the server or the fault gets it; gives what that resolves to. */
  before<T>(command: string, run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => this.#before.set(command, () => run().then(resolve, reject)));
  }

  /** Changes what the server answers to a command. */
  rewrite(command: string, change: (text: string) => string): void {
    this.#rewrites.set(command, change);
  }

  clear(): void {
    this.#planned = [];
    this.#before.clear();
    this.#rewrites.clear();
    this.commands.length = 0;
  }

  /** Those of the calls that change something. */
  get changes(): string[] {
    return this.commands.filter(isChange);
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString("utf8");
    const command = new URLSearchParams(body).get("command") ?? "";
    this.commands.push(command);
    await this.#before.get(command)?.();
    const fault = this.#take(command);
    if (fault === "cut-before") return void response.destroy();
    if (typeof fault === "object") return void response.writeHead(fault.status).end(fault.text);
    const { method, url: path, headers } = incoming;
    const sent = request({ host: "127.0.0.1", port: this.#target, agent: false, method, path, headers }, (answer) => {
      if (fault === "cut-after") return void answer.resume().on("end", () => response.destroy());
      const rewrite = this.#rewrites.get(command);
      if (rewrite) return void rewritten(answer, response, rewrite);
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    sent.on("error", () => response.destroy());
    sent.end(body);
  }

  #take(command: string): ProxyFault | undefined {
    for (const planned of this.#planned) {
      if (planned.command !== command && !(planned.command === "change" && isChange(command))) continue;
      if (planned.after-- > 0) continue;
      if (planned.times-- > 0) return planned.fault;
    }
    return undefined;
  }
}

async function rewritten(answer: IncomingMessage, response: ServerResponse, rewrite: (text: string) => string): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  response.writeHead(answer.statusCode ?? 500).end(rewrite(Buffer.concat(parts).toString("utf8")));
}
