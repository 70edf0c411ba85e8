import { type FailureKind, TestbedError } from "../kernel/index.ts";

/** An error as the API sends it, in a reply or as the result of a job. */
export interface ApiError {
  errorcode: number;
  cserrorcode?: number;
  errortext?: string;
}

const rules: { errorcode?: number; cserrorcode?: number; kind: FailureKind; remedy?: string }[] = [
  // Another change of the same object runs: nothing was done, but what the other does must be looked at first.
  { cserrorcode: 4300, kind: "conflict" },
  {
    errorcode: 401,
    kind: "refused",
    remedy: "the keys are not (or no longer) those of the server, or the clocks differ by more than ten minutes: run `pulumi refresh`",
  },
  { errorcode: 531, kind: "refused", remedy: "check user and password of the credential, and the rights of its account" },
  { errorcode: 429, kind: "unreachable" },
  { errorcode: 430, kind: "invalid" },
  { errorcode: 431, kind: "invalid" },
  { errorcode: 432, kind: "invalid", remedy: "the release of the server has no such command for this account" },
  { errorcode: 503, kind: "unreachable" },
  { errorcode: 536, kind: "conflict", remedy: "remove what uses it first" },
  { errorcode: 537, kind: "conflict" },
];

/** The kernel's error for one of the API. The code is `errorcode/cserrorcode`: decisions look at it, never at the text. */
export function apiFailure(system: string, object: string, error: ApiError): TestbedError {
  const rule = rules.find(
    (one) =>
      (one.cserrorcode === undefined || one.cserrorcode === error.cserrorcode) &&
      (one.errorcode === undefined || one.errorcode === error.errorcode),
  );
  return new TestbedError({
    system,
    object,
    kind: rule?.kind ?? "refused",
    code: `${error.errorcode}${error.cserrorcode === undefined ? "" : `/${error.cserrorcode}`}`,
    message: error.errortext?.trim() || "an error without a text",
    ...(rule?.remedy ? { remedy: rule.remedy } : {}),
  });
}

const NOT_DONE = ["503", "429", "429/4545", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"];

/** Whether a server that was unreachable for a call surely did nothing of it. */
export function isNotDone(error: TestbedError): boolean {
  return error.kind === "unreachable" && NOT_DONE.includes(error.code ?? "");
}
