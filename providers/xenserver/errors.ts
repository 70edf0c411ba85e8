import { type FailureKind, TestbedError } from "../kernel/index.ts";

/** What XAPI answered instead of a result: its code and the code's parameters. */
export class XapiFailure extends Error {
  readonly code: string;
  readonly parameters: readonly string[];
  constructor(code: string, parameters: readonly string[]) {
    super(parameters.length > 0 ? `${code} (${parameters.join(", ")})` : code);
    this.name = "XapiFailure";
    this.code = code;
    this.parameters = parameters;
  }
}

interface Meaning {
  kind: FailureKind;
  remedy?: string;
}

const all = (codes: string, meaning: Meaning): Record<string, Meaning> =>
  Object.fromEntries(codes.split(" ").map((code) => [code, meaning]));

/** By code (xapi facts §10). `unreachable` is what another try may mend: whoever tries again reads the state first. */
const meanings: Record<string, Meaning> = {
  ...all("HOST_STILL_BOOTING OTHER_OPERATION_IN_PROGRESS TOO_MANY_PENDING_TASKS CANNOT_CONTACT_HOST VDI_IN_USE HOST_OFFLINE", {
    kind: "unreachable",
    remedy: "look at the tasks and hosts of the pool",
  }),
  ...all("SESSION_INVALID", {
    kind: "refused",
    remedy: "the session was dropped again right after a new login: see the server's xensource.log",
  }),
  ...all("SESSION_AUTHENTICATION_FAILED USER_IS_NOT_LOCAL_SUPERUSER", {
    kind: "refused",
    remedy: "correct the credential in the stack configuration",
  }),
  ...all("SESSION_AUTHORIZATION_FAILED RBAC_PERMISSION_DENIED", {
    kind: "refused",
    remedy: "give the account the role VM admin or pool operator",
  }),
  ...all("UUID_INVALID HANDLE_INVALID", { kind: "invalid", remedy: "it was removed meanwhile: run `pulumi up` again" }),
  ...all("VM_BAD_POWER_STATE VM_IS_TEMPLATE OPERATION_NOT_ALLOWED", {
    kind: "conflict",
    remedy: "is somebody else working on this VM? run `pulumi up` again",
  }),
  ...all("DEVICE_ALREADY_EXISTS MAP_DUPLICATE_KEY VDI_NOT_IN_MAP", { kind: "conflict", remedy: "run `pulumi up` again" }),
  ...all("OPERATION_BLOCKED", {
    kind: "conflict",
    remedy: "the VM is protected: take the operation out of its blocked_operations if that is meant to end",
  }),
  ...all("SR_FULL", { kind: "refused", remedy: "make room on the storage repository, or name another one" }),
  ...all("HOST_NOT_ENOUGH_FREE_MEMORY NO_HOSTS_AVAILABLE HOST_DISABLED", {
    kind: "refused",
    remedy: "free memory on the pool's hosts, enable one, or give the VM less",
  }),
  ...all("VM_REQUIRES_SR VM_REQUIRES_NET SR_HAS_NO_PBDS", {
    kind: "refused",
    remedy: "plug network and storage on a host of the pool that runs",
  }),
  ...all("LICENSE_RESTRICTION LICENCE_RESTRICTION FEATURE_RESTRICTED", { kind: "refused", remedy: "the pool's licence does not allow it" }),
  ...all("MEMORY_CONSTRAINT_VIOLATION MEMORY_CONSTRAINT_VIOLATION_ORDER MEMORY_CONSTRAINT_VIOLATION_MAXPIN", {
    kind: "invalid",
    remedy: "correct memoryMiB in the inventory",
  }),
  ...all(
    "MESSAGE_METHOD_UNKNOWN MESSAGE_PARAMETER_COUNT_MISMATCH MESSAGE_DEPRECATED FIELD_TYPE_ERROR INVALID_VALUE VALUE_NOT_SUPPORTED MAC_INVALID PROVISION_ONLY_ALLOWED_ON_TEMPLATE",
    { kind: "invalid", remedy: "this release of the server does not know the call as it was made: report it with the server's release" },
  ),
  ...all("EVENTS_LOST EVENT_FROM_TOKEN_PARSE_FAILURE", { kind: "unreachable" }),
  ...all("TASK_CANCELLED", { kind: "refused", remedy: "somebody cancelled the task: run `pulumi up` again" }),
};

/** The kernel's error for a failure of XAPI, with XAPI's own code. */
export function explain(system: string, object: string, failure: XapiFailure): TestbedError {
  const storage = failure.code.startsWith("SR_BACKEND_FAILURE");
  const meaning: Meaning = meanings[failure.code] ?? {
    kind: "refused",
    remedy: storage ? "see the storage repository and the server's SMlog" : "see the server's xensource.log",
  };
  return new TestbedError({ system, object, code: failure.code, message: failure.message, cause: failure, ...meaning });
}

/** Whether an object that a call named is not there (any more); with a reference or uuid, whether it was that one. */
export function isGone(error: unknown, id?: string): boolean {
  if (!(error instanceof TestbedError) || (error.code !== "HANDLE_INVALID" && error.code !== "UUID_INVALID")) return false;
  return id === undefined || (error.cause instanceof XapiFailure && error.cause.parameters[1] === id);
}
