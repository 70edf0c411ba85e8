import { delimiter, join } from "node:path";
import { cacheFolder } from "./project.ts";

export interface EnvironmentRequest {
  /** The checkout. */
  projectFolder: string;
  /** The folder of the Node that runs this: first on PATH, since the engine starts `node` by name. */
  nodeFolder: string;
  /** The folder of the engine that set-up got; absent when the one on PATH serves. */
  engineFolder: string | undefined;
  machines: number;
  /** The site's own passphrase file (embedded sites only). */
  passphraseFile: string | undefined;
  /** The variables of the caller. What it has already decided is kept. */
  variables: Readonly<Record<string, string | undefined>>;
}

/** Above this many resources each checkpoint costs more than it saves (the file backend rewrites the whole state). */
const checkpointLimit = 300;

/** Resources per machine (name entry, system, host) and around them (lease, answer files, distros, profiles, sync). */
const resourcesPerMachine = 3;
const resourcesPerSite = 20;

/** The variables that a command on this stack needs, beyond what the caller has. Pure. */
export function stackEnvironment(request: EnvironmentRequest): Record<string, string> {
  const { variables, projectFolder } = request;
  const keep = (name: string, value: string) => variables[name] || value;
  const result: Record<string, string> = {
    PATH: pathOf(request),
    PULUMI_HOME: keep("PULUMI_HOME", join(projectFolder, ".testbed", "pulumi-home")),
    PULUMI_BACKEND_URL: keep("PULUMI_BACKEND_URL", `file://${join(projectFolder, ".testbed", "state")}`),
    // A machine that installs holds one of the engine's slots for minutes.
    PULUMI_PARALLEL: keep("PULUMI_PARALLEL", String(Math.max(32, request.machines + 16))),
    PULUMI_CONTINUE_ON_ERROR: keep("PULUMI_CONTINUE_ON_ERROR", "true"),
    // Program and provider process start in half the time.
    NODE_COMPILE_CACHE: keep("NODE_COMPILE_CACHE", join(cacheFolder(variables), "node")),
    NODE_OPTIONS: nodeOptions(variables.NODE_OPTIONS),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DISABLE_REGISTRY_RESOLVE: "true",
  };
  if (request.passphraseFile && !variables.PULUMI_CONFIG_PASSPHRASE && !variables.PULUMI_CONFIG_PASSPHRASE_FILE) {
    result.PULUMI_CONFIG_PASSPHRASE_FILE = request.passphraseFile;
  }
  if (request.machines * resourcesPerMachine + resourcesPerSite > checkpointLimit) {
    result.PULUMI_EXPERIMENTAL = keep("PULUMI_EXPERIMENTAL", "true");
    result.PULUMI_SKIP_CHECKPOINTS = keep("PULUMI_SKIP_CHECKPOINTS", "true");
  }
  return result;
}

/**
 * V8 lets its space for young objects grow to 3 x 16 MB and collects late: with the requests of a thousand resources in flight the
 * provider process takes a quarter less memory with 3 x 4 MB, in the same time.
 */
const youngSpace = "--max-semi-space-size";

function nodeOptions(given = ""): string {
  if (given.includes(youngSpace)) return given;
  return `${given} ${youngSpace}=4`.trim();
}

function pathOf({ nodeFolder, engineFolder, projectFolder, variables }: EnvironmentRequest): string {
  const ours = [nodeFolder, engineFolder, join(projectFolder, "node_modules", ".bin")].filter((folder) => folder !== undefined);
  const theirs = (variables.PATH ?? "").split(delimiter).filter((folder) => folder !== "" && !ours.includes(folder));
  return [...ours, ...theirs].join(delimiter);
}
