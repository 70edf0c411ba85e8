import type { FailureKind } from "../kernel/index.ts";

interface Fault {
  kind: FailureKind;
  code: string;
  text: string;
  remedy?: string;
}

/** Every fault has code 1; only its text tells (cobbler facts §3). */
const rules: { pattern: RegExp; kind: FailureKind; code: string; remedy?: string }[] = [
  // These three mean that cobblerd was restarted: what they name lived in its memory. Who begins anew with the first two succeeds.
  { pattern: /invalid token|"token" did not have the correct format/, kind: "unreachable", code: "session-lost" },
  { pattern: /KeyError.*___NEW___/, kind: "unreachable", code: "handle-lost" },
  { pattern: /no event with that id/, kind: "refused", code: "task-lost", remedy: "run `pulumi up` again" },
  {
    pattern: /No space left on device/,
    kind: "refused",
    code: "disk-full",
    remedy: "free some space on the server, then run `pulumi up` again",
  },
  { pattern: /login failed/, kind: "refused", code: "login-failed" },
  {
    pattern: /authorization failure/,
    kind: "refused",
    code: "not-authorised",
    remedy: "give the account the right in cobbler's authorization module",
  },
  { pattern: /unknown remote method|forbidden method/, kind: "refused", code: "unknown-method" },
  { pattern: /already exists with that name|exists already|unwise to overwrite/, kind: "conflict", code: "exists" },
  { pattern: /duplicate found/, kind: "conflict", code: "duplicate", remedy: "remove the other object, or correct the inventory" },
  { pattern: /removal would orphan/, kind: "conflict", code: "in-use", remedy: "remove what hangs on it first" },
  { pattern: /attempt to delete in-use file/, kind: "conflict", code: "in-use", remedy: "remove the profiles that use it first" },
  {
    pattern: /kernel not found|initrd not/,
    kind: "invalid",
    code: "boot-file-missing",
    remedy: "kernel and initrd must be files on the cobbler server",
  },
  { pattern: /unknown \w+ name|not found|is not existing|does not exist/, kind: "invalid", code: "missing" },
  { pattern: /is required/, kind: "invalid", code: "incomplete" },
  {
    pattern: /Cobbler trigger failed/,
    kind: "refused",
    code: "trigger-failed",
    remedy: "look at the service named in cobbler's log; the object is saved, and the next `pulumi up` finishes it",
  },
  {
    pattern: /'str' object has no attribute 'copy'/,
    kind: "refused",
    code: "cache-damaged",
    remedy: "set `cache_enabled: false` in cobbler's settings.yaml and restart cobblerd",
  },
  // What a setter of cobbler says to a value that it cannot take.
  { pattern: /^<class '(ValueError|TypeError|ipaddress\.\w+|netaddr\.\S+)'>/, kind: "invalid", code: "bad-value" },
];

/** What a fault means. The token that some texts quote is cut out. */
export function classifyFault(faultString: string): Fault {
  const text = faultString
    .replace(/^<class '[^']*'>:/, "")
    .replace(/invalid token: .*/, "invalid token")
    .replace(/^['"]|['"]$/g, "");
  const rule = rules.find((one) => one.pattern.test(faultString));
  if (!rule) return { kind: "refused", code: "fault", text, remedy: "look at /var/log/cobbler/cobbler.log on the server" };
  return { kind: rule.kind, code: rule.code, text, ...(rule.remedy ? { remedy: rule.remedy } : {}) };
}
