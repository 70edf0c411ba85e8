import type { FailureKind } from "../kernel/index.ts";

interface Fault {
  kind: FailureKind;
  code: string;
  text: string;
  remedy?: string;
}

/** Every fault has code 1; only its text tells (cobbler facts §3). */
const rules: { pattern: RegExp; kind: FailureKind; code: string; remedy?: string }[] = [
  { pattern: /invalid token|"token" did not have the correct format/, kind: "refused", code: "invalid-token" },
  { pattern: /login failed/, kind: "refused", code: "login-failed" },
  {
    pattern: /authorization failure/,
    kind: "refused",
    code: "not-authorised",
    remedy: "give the account the right in cobbler's authorization module",
  },
  { pattern: /unknown remote method|forbidden method/, kind: "refused", code: "unknown-method" },
  { pattern: /already exists with that name|exists already/, kind: "conflict", code: "exists" },
  { pattern: /duplicate found/, kind: "conflict", code: "duplicate", remedy: "remove the other object, or correct the inventory" },
  { pattern: /removal would orphan/, kind: "conflict", code: "in-use", remedy: "remove what hangs on it first" },
  { pattern: /attempt to delete in-use file/, kind: "conflict", code: "in-use", remedy: "remove the profiles that use it first" },
  { pattern: /unknown \w+ name|not found|is not existing/, kind: "invalid", code: "missing" },
  {
    pattern: /kernel not found|initrd not/,
    kind: "invalid",
    code: "boot-file-missing",
    remedy: "kernel and initrd must be files on the cobbler server",
  },
  {
    pattern: /Cobbler trigger failed/,
    kind: "refused",
    code: "trigger-failed",
    remedy: "look at the service named in cobbler's log; the object is saved",
  },
];

/** What a fault means. The token that some texts quote is cut out. */
export function classifyFault(faultString: string): Fault {
  const text = faultString
    .replace(/^<class '[^']*'>:/, "")
    .replace(/invalid token: .*/, "invalid token")
    .replace(/^['"]|['"]$/g, "");
  const rule = rules.find((one) => one.pattern.test(faultString));
  if (!rule) return { kind: "refused", code: "fault", text };
  return { kind: rule.kind, code: rule.code, text, ...(rule.remedy ? { remedy: rule.remedy } : {}) };
}
