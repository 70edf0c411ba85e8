import { createHash } from "node:crypto";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** The server showed another certificate than the pinned one; nothing was sent to it. Fingerprints are SHA-256 in lower-case hex. */
export class CertificateMismatch extends Error {
  readonly expected: string;
  readonly seen: string;
  constructor(expected: string, seen: string) {
    super(`the pinned certificate is ${expected}, the server showed ${seen}`);
    this.name = "CertificateMismatch";
    this.expected = expected;
    this.seen = seen;
  }
}

/** A fingerprint as people write it, `AB:CD:…` or `abcd…`, in the one form that is compared. */
function normalFingerprint(text: string): string {
  return text.replaceAll(":", "").toLowerCase();
}

function shownFingerprint(socket: TLSSocket): string {
  return createHash("sha256").update(socket.getPeerCertificate().raw).digest("hex");
}

/**
 * An open connection to the server of an `http:` or `https:` address. With a pin, exactly the certificate of that SHA-256
 * fingerprint (of its DER form) is accepted, whoever signed it; without one, the machine's trusted authorities decide.
 * Rejects with CertificateMismatch, with Node's own error, or with the reason of the signal.
 */
export function openSocket(target: URL, signal: AbortSignal, pin: string | undefined): Promise<Socket> {
  const secure = target.protocol === "https:";
  const host = target.hostname.replace(/^\[|\]$/g, ""); // an IPv6 address has brackets in a URL only
  const port = Number(target.port || (secure ? 443 : 80));
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = secure
      ? connectTls({ host, port, rejectUnauthorized: pin === undefined, ...(isIP(host) ? {} : { servername: host }) })
      : connectTcp({ host, port });
    // A request's head and body are two packets: Nagle's algorithm against delayed ACKs would cost 40 ms per call.
    socket.setNoDelay();
    const fail = (error: unknown) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const abort = () => fail(signal.reason);
    const open = () => {
      if (secure && pin !== undefined) {
        const [expected, seen] = [normalFingerprint(pin), shownFingerprint(socket as TLSSocket)];
        if (seen !== expected) return fail(new CertificateMismatch(expected, seen));
      }
      settle();
      resolve(socket);
    };
    const settle = () => {
      signal.removeEventListener("abort", abort);
      socket.removeListener("error", fail);
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", fail);
    socket.once(secure ? "secureConnect" : "connect", open);
  });
}
