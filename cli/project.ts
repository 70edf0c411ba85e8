import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The checkout that this file belongs to: where Pulumi.yaml is. */
export const projectFolder = dirname(import.meta.dirname);

/** The name in Pulumi.yaml: part of every mark, and the prefix of the configuration's keys. */
export const projectName = "cloudstack-testbed";

/** The release of the Pulumi engine that set-up gets: the one of the SDK in package.json. */
export const engineVersion = sdkVersion();

function sdkVersion(): string {
  const { dependencies } = JSON.parse(readFileSync(join(projectFolder, "package.json"), "utf8"));
  return dependencies["@pulumi/pulumi"] as string;
}

/** Where everything that one stack leaves on this machine is kept. */
export function stackFolder(stack: string): string {
  return join(projectFolder, ".testbed", stack);
}

/** Names of the stacks that have a configuration file. */
export function stackNames(folder = projectFolder): string[] {
  return readdirSync(folder)
    .map((name) => /^Pulumi\.([\w.-]+)\.yaml$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .sort();
}

/** What set-up got and can be got again. */
export function cacheFolder(variables: NodeJS.ProcessEnv = process.env): string {
  return join(variables.XDG_CACHE_HOME || join(variables.HOME || homedir(), ".cache"), "cloudstack-testbed");
}

/** The folder of the engine that set-up put into the cache, if it did. */
export function cachedEngine(variables: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = join(cacheFolder(variables), "pulumi", engineVersion, "bin");
  return existsSync(join(folder, "pulumi")) ? folder : undefined;
}
