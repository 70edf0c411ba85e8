// Prints docs/journal.md: node tools/journal.ts >docs/journal.md
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const source = join(import.meta.dirname, "../providers/kernel/journal.ts");

export interface FieldRow {
  name: string;
  type: string;
  /** Whether every line has it. */
  always: boolean;
  description: string;
}

/** The fields of the journal's type, with their doc comments, as they stand in the source. */
export function journalFields(file = source): FieldRow[] {
  const parsed = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const entry = parsed.statements.filter(ts.isInterfaceDeclaration).find((one) => one.name.text === "JournalEntry");
  if (!entry) throw new Error(`${file} has no interface JournalEntry`);
  return entry.members.filter(ts.isPropertySignature).map((member) => ({
    name: member.name.getText(),
    type: member.type?.getText() ?? "",
    always: member.questionToken === undefined,
    description: ts
      .getJSDocCommentsAndTags(member)
      .map((comment) => ts.getTextOfJSDocComment(comment.comment) ?? "")
      .join(" "),
  }));
}

export function journalPage(): string {
  const rows = journalFields().map(
    (field) =>
      `| \`${field.name}\` | ${field.type.replaceAll("|", "\\|")} | ${field.always ? "always" : "sometimes"} | ${field.description} |`,
  );
  return `# The journal

\`.testbed/<stack>/journal.jsonl\` holds what the providers did: one JSON object per line, appended, never changed. (Made by
\`node tools/journal.ts\` from the type in \`providers/kernel/journal.ts\`.)

| field | type | there | meaning |
| --- | --- | --- | --- |
${rows.join("\n")}

Each line is appended by one write. After a kill at most the last line is torn: a reader leaves out a last line that is no JSON, and takes a
\`start\` without an \`end\` as an operation whose process was killed. Times are ISO 8601 in UTC, durations seconds. Secrets of the stack
configuration are replaced by \`[secret]\` before anything is written.

\`\`\`
# the ten longest operations, without their wait for a turn
jq -s 'map(select(.event == "end")) | sort_by(-.seconds) | .[:10] | .[] | [.type, .name, .operation, .seconds, .queuedSeconds]' -c .testbed/kvm/journal.jsonl
\`\`\`
`;
}

if (import.meta.main) process.stdout.write(journalPage());
