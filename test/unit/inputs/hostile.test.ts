// Careless and hostile files: always findings with a place, never a stack trace.
import { expect, test } from "@jest/globals";
import { renderFindings } from "../../../stacks/findings.ts";
import { findingsOf, rows } from "./change.ts";

rows(
  "inventory",
  String.raw`
  a key that stands twice at the top | site: lab => site: lab\nsite: lab | TB101 | site: lab
  a key that stands twice in a machine | firmware: bios => firmware: bios, firmware: bios | TB101
  a machine that stands twice | \n  h12: => \n  h11: | TB101 TB120 | h11:
  a tab as indentation | \n  management: => \n\tmanagement: | TB101
  an open bracket | roles: [hypervisor] => roles: [hypervisor | TB101 | h11:
  a quote too few | hostKey: "ssh => hostKey: ssh | TB103
  a wrong indentation | \n  address: 10.91.0.1 => \n address: 10.91.0.1 | TB101
  a colon too few | site: lab => site lab | TB101
  two documents | embedded: true => ---\nembedded: true | TB101 | ---
  an alias | site: lab => site: &s lab\nunreachable2: *s | TB101 TB102 | *s
  an alias of nothing | unreachable: => unreachable2: *nothing\nunreachable: | TB101 | *nothing
  a merge key | machines:\n => machines:\n  <<: *base\n | TB101 | <<
  a tag that nobody knows | site: lab => site: !name lab | TB101
  an empty file | /^[^]*$/ => | TB103
  nothing but comments | /^[^]*$/ => # nothing | TB103
  a file that is a list | /^[^]*$/ => - a | TB103
  a file that is a text | /^[^]*$/ => lab | TB103
  a prototype as machine | \nlimits: => \n  __proto__: { mac: 1 }\nlimits: | TB102 | __proto__
`,
);

rows(
  "marvin",
  String.raw`
  a trailing comma in an object | /\}\s*$/ => ,} | TB101
  a trailing comma in a list | "url": "http://h12"\n                } => "url": "http://h12"\n                }, | TB101 | ]
  a comment at the end of a line | "zones": [ => "zones": [ // all of them | TB101
  a comment between two lines | "zones": [ => /* all */ "zones": [ | TB101
  a hash at the end of a line | "zones": [ => "zones": [ # all of them | TB101
  single quotes | "zones": => 'zones': | TB101
  a key without quotes | "zones": => zones: | TB101
  a key that stands twice | "networktype": "Advanced" => "networktype": "Advanced", "networktype": "Advanced" | TB101
  a missing comma | "name": "z0", => "name": "z0" | TB101 | "networktype"
  a missing bracket | /\]\s*\}\s*$/ => } | TB101
  a number with a leading zero | "port": 8096 => "port": 08096 | TB101
  a tab inside a text | "name": "z0" => "name": "z\t0" | TB101
  two objects | /\}\s*$/ => }\n{} | TB101 | {}
  an empty file | /^[^]*$/ => | TB101
  nothing but comments | /^[^]*$/ => # nothing | TB101 | # nothing
`,
);

test.each<[string, Parameters<typeof findingsOf>[0]]>([
  ["a NUL byte in the inventory", { inventory: (text) => `${text}\0` }],
  ["a NUL byte in a marvin file", { marvin: (text) => text.replace("z0", "z\0") }],
  ["a NUL byte in the stack file", { stack: (text) => `\0${text}` }],
  ["ten megabytes of inventory", { inventory: (text) => text + "#".repeat(10_000_000) }],
  ["ten megabytes of marvin file", { marvin: (text) => text + " ".repeat(10_000_000) }],
  ["an inventory nested 50,000 deep", { inventory: () => "[".repeat(50_000) }],
  ["an inventory of 50,000 lists in one line", { inventory: () => `${"- ".repeat(50_000)}a\n` }],
  [
    "an inventory of 3,000 groups inside each other",
    { inventory: () => Array.from({ length: 3000 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join("") },
  ],
  ["a marvin file nested 100,000 deep", { marvin: () => "[".repeat(100_000) }],
  ["a marvin file nested 100,000 objects deep", { marvin: () => '{"a":'.repeat(100_000) }],
  ["an inventory in UTF-16", { inventory: (text) => Buffer.from(text, "utf16le").toString("latin1") }],
  ["a bomb of aliases", { inventory: () => bomb() }],
  ["an alias of itself", { inventory: () => "site: &a [*a]\n" }],
])("%s gives a finding", (_, change) => {
  const findings = findingsOf(change);
  const codes = findings.map((one) => one.code);
  expect(codes.filter((code) => code === "TB101" || code === "TB103")).not.toEqual([]);
  expect(renderFindings(findings).length).toBeLessThan(2_000_000);
});

function bomb(): string {
  const lines = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level}, `.repeat(9)}*a${level}]`);
  return ["a0: &a0 x", ...lines].join("\n");
}

test.each(["inventory", "marvin", "stack"])("Windows line ends and a byte-order mark in the %s are no fault", (file) => {
  expect(findingsOf({ [file]: (text: string) => `\uFEFF${text.replaceAll("\n", "\r\n")}` })).toEqual([]);
});

test("faults after Windows line ends stand at the same places", () => {
  const places = (change: (text: string) => string) =>
    findingsOf({ inventory: change, marvin: change }).map((one) => [one.file, one.line, one.column, one.code]);
  const faulty = (text: string) => text.replace("firmware: bios", "firmware: bois").replace("http://h12", "http://h21");
  expect(places(faulty)).toHaveLength(2);
  expect(places((text) => faulty(text).replaceAll("\n", "\r\n"))).toEqual(places(faulty));
});
