// One change of the shipped inputs, and what the whole reader then finds: files on disk, read as `check`, preview and `up` read them.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import type { Finding } from "../../../stacks/findings.ts";
import { loadInputs } from "../../../stacks/load.ts";

export const checkout = join(import.meta.dirname, "../../..");

const files = {
  inventory: "environments/lab/inventory.yaml",
  marvin: "environments/lab/lab-kvm.cfg",
  stack: "Pulumi.kvm.yaml",
} as const;
type File = keyof typeof files;
type Change = (text: string) => string;

/** All findings of the stack kvm after a change of its inputs. */
export function findingsOf(changes: Partial<Record<File, Change>>): Finding[] {
  return changed(changes).findings;
}

/** A folder with the inputs of every site and stack, for the time of one action. */
export function inFolder<T>(action: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "testbed-inputs-"));
  try {
    cpSync(join(checkout, "environments"), join(folder, "environments"), { recursive: true });
    for (const name of readdirSync(checkout).filter((one) => /^Pulumi\..+\.yaml$/.test(one)))
      cpSync(join(checkout, name), join(folder, name));
    return action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function changed(changes: Partial<Record<File, Change>>): { findings: Finding[]; texts: Record<string, string> } {
  return inFolder((folder) => {
    const texts: Record<string, string> = {};
    for (const [name, change] of Object.entries(changes) as [File, Change][]) {
      const path = join(folder, files[name]);
      const before = readFileSync(path, "utf8");
      const after = change(before);
      if (after === before) throw new Error(`the change of ${name} changed nothing`);
      writeFileSync(path, after);
      texts[files[name]] = after;
    }
    return { findings: loadInputs(folder, { stack: "kvm" }).findings, texts };
  });
}

/** Replaces the first occurrence; a pattern between slashes is a regular expression. */
export function swap(from: string, to: string): Change {
  const pattern = /^\/(.*)\/$/s.exec(from)?.[1];
  return (text) => (pattern === undefined ? text.replace(from, () => to) : text.replace(new RegExp(pattern), () => to));
}

/**
 * Rows of the form `what is wrong | from => to | codes | text of the reported line`, one a line, as tests. `\n` and `\t` stand for
 * themselves; the codes are all that the change leads to, and the first has to be at the line with the text (default: the new text).
 */
export function rows(file: File, table: string): void {
  const list = table
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  test.each(list)(`${file}: %s`, (row) => {
    const [, edit = "", codes = "", at] = row.split(" | ");
    const plain = (text: string) => text.replaceAll("\\n", "\n").replaceAll("\\t", "\t");
    const [from = "", to = ""] = edit.split(/ => ?/).map(plain);
    const { findings, texts } = changed({ [file]: swap(from, to) });
    expect([...new Set(findings.map((one) => one.code))].sort()).toEqual(codes.trim().split(" ").sort());
    const [first] = codes.trim().split(" ");
    const text = (at ?? to).trim();
    const reported = findings
      .filter((one) => one.code === first)
      .map((one) => texts[one.file]?.split("\n")[one.line - 1] ?? `${one.file}:${one.line}`);
    expect(reported.join("\n")).toContain(text);
    for (const one of findings) expect([one.column > 0, one.why !== "", one.remedy !== ""]).toEqual([true, true, true]);
  });
}
