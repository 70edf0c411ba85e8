import type { Finding } from "../findings.ts";
import type { Inventory } from "../inventory.ts";
import { didYouMean, type Found, lookup } from "../schema.ts";
import type { Path, Source } from "../sources/index.ts";
import { collector } from "./collect.ts";

/** BMCs crash when they are asked faster than every five seconds; emulated ones do not. */
const REAL_PACING_SECONDS = 5;

/** Whether every name that the inventory uses is defined in it. */
export function checkReferences(inventory: Found<Inventory>, source: Source): Finding[] {
  const { findings, add } = collector();
  const refer = (
    kind: string,
    known: Record<string, unknown> | undefined,
    name: string | undefined,
    path: Path,
    who: string,
    why: string,
  ) => {
    if (!known || name === undefined || lookup(known, name)) return;
    add(source, "TB112", path, {
      what: `${who} ${name}, which is not defined${didYouMean(name, Object.keys(known))}`,
      why,
      remedy: `name one of \`${kind}\`, or define it`,
    });
  };
  for (const [name, profile] of Object.entries(inventory.profiles ?? {})) {
    const path = ["profiles", name];
    refer(
      "distros",
      inventory.distros,
      profile.distro,
      [...path, "distro"],
      `profile ${name} installs the distro`,
      "there is nothing to boot",
    );
    const [kind, why] = ["templates", "the installer would have no answers"];
    refer(kind, inventory.templates, profile.template, [...path, "template"], `profile ${name} uses the template`, why);
    for (const [index, repo] of (profile.repos ?? []).entries())
      refer("repos", inventory.repos ?? {}, repo, [...path, "repos", index], `profile ${name} names the repository`, "cobbler refuses it");
  }
  for (const [name, machine] of Object.entries(inventory.machines ?? {})) {
    const path = ["machines", name, "virtualMachine", "on"];
    refer("xenServers", inventory.xenServers, machine.virtualMachine?.on, path, `${name} is a VM on`, "there is nothing to make the VM on");
  }
  return findings;
}

/** Whether what the site's services need of names and limits is there. */
export function checkServices(inventory: Found<Inventory>, source: Source): Finding[] {
  const { findings, add } = collector();
  const pacing = inventory.limits?.bmcPacingSeconds;
  if (!inventory.embedded && pacing !== undefined && pacing < REAL_PACING_SECONDS)
    add(source, "TB116", ["limits", "bmcPacingSeconds"], {
      severity: "warning",
      what: `BMCs are asked every ${pacing} s`,
      why: `real ones lose commands or crash below ${REAL_PACING_SECONDS} s`,
      remedy: `leave it at ${REAL_PACING_SECONDS} or above`,
    });
  if (!inventory.driver?.puppet) return findings;
  for (const [name, machine] of Object.entries(inventory.machines ?? {})) {
    const path = ["machines", name];
    if (name !== name.toLowerCase())
      add(source, "TB115", path, {
        what: `the name ${name} has capitals`,
        why: "puppet's certificates are for names in lower case: the machine's would never match",
        remedy: `call it ${name.toLowerCase()}`,
      });
    const network = machine.network === undefined ? undefined : lookup(inventory.networks ?? {}, machine.network);
    if (network && network.domain === undefined)
      add(source, "TB115", [...path, "network"], {
        what: `${name} has no full name: its network ${machine.network} has no domain`,
        why: "puppet's certificates are for full names",
        remedy: "give the network its `domain`",
      });
  }
  return findings;
}
