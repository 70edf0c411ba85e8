import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "@jest/globals";
import { stackEnvironment } from "../../cli/environment.ts";
import { cachedEngine } from "../../cli/project.ts";
import { type Lab, labExecArguments } from "../../lab/index.ts";

const checkout = join(import.meta.dirname, "../..");

export interface Outcome {
  status: number;
  output: string;
}

/** The output of a command that has to end well. */
export async function green(run: Promise<Outcome>): Promise<string> {
  const { status, output } = await run;
  expect([status, status === 0 || output]).toEqual([0, true]);
  return output;
}

/** What an `up` or a destroy did to what, like `nfs:Store 10.91.0.1:/srv/nfs/a created`, sorted. */
export function operations(output: string): string[] {
  const rows = output.matchAll(/dynamic[/:](\w+:\w+) (\S+(?: on \S+)?) (created|updated|deleted|replaced)\b/g);
  return [...new Set([...rows].map(([, type, name, what]) => `${type} ${name} ${what}`))].sort();
}

/** The output of a command that has to fail, and to say so in its rows and not by a trace of the program. */
export async function red(run: Promise<Outcome>): Promise<string> {
  const { status, output } = await run;
  expect([status !== 0, /processTicksAndRejections|failed to register/.test(output) && output]).toEqual([true, false]);
  return output;
}

/** A checkout of its own for one test: the code of this one, inputs that may be changed, and a state of its own. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "testbed-project-"));
  readonly environment: NodeJS.ProcessEnv;
  readonly stack: string;
  /** What its operations and previews have printed so far. */
  printed = "";
  readonly #lab: Lab | undefined;

  /** @param options.lab the lab whose namespaces its commands run in; not needed where the test itself runs inside */
  constructor(options: { lab?: Lab; stack?: string } = {}) {
    this.#lab = options.lab;
    this.stack = options.stack ?? "kvm";
    for (const name of ["appliance", "providers", "stacks", "node_modules", "package.json", "Pulumi.yaml"])
      symlinkSync(join(checkout, name), join(this.folder, name));
    cpSync(join(checkout, "environments"), join(this.folder, "environments"), { recursive: true });
    cpSync(join(checkout, this.stackFile), join(this.folder, this.stackFile));
    mkdirSync(join(this.folder, ".testbed/state"), { recursive: true });
    const stack = stackEnvironment({
      projectFolder: this.folder,
      nodeFolder: dirname(process.execPath),
      engineFolder: cachedEngine(),
      machines: 4,
      passphraseFile: join(checkout, "environments/lab/passphrase"),
      // Nothing else of the caller's: its state backend must not become this project's.
      variables: { PATH: process.env.PATH },
    });
    this.environment = { ...process.env, ...stack, NODE_OPTIONS: "" };
  }

  /** Runs the Pulumi CLI; a status other than 0 is part of the result, not an exception. */
  async pulumi(...args: string[]): Promise<Outcome> {
    const command = ["pulumi", ...args, "--non-interactive"];
    const [program = "", ...rest] = this.#lab ? labExecArguments(this.#lab, this.folder, command) : command;
    const outcome = await this.#run(program, rest);
    if (["up", "preview", "refresh", "destroy"].includes(args[0] ?? "")) this.printed += outcome.output;
    return outcome;
  }

  get stackFile(): string {
    return `Pulumi.${this.stack}.yaml`;
  }

  /** Runs our own command line from a copy of it, since it takes the checkout that it lies in for the project. */
  testbed(...words: string[]): Promise<Outcome> {
    for (const name of ["cli", "runner"]) cpSync(join(checkout, name), join(this.folder, name), { recursive: true });
    if (!existsSync(join(this.folder, "lab"))) symlinkSync(join(checkout, "lab"), join(this.folder, "lab"));
    return this.#run(process.execPath, [join(this.folder, "cli/main.ts"), ...words, "--stack", this.stack]);
  }

  #run(program: string, argv: readonly string[]): Promise<Outcome> {
    return new Promise((resolve) => {
      execFile(program, argv, { cwd: this.folder, env: this.environment, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code ?? 1) : 0, output: stdout + stderr });
      });
    });
  }

  init = () => this.pulumi("stack", "init", this.stack);
  up = (...options: string[]) => this.pulumi("up", "--stack", this.stack, "--yes", "--skip-preview", ...options);
  preview = (...options: string[]) => this.pulumi("preview", "--stack", this.stack, ...options);
  refresh = (...options: string[]) => this.pulumi("refresh", "--stack", this.stack, "--yes", "--skip-preview", ...options);
  destroy = () => this.pulumi("destroy", "--stack", this.stack, "--yes", "--skip-preview");

  /** An output of the stack. */
  async output<T>(name: string): Promise<T> {
    return JSON.parse((await this.pulumi("stack", "output", "--stack", this.stack, "--json", name)).output) as T;
  }

  async hosts(): Promise<Record<string, { tokenFingerprint: string; generation: string; hostKey: string }>> {
    const list = await this.output<{ name: string; tokenFingerprint: string; generation: string; hostKey: string }[]>("hosts");
    return Object.fromEntries(list.map((host) => [host.name, host]));
  }

  edit(file: string, change: (text: string) => string): void {
    const path = join(this.folder, file);
    const before = readFileSync(path, "utf8");
    const after = change(before);
    if (after === before) throw new Error(`the change of ${file} changed nothing`);
    writeFileSync(path, after);
  }

  journal(): { operation: string; event: string; type: string; name: string; verdict?: string; phase?: string }[] {
    const text = readFileSync(join(this.folder, `.testbed/${this.stack}/journal.jsonl`), "utf8");
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  state(): string {
    return readFileSync(join(this.folder, `.testbed/state/.pulumi/stacks/cloudstack-testbed/${this.stack}.json`), "utf8");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A checkout of one of the two stacks that share the lab: its hosts, stores and management server are not the other's. */
export async function halfOfLab(stack: "kvm" | "xen"): Promise<Project> {
  const project = new Project({ stack });
  project.edit(project.stackFile, (text) => text.replace(`lab-${stack}.cfg`, `half-${stack}.cfg`));
  await project.init();
  return project;
}
