import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** A certificate or a request for one. The lab's keys are random words: what matters is which key it was made for. */
interface Certificate {
  state: "requested" | "signed" | "revoked";
  key: string;
  serial: number;
}

/** The puppet CA's book: what it signed, for which key, and what it revoked. It outlives the lab. */
export class Authority {
  readonly #file: string;
  readonly #certificates: Map<string, Certificate>;
  /** Keys whose certificates were revoked: files may be gone, the revocation stays. */
  readonly #revoked: Set<string>;

  constructor(file: string) {
    this.#file = file;
    const kept = existsSync(file)
      ? (JSON.parse(readFileSync(file, "utf8")) as { certificates: [string, Certificate][]; revoked: string[] })
      : { certificates: [], revoked: [] };
    this.#certificates = new Map(kept.certificates);
    this.#revoked = new Set(kept.revoked);
  }

  get(name: string): Certificate | undefined {
    return this.#certificates.get(name);
  }

  names(): string[] {
    return [...this.#certificates.keys()].sort();
  }

  isRevoked(key: string): boolean {
    return this.#revoked.has(key);
  }

  /** A machine asks for its certificate with its key: it gets what the CA has for the name, for whatever key that is. */
  request(name: string, key: string, autosign: boolean): Certificate {
    const known = this.#certificates.get(name);
    if (known) return known;
    const made: Certificate = { state: autosign ? "signed" : "requested", key, serial: randomInt(2, 2 ** 31) };
    this.#put(name, made);
    return made;
  }

  sign(name: string): boolean {
    const known = this.#certificates.get(name);
    if (known?.state !== "requested") return false;
    this.#put(name, { ...known, state: "signed" });
    return true;
  }

  /** As `PUT certificate_status {"desired_state":"revoked"}`: 204 done, 409 only a request, 404 unknown. */
  revoke(name: string): 204 | 404 | 409 {
    const known = this.#certificates.get(name);
    if (!known) return 404;
    if (known.state === "requested") return 409;
    this.#revoked.add(known.key);
    this.#put(name, { ...known, state: "revoked" });
    return 204;
  }

  /** As `DELETE certificate_status`: the files go; what was not revoked stays valid. */
  remove(name: string): 204 | 404 {
    if (!this.#certificates.delete(name)) return 404;
    this.#save();
    return 204;
  }

  #put(name: string, certificate: Certificate): void {
    this.#certificates.set(name, certificate);
    this.#save();
  }

  #save(): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    const text = JSON.stringify({ certificates: [...this.#certificates], revoked: [...this.#revoked] });
    writeFileSync(`${this.#file}.new`, text);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
