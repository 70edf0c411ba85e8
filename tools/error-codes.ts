// Prints docs/error-codes.md: node tools/error-codes.ts >docs/error-codes.md
import { findingCodes } from "../stacks/findings.ts";

export function errorCodesPage(): string {
  const rows = Object.entries(findingCodes).map(([code, { means, remedy }]) => `| ${code} | ${means} | ${remedy} |`);
  return `# Error codes

What \`testbed check\`, every preview and every \`up\` report before anything is touched. Each finding names file, line and column, why it
matters, and how to mend it. (Made by \`node tools/error-codes.ts\`.)

| code | means | remedy |
| --- | --- | --- |
${rows.join("\n")}
`;
}

if (import.meta.main) process.stdout.write(errorCodesPage());
