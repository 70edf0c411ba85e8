import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What happens to one call on its way: `forward` asks the real server and gives its answer. */
export type Interference = (method: string, forward: () => Promise<Buffer>) => Promise<Buffer | "cut">;

/** A wire to a real XML-RPC server on which calls can get lost, be delayed or answered otherwise. It counts the calls it carries. */
export class Wire {
  readonly methods: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  interfere: Interference = (_, forward) => forward();

  private constructor(target: string) {
    this.#server = createServer(async (incoming, reply) => {
      const body = await read(incoming);
      const method = /<methodName>(\w+)</.exec(body.toString())?.[1] ?? "";
      this.methods.push(method);
      const answer = await this.interfere(method, () => post(target, body)).catch(() => "cut" as const);
      if (answer === "cut") reply.destroy();
      else reply.end(answer);
    });
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async to(target: string): Promise<Wire> {
    const wire = new Wire(target);
    await new Promise<void>((resolve) => wire.#server.listen(0, "127.0.0.1", resolve));
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/RPC2`;
  }

  count(method: string): number {
    return this.methods.filter((one) => one === method).length;
  }

  /** Carries calls untouched again, and counts from zero. */
  reset(): void {
    this.methods.length = 0;
    this.interfere = (_, forward) => forward();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Does something once, when the given method comes along, before it reaches the server. */
export function beforeCall(method: string, happen: () => Promise<unknown> | unknown): Interference {
  let happened = false;
  return async (called, forward) => {
    if (called === method && !happened) {
      happened = true;
      await happen();
    }
    return forward();
  };
}

/** Lets the given method do its work once and loses the answer. */
export function loseAnswer(method: string): Interference {
  let lost = false;
  return async (called, forward) => {
    const answer = await forward();
    if (called !== method || lost) return answer;
    lost = true;
    return "cut";
  };
}

/** A fault as cobbler sends it. */
export function fault(text: string): Buffer {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return Buffer.from(
    `<?xml version="1.0"?><methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member><member><name>faultString</name><value><string>${escaped}</string></value></member></struct></value></fault></methodResponse>`,
  );
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function post(target: string, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(target, { method: "POST", agent: false, headers: { "Content-Length": body.length } }, (reply) =>
      read(reply).then(resolve, reject),
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
