import { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { jest } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime/index.js";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";

/** A resource as the program registers it with the engine. */
export interface Registered {
  /** `cobbler:System h11`; components and resources alike. */
  label: string;
  parent: string;
  dependsOn: string[];
  deletedWith: string;
  secretOutputs: string[];
  inputs: Record<string, unknown>;
}

export interface ProgramRun {
  resources: Registered[];
  /** The stack's outputs, resolved. */
  outputs: Record<string, unknown>;
  /** Why the program refused to run. */
  error: string | undefined;
  warnings: string[];
  /** Connections and processes that were begun meanwhile. */
  remote: string[];
}

/** What the engine would know of an object once it is made. */
const made = {
  hostKey: "ssh-ed25519 A",
  tokenFingerprint: "fp",
  phases: [],
  staged: "/srv/staged",
  seenRelease: "4.20.3.0",
  url: "http://server:8080",
};

/** Runs stacks/index.ts against Pulumi's mocks, with this folder as the project. */
export async function runProgram(folder: string, stack: string): Promise<ProgramRun> {
  const before = {
    folder: process.cwd(),
    listeners: process.listeners("unhandledRejection"),
    variables: { PULUMI_BACKEND_URL: process.env.PULUMI_BACKEND_URL, PULUMI_PARALLEL: process.env.PULUMI_PARALLEL },
  };
  const remote: string[] = [];
  const warnings: string[] = [];
  const spies = [
    jest.spyOn(console, "warn").mockImplementation((text) => void warnings.push(String(text))),
    jest.spyOn(Socket.prototype, "connect").mockImplementation((...args: unknown[]) => {
      remote.push(`connection to ${JSON.stringify(args)}`);
      throw new Error("the program opened a connection");
    }),
    // biome-ignore lint/suspicious/noExplicitAny: Node does not type the method that all its functions start processes with
    jest.spyOn(ChildProcess.prototype as any, "spawn").mockImplementation((options) => {
      remote.push(`process ${JSON.stringify(options)}`);
      throw new Error("the program started a process");
    }),
  ];
  process.chdir(folder);
  Object.assign(process.env, { PULUMI_BACKEND_URL: "file:///nowhere", PULUMI_PARALLEL: "32" });
  try {
    return { ...(await evaluate(stack)), warnings, remote };
  } finally {
    process.chdir(before.folder);
    for (const [name, value] of Object.entries(before.variables)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    for (const spy of spies) spy.mockRestore();
    for (const listener of process.listeners("unhandledRejection"))
      if (!before.listeners.includes(listener)) process.off("unhandledRejection", listener);
  }
}

let runs = 0;

async function evaluate(stack: string): Promise<Omit<ProgramRun, "remote" | "warnings">> {
  const registered = jest.spyOn(MockMonitor.prototype, "registerResource");
  await pulumi.runtime.setMocks(
    { call: () => ({}), newResource: ({ name, inputs }: MockResourceArgs) => ({ id: name, state: { ...made, ...inputs } }) },
    "cloudstack-testbed",
    stack,
  );
  const outputs: Record<string, unknown> = {};
  let error: string | undefined;
  try {
    // Each run is another evaluation of the program's module.
    const program = (await import(`../../stacks/index.ts?run=${++runs}`)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(program)) outputs[name] = await resolved(pulumi.output(value));
  } catch (thrown) {
    if (!pulumi.RunError.isInstance(thrown)) throw thrown;
    error = thrown.message;
  }
  await pulumi.runtime.disconnect();
  const resources = registered.mock.calls.map(([request]) => describe(request));
  registered.mockRestore();
  return { resources, outputs, error };
}

function resolved<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** The parts of the engine's RPC message that are looked at here. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getObject(): Parameters<typeof pulumi.runtime.deserializeProperties>[0];
  getDependenciesList(): string[];
  getDeletedwith(): string;
  getAdditionalsecretoutputsList(): string[];
}

function describe(request: Request): Registered {
  return {
    label: labelOf(request.getType(), request.getName()),
    parent: labelOfUrn(request.getParent()),
    dependsOn: request.getDependenciesList().map(labelOfUrn),
    deletedWith: labelOfUrn(request.getDeletedwith()),
    secretOutputs: request.getAdditionalsecretoutputsList(),
    inputs: pulumi.runtime.deserializeProperties(request.getObject()),
  };
}

const labelOf = (type: string, name: string) => `${type.replace("pulumi-nodejs:dynamic/", "").replace("testbed:index:", "")} ${name}`;

function labelOfUrn(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  return urn && labelOf(types.split("$").at(-1) ?? "", name.join("::"));
}
