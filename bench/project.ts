import { copyFileSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stackEnvironment } from "../cli/environment.ts";
import { cachedEngine } from "../cli/project.ts";
import { benchFolder, checkout, type Run, run } from "./place.ts";

export type Kind = "empty" | "systems" | "entries";

/** A Pulumi project with the benchmark's program, a state of its own, and the environment that `testbed env` would give it. */
export class BenchProject {
  readonly folder: string;
  readonly kind: Kind;
  readonly count: number;
  readonly #environment: NodeJS.ProcessEnv;

  /** @param machines decides about checkpoints and parallelism, as the inventory's machines do */
  constructor(kind: Kind, count: number, machines: number) {
    this.kind = kind;
    this.count = count;
    this.folder = join(benchFolder, `${kind}-${count}`);
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(join(this.folder, ".testbed/state"), { recursive: true });
    for (const name of ["node_modules", "environments"]) symlinkSync(join(checkout, name), join(this.folder, name));
    // A copy: the provider process resolves ./providers from its folder, and what an empty project finds there is something else.
    cpSync(join(checkout, "bench"), join(this.folder, "bench"), { recursive: true });
    cpSync(join(checkout, "providers"), join(this.folder, "providers"), { recursive: true });
    if (kind === "empty") copyFileSync(join(checkout, "bench/empty/providers/runtime.ts"), join(this.folder, "providers/runtime.ts"));
    copyFileSync(join(checkout, "lab/keys/driver_host_ed25519.pub"), join(this.folder, "bench/driver-host-key.pub"));
    writeFileSync(join(this.folder, "package.json"), JSON.stringify({ name: "bench", type: "module", main: "bench/program.ts" }));
    copyFileSync(join(checkout, "Pulumi.yaml"), join(this.folder, "Pulumi.yaml"));
    // The lab's own configuration: its credentials, and a salt that fits its passphrase.
    copyFileSync(join(checkout, "Pulumi.kvm.yaml"), join(this.folder, "Pulumi.bench.yaml"));
    this.#environment = {
      ...process.env,
      ...stackEnvironment({
        projectFolder: this.folder,
        nodeFolder: dirname(process.execPath),
        engineFolder: cachedEngine(),
        machines,
        passphraseFile: join(checkout, "environments/lab/passphrase"),
        variables: { PATH: process.env.PATH },
      }),
      BENCH_KIND: kind,
      BENCH_COUNT: String(count),
    };
  }

  async init(): Promise<void> {
    await this.#pulumi("stack", "init", "bench");
  }

  readonly up = (): Promise<Run> => this.#pulumi("up", "--stack", "bench", "--yes", "--skip-preview", "--suppress-outputs");
  readonly preview = (): Promise<Run> => this.#pulumi("preview", "--stack", "bench", "--expect-no-changes", "--suppress-outputs");
  readonly destroy = (): Promise<Run> => this.#pulumi("destroy", "--stack", "bench", "--yes", "--skip-preview", "--suppress-outputs");

  #pulumi(...words: string[]): Promise<Run> {
    return run(["pulumi", ...words, "--non-interactive", "--color", "never"], {
      folder: this.folder,
      environment: this.#environment,
      inLab: true,
      watch: "cmd/dynamic-provider",
    });
  }
}

/** A project that has been up; destroyed again whatever happens, so that the next measurement finds the site as it was. */
export async function withUp<T>(project: BenchProject, measure: (up: Run) => Promise<T>): Promise<T> {
  await project.init();
  try {
    return await measure(await project.up());
  } finally {
    await project.destroy();
  }
}
