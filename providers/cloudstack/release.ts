import { session, TestbedError } from "../kernel/index.ts";
import type { CloudStackClient } from "./client.ts";

// What differs between releases 4.11 and the newest, in this one place. Which commands and parameters a server has, it says itself
// (listApis); only what it does not say is told by the number of its release.

interface ApiDescription {
  name: string;
  isasync?: boolean;
  params?: { name: string }[];
}

/** How the server describes a command of its; undefined when it has none of this name. */
function description(client: CloudStackClient, command: string): Promise<ApiDescription | undefined> {
  return session(`${client.identity} command ${command}`, async () => {
    try {
      return (await client.list<ApiDescription>("listApis", "api", { name: command })).find((one) => one.name === command);
    } catch (error) {
      // "unable to find an api by that name" (530), or a command that this account may not use.
      if (error instanceof TestbedError && /^(530|432)/.test(error.code ?? "")) return undefined;
      throw error;
    }
  });
}

/** Whether this server has a command: those of plug-ins and of newer releases it may lack. */
export async function hasCommand(client: CloudStackClient, command: string): Promise<boolean> {
  return (await description(client, command)) !== undefined;
}

/** Whether a command of this server takes a parameter; what it does not know it ignores without a word. */
export async function hasParameter(client: CloudStackClient, command: string, parameter: string): Promise<boolean> {
  return (await description(client, command))?.params?.some((one) => one.name === parameter) ?? false;
}

/** Refuses what this release cannot do, instead of its plain 432. */
export async function requireCommand(client: CloudStackClient, command: string, purpose: string): Promise<void> {
  if (await hasCommand(client, command)) return;
  throw new TestbedError({
    system: client.system,
    object: command,
    kind: "invalid",
    code: "432",
    message: `${purpose} needs the command ${command}, which this server does not have`,
    remedy: "leave it out of the configuration, install the plug-in, or use a release that has it",
  });
}

/** `startip` of a pod is one text up to about 4.10, a list since. */
export function first(value: unknown): string | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  return one === undefined || one === null ? undefined : String(one);
}

/** `vlan://50` in ranges of public addresses, `50` elsewhere; `untagged` where there is none. */
export function vlanOf(value: unknown): string | undefined {
  const plain = String(value ?? "untagged").replace(/^vlan:\/\//, "");
  return plain === "untagged" ? undefined : plain;
}

/** Whether system VMs of this server show the state of their agent; up to about 4.13 only their host rows do. */
export const showsAgentState = (rows: readonly { agentstate?: unknown }[]) => rows.some((one) => one.agentstate !== undefined);
