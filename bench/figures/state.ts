import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stackEnvironment } from "../../cli/environment.ts";
import { cachedEngine } from "../../cli/project.ts";
import { type Figure, type Sample, sharedRun } from "../figure.ts";
import { benchFolder, checkout, ensureLab, run } from "../place.ts";

const folder = join(benchFolder, "kvm");

/** Bytes of each resource of stack kvm with four proved light hosts, as the state file holds them. */
const resourceSizes = sharedRun(async (): Promise<number[]> => {
  await ensureLab();
  mkdirSync(join(folder, ".testbed/state"), { recursive: true });
  const environment = {
    ...process.env,
    ...stackEnvironment({
      projectFolder: folder,
      nodeFolder: dirname(process.execPath),
      engineFolder: cachedEngine(),
      machines: 4,
      passphraseFile: join(checkout, "environments/lab/passphrase"),
      variables: { PATH: process.env.PATH },
    }),
  };
  const pulumi = (...words: string[]) => run(["pulumi", ...words, "--stack", "kvm", "--non-interactive"], { environment, inLab: true });
  await pulumi("stack", "select", "--create");
  try {
    await pulumi("up", "--yes", "--skip-preview", "--suppress-outputs");
    const file = join(folder, ".testbed/state/.pulumi/stacks/cloudstack-testbed/kvm.json");
    const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as { checkpoint: { latest: { resources: { custom: boolean }[] } } };
    return checkpoint.latest.resources.filter((one) => one.custom).map((one) => JSON.stringify(one).length);
  } finally {
    await pulumi("destroy", "--yes", "--skip-preview", "--suppress-outputs");
  }
});

async function mean(index: number): Promise<Sample> {
  const sizes = await resourceSizes(index);
  return { value: sizes.reduce((sum, size) => sum + size, 0) / sizes.length / 1024, parts: { resources: sizes.length } };
}

async function largest(index: number): Promise<Sample> {
  const sizes = await resourceSizes(index);
  return { value: Math.max(...sizes) / 1024, parts: { resources: sizes.length } };
}

const command = "testbed exec --stack kvm -- pulumi stack export --stack kvm | jq '.deployment.resources[] | tojson | length'";

export const stateFigures: Figure[] = [
  { id: "state-mean", what: "state per resource, four proved hosts: mean", unit: "KB", must: 8, command, measure: mean },
  { id: "state-largest", what: "state per resource, four proved hosts: largest", unit: "KB", must: 12, command, measure: largest },
];
