import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP server with files in memory that can be told to misbehave. */
export class FileServer {
  readonly files = new Map<string, Buffer>();
  /** Where a path has gone. */
  readonly moved = new Map<string, string>();
  /** Every request: method, path and where it begins. */
  readonly requests: string[] = [];
  /** Whether it can begin in the middle of a file. */
  ranges = true;
  /** Whether it says how long a file is. */
  lengths = true;
  /** The connection is cut after so many bytes, once per entry. */
  cuts: number[] = [];
  /** Whether its files are gone once a transfer was cut. */
  gone = false;
  /** Bytes per second; 0 for no limit. */
  pace = 0;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  start(address: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, address, resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    const from = this.ranges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
    this.requests.push(`${request.method} ${path} ${from}`);
    const moved = this.moved.get(path);
    if (moved) return void response.writeHead(302, { location: moved, "content-length": 6 }).end("moved\n");
    const file = this.files.get(path);
    if (!file || (this.gone && this.cuts.length === 0)) return void response.writeHead(404).end("not found\n");
    if (from > 0 && from >= file.length) return void response.writeHead(416).end();
    const length = this.lengths ? { "content-length": file.length - from } : {};
    const range = from > 0 ? { "content-range": `bytes ${from}-${file.length - 1}/${file.length}` } : {};
    response.writeHead(from > 0 ? 206 : 200, { ...length, ...range });
    if (request.method === "HEAD") return void response.end();
    void this.#send(response, file.subarray(from));
  }

  async #send(response: ServerResponse, content: Buffer): Promise<void> {
    const cut = this.cuts.shift();
    const bytes = content.subarray(0, cut ?? content.length);
    const step = this.pace > 0 ? Math.ceil(this.pace / 20) : bytes.length;
    for (let at = 0; at < bytes.length && !response.destroyed; at += step) {
      await new Promise<void>((resolve) => response.write(bytes.subarray(at, at + step), () => resolve()));
      if (this.pace > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (cut === undefined) response.end();
    else response.destroy();
  }

  url(path: string): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}${path}`;
  }

  /** As at the start, without files. */
  reset(): void {
    this.files.clear();
    this.moved.clear();
    this.requests.length = 0;
    Object.assign(this, { ranges: true, lengths: true, cuts: [], gone: false, pace: 0 });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
