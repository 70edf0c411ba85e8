// What puppet's commands and reports say, and what is made of it.
import { describe, expect, test } from "@jest/globals";
import type { TestbedError } from "../../providers/kernel/index.ts";
import { cleanOutcome, type Way } from "../../providers/puppet/clean-answer.ts";
import { parseReport } from "../../providers/puppet/report.ts";
import { judgeRun } from "../../providers/puppet/run-end.ts";

describe("a clean's status and words", () => {
  const name = "h1.lab.test";
  const server = "puppetserver ca";
  test.each<[Way, number, string, string]>([
    [server, 0, `Certificate for ${name} has been revoked\nCleaned files related to ${name}`, "cleaned"],
    [server, 24, `Cleaned files related to ${name}`, "cleaned"],
    [server, 1, `Error:\n    Could not find files to clean for ${name}`, "absent"],
    [server, 1, "Fatal error when running action 'clean'\n  Error: Failed connecting to https://d:8140/puppet-ca/v1", "down"],
    [server, 1, `    When attempting to revoke certificate '${name}', received:\n      code: 503\n      body: `, "down"],
    [server, 1, `    When attempting to revoke certificate '${name}', received:\n      code: 403\n      body: Forbidden`, "forbidden"],
    [server, 0, "", "unexpected"],
    [server, 1, `Cleaned files related to ${name}`, "unexpected"],
    [server, 0, `Cleaned files related to x${name}`, "unexpected"],
    [server, 0, `Cleaned files related to ${name}.more`, "unexpected"],
    [server, 0, "Cleaned files related to h1xlab.test", "unexpected"],
    ["puppet cert", 0, `Notice: Removing file Puppet::SSL::Certificate ${name} at '/var/lib/puppet/ssl/ca/signed/x.pem'`, "cleaned"],
    ["puppet cert", 24, `Notice: Removing file Puppet::SSL::CertificateRequest ${name} at '/x.pem'`, "cleaned"],
    ["puppet cert", 24, `Error: Could not find a serial number for ${name}`, "absent"],
    ["puppet cert", 1, "Error: Permission denied", "unexpected"],
    ["http api", 0, "revoke  code 204\ndelete  code 204", "cleaned"],
    ["http api", 0, "revoke Cannot revoke code 409\ndelete  code 204", "cleaned"],
    ["http api", 0, "revoke Not found code 404\ndelete Resource not found. code 404", "absent"],
    ["http api", 0, "revoke curl: (7) code 000\ndelete curl: (7) code 000", "down"],
    ["http api", 0, "revoke Forbidden request code 403\ndelete Forbidden request code 403", "forbidden"],
    ["http api", 0, "revoke  code 500\ndelete  code 204", "unexpected"],
    ["http api", 0, "", "unexpected"],
  ])("of %s, %d, %j: %s", (way, status, text, outcome) => {
    expect(cleanOutcome(way, name, { status, text })).toBe(outcome);
  });
});

/** A report with `count` failed packages, as agents write them. */
function report(status: string, count: number): string {
  const failed = [...Array(count).keys()].map(
    (index) => `  Package[p${index}]: !ruby/object:Puppet::Resource::Status
    title: p${index}
    file: "/modules/m/manifests/init.pp"
    line: ${index + 1}
    resource: Package[p${index}]
    failed: true
    changed: false
    events:
    - !ruby/object:Puppet::Transaction::Event
      message: 'change from ''purged'' to ''present'' failed: p${index} is not there'
      status: failure
      historical_value: 
`,
  );
  const body = count > 0 ? `resource_statuses:\n${failed.join("")}` : "resource_statuses: {}\n";
  return `--- !ruby/object:Puppet::Transaction::Report\nhost: a\ntime: '2026-01-01T00:00:00+00:00'\nstatus: ${status}\n${body}`;
}

describe("a report", () => {
  test("names what failed, where and why", () => {
    expect(parseReport(report("failed", 1))?.failed).toEqual([
      {
        resource: "Package[p0]",
        message: "change from 'purged' to 'present' failed: p0 is not there",
        place: "/modules/m/manifests/init.pp:1",
      },
    ]);
  });

  test.each([
    ["nothing", ""],
    ["something else", "hello"],
    ["another status", report("pending", 0)],
    ["one cut in the middle of a text", report("failed", 1).slice(0, -60)],
    ["a list", "- 1\n- 2\n"],
  ])("%s is none", (_, text) => {
    expect(parseReport(text)).toBeUndefined();
  });
});

describe("a run's end", () => {
  const judge = (status: number, text: string, log = "", limit = false): TestbedError | string => {
    try {
      return judgeRun("host a", "a.lab.test", { status, log, limit, report: text }, 60).status;
    } catch (error) {
      return error as TestbedError;
    }
  };

  test.each([
    [0, "unchanged"],
    [2, "changed"],
  ])("is good only by status and report: %d, %s", (status, said) => {
    expect(judge(status, report(said, 0))).toBe(said);
  });

  test.each([
    ["a good status without a report", 2, "", "", "no-report"],
    ["a good status with a report of failures", 2, report("failed", 1), "", "resources-failed"],
    ["a good status with a failed report without failures", 0, report("failed", 0), "", "run-failed"],
    ["failures of which no report tells", 4, "", "Error: x", "resources-failed"],
    ["a status that no agent has", 99, report("changed", 0), "", "run-failed"],
    ["an expired certificate", 1, "", "Error: certificate verify failed [certificate has expired]", "clock"],
    ["a certificate of tomorrow", 1, "", "Error: certificate verify failed [CRL is not yet valid for CN=a]", "clock"],
    [
      "an old agent's mismatch",
      1,
      "",
      "Error: The certificate retrieved from the master does not match the agent's private key.",
      "certificate-conflict",
    ],
    ["an old agent without a certificate", 1, "", "Exiting; no certificate found and waitforcert is disabled", "not-signed"],
  ])("%s is a failure", (_, status, text, log, code) => {
    expect(judge(status, text, log)).toMatchObject({ code });
  });

  test("with many failures lists ten and counts the rest", () => {
    const error = judge(6, report("failed", 25)) as TestbedError;
    expect(error.message).toContain("25 of its resources failed");
    expect(error.message).toContain("Package[p9]");
    expect(error.message).not.toContain("Package[p10]");
    expect(error.message).toContain("and 15 more");
  });

  test("at the limit is that, whatever else it says", () => {
    expect(judge(143, report("changed", 0), "Error: x", true)).toMatchObject({ code: "never-ends", kind: "timeout" });
  });
});
