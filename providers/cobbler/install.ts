import { type Context, markText, TestbedError } from "../kernel/index.ts";
import { CobblerClient, type Item } from "./client.ts";
import { isOurs, isUnfinished, markedComment, markOf } from "./comment.ts";
import type { CobblerConnection } from "./connection.ts";
import { textRecord } from "./fields.ts";
import { checkKickstart } from "./kickstart.ts";
import { templateKind } from "./template.ts";

/** The answer-file variables that one installation brings along. */
export const installVariables: readonly string[] = ["install_token", "install_generation", "install_password"];

export interface InstallState {
  /** Whether the next network boot starts the installer; cobbler switches it off at the end of an installation. */
  netbootEnabled: boolean;
  token: string;
  generation: string;
  /** Seconds since the epoch; undefined where the machine has not reported. */
  started?: number;
  finished?: number;
}

async function ownSystem(context: Context, client: CobblerClient, name: string): Promise<Item> {
  const item = await client.get("system", name);
  if (!item) {
    throw new TestbedError({
      system: client.system,
      object: `system ${name}`,
      kind: "invalid",
      code: "missing",
      message: "does not exist",
      remedy: "run `pulumi refresh`, then `pulumi up`",
    });
  }
  const mark = markOf(item);
  if (!isOurs(item, context.mark)) {
    throw new TestbedError({
      system: client.system,
      object: `system ${name}`,
      kind: "conflict",
      code: "foreign",
      message: mark ? `belongs to ${markText(mark)}` : "carries nobody's mark",
      remedy: "nothing was installed",
    });
  }
  return item;
}

/** What one installation tells its answer file. */
export interface InstallVariables {
  token: string;
  generation: string;
  /** root's, as crypt(3) hash. */
  passwordHash: string;
}

/** Arms the next network boot of a system of ours: one save for netboot and the answer file's variables. */
export async function beginInstall(
  context: Context,
  connection: CobblerConnection,
  system: string,
  { token, generation, passwordHash }: InstallVariables,
): Promise<void> {
  const client = new CobblerClient(context, connection);
  const item = await ownSystem(context, client, system);
  const variables = { install_token: token, install_generation: generation, install_password: passwordHash };
  const meta = { ...textRecord(item.autoinstall_meta), ...variables };
  const comment = markedComment("system", item, context.mark);
  await client.save("system", system, Object.entries({ comment, autoinstall_meta: meta, netboot_enabled: true }), "edit");
}

/** Whether every save of a system restarts the DHCP server, and with it whatever else that process serves. */
export async function restartsDhcp(context: Context, connection: CobblerConnection): Promise<boolean> {
  const { manage_dhcp: manages, restart_dhcp: restarts } = await new CobblerClient(context, connection).settings();
  return Boolean(manages) && Boolean(restarts);
}

/** Makes the next network boot start the disk. False when the system belongs to somebody else by now, and nothing was done. */
export async function endInstall(context: Context, connection: CobblerConnection, system: string): Promise<boolean> {
  const client = new CobblerClient(context, connection);
  const item = await client.get("system", system);
  if (!item) return true;
  if (!isOurs(item, context.mark)) return false;
  // Unfinished: cobbler has the flag off, but the machine's boot files may still start the installer.
  if (item.netboot_enabled === true || isUnfinished(item, context.mark)) {
    const comment = markedComment("system", item, context.mark);
    await client.save("system", system, Object.entries({ comment, netboot_enabled: false }), "edit");
  }
  return true;
}

/**
 * The answer file as the machine will get it. A broken template (code `template-error`) and a kickstart that pykickstart
 * refuses (`kickstart-invalid`) are errors here, before any machine boots.
 */
export async function renderAnswerFile(context: Context, connection: CobblerConnection, system: string): Promise<string> {
  const client = new CobblerClient(context, connection);
  const text = await client.renderAnswerFile(system);
  const at = { system: client.system, object: `answer file of ${system}` };
  // Cobbler's whole answer then begins so; an answer file of ours may well contain the words further down.
  if (text.startsWith("# This automatic OS installation file had errors")) {
    throw new TestbedError({
      ...at,
      kind: "invalid",
      code: "template-error",
      message: text.trim().split("\n").slice(0, 6).join(" / "),
      remedy: "correct the template in the site's folder",
    });
  }
  const { breed, os_version: osVersion, autoinstall } = await client.blended(system);
  if (breed === "redhat" && (await isKickstart(client, String(autoinstall)))) await checkKickstart(context, text, String(osVersion), at);
  return text;
}

/** A template of ours says what it is; any other is what its distro's installer reads. */
async function isKickstart(client: CobblerClient, template: string): Promise<boolean> {
  const kind = templateKind((await client.readText("template", template)) ?? "");
  return kind === undefined || kind === "kickstart";
}

export async function installState(context: Context, connection: CobblerConnection, system: string): Promise<InstallState | undefined> {
  const client = new CobblerClient(context, connection);
  const item = await client.get("system", system);
  if (!item) return undefined;
  const meta = textRecord(item.autoinstall_meta);
  const entry = Object.values(await client.installStatus()).find((row) => row[2] === `system:${system}`);
  // -1 is cobbler's "never".
  const time = (value: unknown) => (typeof value === "number" && value > 0 ? value : undefined);
  const [started, finished] = [time(entry?.[0]), time(entry?.[1])];
  return {
    netbootEnabled: item.netboot_enabled === true,
    token: meta.install_token ?? "",
    generation: meta.install_generation ?? "",
    ...(started === undefined ? {} : { started }),
    ...(finished === undefined ? {} : { finished }),
  };
}
