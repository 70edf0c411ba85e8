import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseDocument } from "yaml";
import { stackEnvironment } from "../cli/environment.ts";
import { cachedEngine } from "../cli/project.ts";
import { type Lab, type LabSettings, startLab, stopLab } from "../lab/index.ts";
import { type JournalLine, longestChain, type StateResource } from "./chain.ts";
import { benchFolder, checkout, type Run, run } from "./place.ts";

const stackFile = "Pulumi.kvm.yaml";

export interface StackRunOptions {
  /** Of its folder, and of its lab. */
  name: string;
  machines: LabSettings["machines"];
  /** How many machines the stack has: for the environment that `testbed env` would give it. */
  count: number;
  /** Changes the copies of the site's folder and of the stack file. */
  edit?(site: string, stackFile: string): void;
}

export interface ChainedUp {
  seconds: number;
  /** Seconds of its longest chain of operations that wait for each other, without queueing. */
  chain: number;
  peakMegabytes: number;
}

/** Stack kvm in a copy of the checkout, with a lab of its own. */
export class StackRun {
  readonly lab: Lab;
  readonly folder: string;
  readonly #options: StackRunOptions;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(options: StackRunOptions) {
    this.#options = options;
    this.folder = join(benchFolder, options.name);
    const at = (...names: string[]) => join(this.folder, ...names);
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(at(".testbed/state"), { recursive: true });
    for (const name of ["appliance", "node_modules", "package.json", "providers", "stacks", "Pulumi.yaml"])
      symlinkSync(join(checkout, name), at(name));
    cpSync(join(checkout, "environments"), at("environments"), { recursive: true });
    copyFileSync(join(checkout, stackFile), at(stackFile));
    options.edit?.(at("environments/lab"), at(stackFile));
    // A site that is edited is served as it is edited.
    this.lab = { checkout, site: at("environments/lab"), state: join(benchFolder, `${options.name}-lab`) };
    this.#environment = {
      ...process.env,
      ...stackEnvironment({
        projectFolder: this.folder,
        nodeFolder: dirname(process.execPath),
        engineFolder: cachedEngine(),
        machines: options.count,
        passphraseFile: join(checkout, "environments/lab/passphrase"),
        variables: { PATH: process.env.PATH, HOME: process.env.HOME, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME },
      }),
    };
  }

  async begin(): Promise<void> {
    await startLab(this.lab, { machines: this.#options.machines });
    await this.#pulumi("stack", "init");
  }

  async end(): Promise<void> {
    await this.destroy().finally(() => stopLab(this.lab));
  }

  async up(): Promise<ChainedUp> {
    const before = this.#journal().length;
    const { seconds, peakMegabytes } = await this.#pulumi("up", "--yes", "--skip-preview", "--suppress-outputs");
    return { seconds, peakMegabytes, chain: longestChain(this.#resources(), this.#journal().slice(before)) };
  }

  setGeneration(generation: string): void {
    editYaml(join(this.folder, stackFile), (document) => document.setIn(["config", "cloudstack-testbed:generation"], generation));
  }

  readonly destroy = (): Promise<Run> => this.#pulumi("destroy", "--yes", "--skip-preview", "--suppress-outputs");

  #pulumi(...words: string[]): Promise<Run> {
    const argv = ["pulumi", ...words, "--stack", "kvm", "--non-interactive", "--color", "never"];
    return run(argv, { folder: this.folder, environment: this.#environment, inLab: this.lab, watch: "cmd/dynamic-provider" });
  }

  #journal(): JournalLine[] {
    const file = join(this.folder, ".testbed/kvm/journal.jsonl");
    try {
      const text = readFileSync(file, "utf8").trim();
      return text.split("\n").map((line) => JSON.parse(line) as JournalLine);
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return []; // before the first up
      throw error;
    }
  }

  #resources(): StateResource[] {
    const file = join(this.folder, ".testbed/state/.pulumi/stacks/cloudstack-testbed/kvm.json");
    return (JSON.parse(readFileSync(file, "utf8")) as { checkpoint: { latest: { resources: StateResource[] } } }).checkpoint.latest
      .resources;
  }
}

export function editYaml(file: string, edit: (document: ReturnType<typeof parseDocument>) => void): void {
  const document = parseDocument(readFileSync(file, "utf8"));
  edit(document);
  writeFileSync(file, document.toString({ lineWidth: 0 }));
}
