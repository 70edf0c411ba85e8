import { createHash } from "node:crypto";
import type { Plan } from "./plan.ts";
import type { PlannedInstallation } from "./plan-installation.ts";

/** What several resources of a plan are told alike. */
export function cobblerConnection(plan: Plan) {
  const { url, credential, tlsFingerprint } = plan.driver.cobbler;
  return { server: { url, credential, ...(tlsFingerprint ? { tlsFingerprint } : {}) } };
}

export function driverServer(plan: Plan) {
  return { address: plan.driver.address, ...plan.driver.ssh };
}

/** What every machine is told of its installation, however it is switched. */
export function installationArguments(plan: Plan, machine: PlannedInstallation) {
  const { name, address, mac, profile, os, generation } = machine;
  return {
    name,
    address,
    mac,
    cobbler: cobblerConnection(plan).server,
    system: name,
    profile,
    os,
    generation,
    installs: installs(plan, machine),
    ssh: { user: "root", credential: "hosts" },
    logs: logArguments(plan),
    ...(plan.driver.ntp ? { clock: { driver: driverServer(plan), largestOffsetSeconds: plan.driver.ntp.largestOffsetSeconds } } : {}),
    installSeconds: plan.limits.installSeconds,
    simultaneousInstalls: plan.limits.simultaneousInstalls,
  };
}

/** The logs that tell how far a network boot got. */
function logArguments(plan: Plan) {
  const { dnsmasq, cobbler } = plan.driver;
  return { server: driverServer(plan), dnsmasq: dnsmasq.log, ...(cobbler.accessLog ? { web: cobbler.accessLog } : {}) };
}

/** Everything this stack will touch, claimed at once before anything is. */
export function leaseArguments(plan: Plan) {
  const { hostsDirectory, dhcpHostsDirectory, pidFile } = plan.driver.dnsmasq;
  const names = plan.dnsEntries.map((entry) => entry.name);
  const machines: PlannedInstallation[] = plan.managementServer ? [...plan.machines, plan.managementServer] : plan.machines;
  return {
    server: driverServer(plan),
    cobbler: cobblerConnection(plan).server,
    ...(plan.driver.dns === "dnsmasq" ? { entries: { hostsDirectory, dhcpHostsDirectory, pidFile, names } } : {}),
    claims: [
      ...machines.flatMap((machine) => [`machine/${machine.name}`, `address/${machine.address}`]),
      // A claim is a file's name on the driver.
      ...plan.stores.list.map((store) => `store/${store.server.address}${store.path.replace(/[^\w.-]/g, ":")}`),
    ],
  };
}

/** What a machine gets installed: a change of it re-images exactly the machines concerned. */
export function installs(plan: Plan, machine: PlannedInstallation): string {
  const chosen = plan.profiles.find((one) => one.name === machine.profile);
  const answers = plan.templates.find((one) => one.name === chosen?.template);
  return fingerprint([
    chosen,
    plan.distros.find((one) => one.name === chosen?.distro),
    answers,
    plan.snippets.filter((one) => answers?.snippets.includes(one.name)),
    plan.repos.filter((one) => chosen?.repos.includes(one.name)),
  ]);
}

/**
 * The generation of a store. A new installation of the management server is a new, empty database, which would reuse ids over old
 * content. A host that is installed anew or added to a living cloud is no reason to empty anything.
 */
export function storeGeneration(generation: string, serverToken?: string): string {
  return serverToken === undefined ? generation : `${generation} ${serverToken}`;
}

export function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
