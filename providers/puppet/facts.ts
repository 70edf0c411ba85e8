import { type Context, TestbedError } from "../kernel/index.ts";
import { type Node, runOnNode } from "./node.ts";

/** External facts: facter of every release from 1.7 on reads this folder, and no installation of puppet owns it. */
const FACTS = `
set -eu
umask 022
mkdir -p /etc/facter/facts.d
cat >/etc/facter/facts.d/.testbed.new
mv /etc/facter/facts.d/.testbed.new /etc/facter/facts.d/testbed.txt
`;

/** Where roles find the credentials they need: `<name>/<field>`, for root only, and never in a catalog, a fact or a report. */
const CREDENTIAL = `
set -eu
umask 077
folder=/etc/cloudstack-testbed/credentials/$1
mkdir -p "$folder"
cat >"$folder/.$2.new"
mv "$folder/.$2.new" "$folder/$2"
`;

/** Tells the machine its role: facts for the site's manifest, credentials beside. */
export async function writeFacts(
  context: Context,
  node: Node,
  role: string,
  parameters: Readonly<Record<string, string>>,
  credentials: readonly string[],
): Promise<void> {
  for (const name of credentials) {
    for (const [field, value] of Object.entries(context.credential(name))) {
      if (!/^[A-Za-z0-9_-]+$/.test(field)) throw badField(name, field);
      // By standard input: arguments are visible to everybody on the machine.
      await runOnNode(context, node, `credential ${name}`, CREDENTIAL, [name, field], { stdin: value });
    }
  }
  const facts = Object.entries(parameters).sort(([a], [b]) => a.localeCompare(b));
  const lines = [["role", role] as const, ...facts].map(([name, value]) => `testbed_${name}=${value}\n`);
  await runOnNode(context, node, "facts", FACTS, [], { stdin: lines.join("") });
}

function badField(name: string, field: string): TestbedError {
  return new TestbedError({
    system: "the stack configuration",
    object: `credential ${name}`,
    kind: "invalid",
    message: `has a field ${JSON.stringify(field)}, which cannot be the name of a file`,
    remedy: "use letters, digits, _ and - only",
  });
}
