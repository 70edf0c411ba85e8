import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { errorText, type FailureKind, TestbedError } from "../kernel/index.ts";

/** A file that is read from an offset on. */
export interface Source {
  stream: Readable;
  /** Of the whole file; 0 when its server does not say. */
  length: number;
  /** Where the stream really begins: 0 when its server cannot begin in the middle. */
  from: number;
}

/** Opens an `http(s)` address, or a `file:` of this machine. An address that answers with an error is refused, one that does not is unreachable. */
export async function openSource(url: string, from: number, signal: AbortSignal): Promise<Source> {
  const fail = (kind: FailureKind, message: string, cause?: unknown) =>
    new TestbedError({ system: "this machine", object: url, kind, message, cause });
  if (url.startsWith("file:")) {
    const path = fileURLToPath(url);
    const { size } = await stat(path).catch((error: unknown) => {
      throw fail("refused", errorText(error), error);
    });
    return { stream: createReadStream(path, { start: from, signal }), length: size, from };
  }
  const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
  const response = await fetch(url, { headers, signal }).catch((error: unknown) => {
    throw fail("unreachable", errorText((error as { cause?: unknown }).cause ?? error), error);
  });
  // 416: everything is there already.
  if (response.status === 416) return { stream: Readable.from([]), length: from, from };
  if (!response.ok || !response.body) throw fail("refused", `HTTP status ${response.status}`);
  const begins = response.status === 206 ? from : 0;
  const length = Number(response.headers.get("content-length") ?? 0);
  return { stream: Readable.fromWeb(response.body), length: length > 0 ? begins + length : 0, from: begins };
}
