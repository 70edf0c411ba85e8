import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";

/** A key and a certificate that it signed itself, valid for two days. */
export function selfSigned(): { key: string; cert: string; fingerprint: string } {
  const folder = mkdtempSync(join(tmpdir(), "tls-"));
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=cobbler.lab.test", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...algorithm, "-keyout", keyFile, "-out", certFile, ...subject], { stdio: "ignore" });
  const [key, cert] = [readFileSync(keyFile, "utf8"), readFileSync(certFile, "utf8")];
  rmSync(folder, { recursive: true });
  return { key, cert, fingerprint: createHash("sha256").update(new X509Certificate(cert).raw).digest("hex") };
}

/** TLS before a plain port of this machine, as a web server has it before cobblerd. */
export class TlsDoor {
  readonly fingerprint: string;
  /** Connections on which anything was sent after the handshake. */
  requests = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    const { fingerprint, ...pem } = selfSigned();
    this.fingerprint = fingerprint;
    this.#server = createServer(pem, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", (first) => {
        this.requests++;
        const inner = connect(port, "127.0.0.1");
        inner.on("error", () => socket.destroy());
        inner.write(first);
        socket.pipe(inner).pipe(socket);
      });
    });
    this.#server.on("tlsClientError", () => undefined); // a client that refuses the certificate is what the test is about
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async before(port: number): Promise<TlsDoor> {
    const door = new TlsDoor(port);
    await new Promise<void>((resolve) => door.#server.listen(0, "127.0.0.1", resolve));
    return door;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/RPC2`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
