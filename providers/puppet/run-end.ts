import { TestbedError } from "../kernel/index.ts";
import type { AgentEnd } from "./agent.ts";
import { type FailedResource, parseReport, type RunReport } from "./report.ts";

/** How many failed resources an error lists, and how many lines of the log. */
const LISTED = 10;

interface Reason {
  pattern: RegExp;
  code: string;
  kind: "refused" | "unreachable" | "conflict";
  remedy: string;
}

const OLD_CERTIFICATE = /does not match (its|the agent's) private key/;

/** Why a run did not come to its catalog, by what agents of all releases say. The first that fits. */
const reasons: readonly Reason[] = [
  {
    pattern: OLD_CERTIFICATE,
    code: "certificate-conflict",
    kind: "conflict",
    remedy: "the CA still has the certificate of the machine's old key: clean it (puppet:Certificate does, once per installation)",
  },
  {
    pattern: /certificate revoked|Certificate .* is revoked/i,
    code: "certificate-revoked",
    kind: "conflict",
    remedy: "the machine's certificate was cleaned, but the machine was not installed anew: remove its ssl folder, or install it",
  },
  {
    pattern: /not yet valid|certificate has expired|is not valid yet/i,
    code: "clock",
    kind: "refused",
    remedy: "certificates are valid from a time that the machine's clock has not reached, or has passed: set its clock by the driver's",
  },
  {
    pattern: /no certificate found and waitforcert is disabled|waitforcert setting is set to 0/,
    code: "not-signed",
    kind: "refused",
    remedy: "let the CA sign by itself (autosign), or sign on the driver: puppetserver ca sign --certname NAME",
  },
  {
    pattern: /administratively disabled/,
    code: "disabled",
    kind: "refused",
    remedy: "somebody switched the agent off on purpose: `puppet agent --enable` on the machine",
  },
  {
    pattern: /Connection refused|Failed to open TCP connection|getaddrinfo|No route to host|execution expired|Name or service not known/,
    code: "master-unreachable",
    kind: "unreachable",
    remedy: "is puppetserver running on the driver, and does the machine resolve the driver's name?",
  },
  {
    pattern: /Could not retrieve catalog|Failed to apply catalog|Error 500|Evaluation Error/,
    code: "no-catalog",
    kind: "refused",
    remedy: "see the modules in appliance/ and the site's manifest; `puppet parser validate` finds faults of syntax",
  },
];

/** Said by an agent that met another one; it did nothing, and ends with 1. */
export function metAnotherRun(end: AgentEnd): boolean {
  return end.status === 1 && /Run of .* already in progress; skipping/.test(end.log);
}

/** Ended before anything was done: the CA has a certificate of the machine's name that is for another key. */
export function metOldCertificate(end: AgentEnd): boolean {
  return end.status === 1 && OLD_CERTIFICATE.test(end.log);
}

/**
 * What a run came to: its exit code (`--detailed-exitcodes`: 0 no change, 2 changes, 4 failures, 6 both, 1 no run) and its report must both
 * say that it is good.
 */
export function judgeRun(system: string, certname: string, end: AgentEnd, limitSeconds: number): RunReport {
  const fail = (code: string, kind: Reason["kind"] | "timeout", message: string, remedy: string) =>
    new TestbedError({ system, object: `puppet run of ${certname}`, kind, code, message, remedy });
  if (end.limit) {
    const message = `did not end within ${limitSeconds} s and was ended; the last it said: ${lastLines(end.log, 3)}`;
    throw fail(
      "never-ends",
      "timeout",
      message,
      "see on the machine what it was doing; if it only needs longer, raise limits.runSeconds in the inventory",
    );
  }
  const report = parseReport(end.report);
  const failed = report?.failed ?? [];
  if (end.status === 4 || end.status === 6 || failed.length > 0) {
    const message = `${failed.length || "some"} of its resources failed (status ${end.status}): ${
      failed.length > 0 ? list(failed) : errorLines(end.log)
    }`;
    throw fail("resources-failed", "refused", message, "mend what they name, and run `pulumi up` again: what is done already is skipped");
  }
  if (end.status !== 0 && end.status !== 2) {
    const reason = reasons.find((one) => one.pattern.test(end.log));
    const message = `the agent ended with status ${end.status}: ${errorLines(end.log)}`;
    throw fail(reason?.code ?? "run-failed", reason?.kind ?? "refused", message, reason?.remedy ?? "see its log on the machine");
  }
  if (!report) {
    const message = `the agent ended with status ${end.status}, but this run wrote no report`;
    throw fail(
      "no-report",
      "refused",
      message,
      "let the agent keep its reports (`report = true`), and its state folder be where its package puts it",
    );
  }
  if (report.status === "failed")
    throw fail("run-failed", "refused", `its report says failed: ${errorLines(end.log)}`, "see its log on the machine");
  return report;
}

function list(failed: readonly FailedResource[]): string {
  const texts = failed.slice(0, LISTED).map((one) => {
    const place = one.place ? ` (${one.place})` : "";
    return `${one.resource}${place}${one.message ? `: ${one.message}` : ""}`;
  });
  return texts.join(" · ") + (failed.length > LISTED ? ` · and ${failed.length - LISTED} more` : "");
}

function errorLines(log: string): string {
  const errors = log.split("\n").filter((line) => /^(Error|err)\b/i.test(line.trim()));
  return errors.length > 0 ? errors.slice(0, LISTED).join(" · ") : lastLines(log, 3);
}

function lastLines(log: string, count: number): string {
  return log.trim().split("\n").slice(-count).join(" · ") || "nothing";
}
