import { cpSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Figure, Sample } from "../figure.ts";
import { enlargeSite } from "../large-site.ts";
import { benchFolder, checkout, run } from "../place.ts";

const HOSTS = 1000;
const folder = join(benchFolder, "large-site");

/** A checkout whose site has 1,000 hosts, all of them in the marvin configuration. */
function makeLargeCheckout(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["cli", "lab", "providers", "runner", "stacks", "environments", "Pulumi.yaml", "Pulumi.kvm.yaml", "package.json"])
    cpSync(join(checkout, name), join(folder, name), { recursive: true });
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
  enlargeSite(join(folder, "environments/lab"), HOSTS);
}

async function check(): Promise<Sample> {
  makeLargeCheckout();
  const { seconds } = await run([join(folder, "cli/testbed.sh"), "check", "--stack", "kvm"], { folder });
  return { value: seconds, parts: {} };
}

export const inputFigures: Figure[] = [
  {
    id: "check",
    what: `\`testbed check\` on a ${HOSTS}-host inventory`,
    unit: "s",
    must: 1.5,
    command: "time .testbed/bench/large-site/cli/testbed.sh check --stack kvm",
    measure: check,
  },
];
