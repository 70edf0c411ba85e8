import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseDocument } from "yaml";
import { stackEnvironment } from "../cli/environment.ts";
import { cachedEngine } from "../cli/project.ts";
import { type Lab, startLab, stopLab } from "../lab/index.ts";
import { benchFolder, checkout, type Run, run } from "./place.ts";

/** A lab of its own, whose machines really boot. */
const lab: Lab = { checkout, site: "lab", state: join(benchFolder, "qemu-lab") };
/** The numbers of the four machines: h11 has the address 10.91.0.11. */
const MACHINES = ["11", "12", "13", "14"];
const stackFile = "Pulumi.kvm.yaml";

interface StateResource {
  urn: string;
  dependencies?: string[];
}

interface JournalLine {
  urn: string;
  event: string;
  seconds?: number;
}

/** Stack kvm with its four hosts and nothing that comes after them: no stores, no puppet, no management server. */
export class Installs {
  readonly #folder = join(benchFolder, "installs");
  readonly #environment: NodeJS.ProcessEnv;

  constructor() {
    const at = (...names: string[]) => join(this.#folder, ...names);
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(at(".testbed/state"), { recursive: true });
    for (const name of ["appliance", "node_modules", "package.json", "providers", "stacks", "Pulumi.yaml"])
      symlinkSync(join(checkout, name), at(name));
    cpSync(join(checkout, "environments"), at("environments"), { recursive: true });
    editMarvin(at("environments/lab/lab-kvm.cfg"));
    editYaml(at("environments/lab/inventory.yaml"), (document) => document.deleteIn(["driver", "puppet"]));
    copyFileSync(join(checkout, stackFile), at(stackFile));
    editYaml(at(stackFile), (document) => document.deleteIn(["config", "cloudstack-testbed:managementServer"]));
    // ssh takes no key that others may read, and git keeps no such modes.
    writeFileSync(at("key"), readFileSync(join(checkout, "lab/keys/id_ed25519")), { mode: 0o600 });
    this.#environment = {
      ...process.env,
      ...stackEnvironment({
        projectFolder: this.#folder,
        nodeFolder: dirname(process.execPath),
        engineFolder: cachedEngine(),
        machines: MACHINES.length,
        passphraseFile: join(checkout, "environments/lab/passphrase"),
        variables: { PATH: process.env.PATH, HOME: process.env.HOME, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME },
      }),
    };
  }

  /** Starts the lab, installs the machines once, and takes `measure`'s result; afterwards everything is gone again. */
  async within<T>(measure: () => Promise<T>): Promise<T> {
    await startLab(lab, { machines: "qemu" });
    try {
      await this.#pulumi("stack", "init");
      await this.up();
      return await measure();
    } finally {
      await this.#pulumi("destroy", "--yes", "--skip-preview", "--suppress-outputs").finally(() => stopLab(lab));
    }
  }

  readonly up = (): Promise<Run> => this.#pulumi("up", "--yes", "--skip-preview", "--suppress-outputs");

  /** `up` of a new generation, and the seconds of its longest chain of operations that wait for each other, without queueing. */
  async newGeneration(generation: string): Promise<{ seconds: number; chain: number }> {
    editYaml(join(this.#folder, stackFile), (document) => document.setIn(["config", "cloudstack-testbed:generation"], generation));
    const before = this.#journal().length;
    const { seconds } = await this.up();
    return { seconds, chain: longestChain(this.#resources(), this.#journal().slice(before)) };
  }

  /** The same installs by the bare script: seconds. */
  async bare(): Promise<number> {
    const script = join(checkout, "bench/baseline/install.sh");
    return (await run(["sh", script, join(this.#folder, "key"), ...MACHINES], { inLab: lab, limitSeconds: 900 })).seconds;
  }

  #pulumi(...words: string[]): Promise<Run> {
    const argv = ["pulumi", ...words, "--stack", "kvm", "--non-interactive", "--color", "never"];
    return run(argv, { folder: this.#folder, environment: this.#environment, inLab: lab });
  }

  #journal(): JournalLine[] {
    const text = readFileSync(join(this.#folder, ".testbed/kvm/journal.jsonl"), "utf8").trim();
    return text.split("\n").map((line) => JSON.parse(line) as JournalLine);
  }

  #resources(): StateResource[] {
    const file = join(this.#folder, ".testbed/state/.pulumi/stacks/cloudstack-testbed/kvm.json");
    return (JSON.parse(readFileSync(file, "utf8")) as { checkpoint: { latest: { resources: StateResource[] } } }).checkpoint.latest
      .resources;
  }
}

function longestChain(resources: readonly StateResource[], journal: readonly JournalLine[]): number {
  const own = new Map<string, number>();
  for (const { urn, event, seconds } of journal) if (event === "end") own.set(urn, (own.get(urn) ?? 0) + (seconds ?? 0));
  const dependencies = new Map(resources.map((one) => [one.urn, one.dependencies ?? []]));
  const ends = new Map<string, number>();
  const end = (urn: string): number => {
    const known = ends.get(urn);
    if (known !== undefined) return known;
    const value = (own.get(urn) ?? 0) + Math.max(0, ...(dependencies.get(urn) ?? []).map(end));
    ends.set(urn, value);
    return value;
  };
  return Math.max(0, ...resources.map((one) => end(one.urn)));
}

function editYaml(file: string, edit: (document: ReturnType<typeof parseDocument>) => void): void {
  const document = parseDocument(readFileSync(file, "utf8"));
  edit(document);
  writeFileSync(file, document.toString({ lineWidth: 0 }));
}

interface MarvinPart {
  zones: { secondaryStorages?: unknown; pods: { clusters: { primaryStorages?: unknown }[] }[] }[];
}

function editMarvin(file: string): void {
  const marvin = JSON.parse(readFileSync(file, "utf8").replaceAll(/^\s*#.*$/gm, "")) as MarvinPart;
  for (const zone of marvin.zones) {
    delete zone.secondaryStorages;
    for (const cluster of zone.pods.flatMap((pod) => pod.clusters)) delete cluster.primaryStorages;
  }
  writeFileSync(file, JSON.stringify(marvin, undefined, 2));
}
