/** `failed`: an answer that is not the expected one. `error`: no answer, so nothing is known. */
export type CaseVerdict = "ok" | "failed" | "error";

export interface CaseResult {
  /** What was asked: a machine's name, or `stores`. */
  host: string;
  name: string;
  verdict: CaseVerdict;
  seconds: number;
  /** Expected, seen, what to do. */
  message?: string;
}

/** One case: the action says what is wrong, or nothing; it throws where there was no answer. */
export async function runCase(host: string, name: string, action: () => Promise<string | undefined>): Promise<CaseResult> {
  const began = performance.now();
  const end = (verdict: CaseVerdict, message?: string): CaseResult => ({
    host,
    name,
    verdict,
    seconds: (performance.now() - began) / 1000,
    ...(message === undefined ? {} : { message }),
  });
  try {
    const wrong = await action();
    return wrong === undefined ? end("ok") : end("failed", wrong);
  } catch (error) {
    return end("error", error instanceof Error ? error.message : String(error));
  }
}

/** Every expected value that was seen otherwise. */
export function differences(expected: Record<string, string>, seen: Record<string, string>): string[] {
  return Object.entries(expected)
    .filter(([key, value]) => seen[key] !== value)
    .map(([key, value]) => `${key} should be ${value}, and is ${seen[key] ?? "not said"}`);
}
