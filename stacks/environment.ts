import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { host as hostDefinition } from "../providers/baremetal/index.ts";
import { distro, profile, repo, snippet, sync, system, template } from "../providers/cobbler/index.ts";
import { host as dnsEntryDefinition } from "../providers/dnsmasq/index.ts";
import { TestbedResource } from "../providers/kernel/resource.ts";
import { lease } from "../providers/site/index.ts";
import type { Plan } from "./plan.ts";

/** One environment of one hypervisor on one site. */
export class Environment extends pulumi.ComponentResource {
  /** Every proved host: name, address, profile, OS, generation, host key, token fingerprint, phase times. */
  readonly hosts: pulumi.Output<unknown[]>;

  constructor(name: string, args: { plan: Plan }, options?: pulumi.ComponentResourceOptions) {
    super("testbed:index:Environment", name, {}, options);
    const provisioning = new Provisioning(args.plan.site, { plan: args.plan }, { parent: this });
    this.hosts = provisioning.hosts;
    this.registerOutputs({});
  }
}

/** From the claim on the machines to hosts that proved their installation. */
export class Provisioning extends pulumi.ComponentResource {
  readonly hosts: pulumi.Output<unknown[]>;

  constructor(name: string, args: { plan: Plan }, options?: pulumi.ComponentResourceOptions) {
    super("testbed:index:Provisioning", name, {}, options);
    const { plan } = args;
    const claim = new TestbedResource(lease, `${plan.site}-lease`, leaseArguments(plan), { parent: this });
    const installable = this.#installable(plan, claim);
    const names = this.#names(plan, claim);
    this.hosts = pulumi.all(plan.machines.map((machine) => this.#machine(plan, machine, claim, installable, names.get(machine.name))));
    this.registerOutputs({});
  }

  /** Everything cobbler needs before a system can be installed, ending with at most one full sync. */
  #installable(plan: Plan, claim: pulumi.Resource): pulumi.Resource {
    const connection = cobblerConnection(plan);
    const options = { parent: this, dependsOn: [claim] };
    const snippets = new Map(
      plan.snippets.map(({ file, ...one }) => [
        one.name,
        new TestbedResource(snippet, one.name, { ...connection, ...one, source: file }, options),
      ]),
    );
    const templates = plan.templates.map(
      (one) =>
        new TestbedResource(
          template,
          one.name,
          { ...connection, name: one.name, source: one.file, sha256: one.sha256, kind: one.kind },
          // Cobbler does not guard snippets: none goes before the template that includes it.
          { parent: this, dependsOn: [claim, ...one.snippets.flatMap((name) => snippets.get(name) ?? [])] },
        ),
    );
    const repos = plan.repos.map((one) => new TestbedResource(repo, one.name, { ...connection, ...one }, options));
    const distros = plan.distros.map((one) => new TestbedResource(distro, one.name, { ...connection, ...one }, options));
    const profiles = plan.profiles.map(
      (one) =>
        new TestbedResource(
          profile,
          one.name,
          {
            ...connection,
            name: one.name,
            distro: one.distro,
            autoinstall: one.template,
            kernelOptions: one.kernelOptions,
            autoinstallMeta: one.variables,
            repos: one.repos,
          },
          { parent: this, dependsOn: [...templates, ...distros, ...repos] },
        ),
    );
    const digest = fingerprint([plan.templates, plan.distros, plan.profiles, plan.snippets, plan.repos]);
    return new TestbedResource(
      sync,
      `${plan.site}-sync`,
      { ...connection, digest },
      { parent: this, dependsOn: [...templates, ...distros, ...profiles] },
    );
  }

  /** Name and address entries of every machine of the inventory. */
  #names(plan: Plan, claim: pulumi.Resource): Map<string, pulumi.Resource> {
    if (plan.driver.dns !== "dnsmasq") return new Map();
    const systems = new Set(plan.machines.map((machine) => machine.name));
    return new Map(
      plan.dnsEntries.map((entry) => [
        entry.name,
        new TestbedResource(
          dnsEntryDefinition,
          entry.fqdn,
          {
            server: driverServer(plan),
            ...plan.driver.dnsmasq,
            domain: entry.fqdn.slice(entry.name.length + 1),
            name: entry.name,
            mac: entry.mac,
            address: entry.address,
            // No MAC is ever declared twice: cobbler declares its systems itself where it owns DHCP.
            dhcp: plan.driver.dhcp === "dnsmasq" || !systems.has(entry.name),
          },
          { parent: this, dependsOn: [claim] },
        ),
      ]),
    );
  }

  #machine(
    plan: Plan,
    machine: Plan["machines"][number],
    claim: pulumi.Resource,
    installable: pulumi.Resource,
    entry: pulumi.Resource | undefined,
  ) {
    const connection = cobblerConnection(plan);
    const definition = new TestbedResource(
      system,
      machine.name,
      {
        ...connection,
        name: machine.name,
        profile: machine.profile,
        hostname: machine.fqdn,
        gateway: machine.gateway,
        nameServers: machine.nameServers,
        interfaces: [{ name: "eth0", mac: machine.mac, address: machine.address, netmask: machine.netmask, dnsName: machine.fqdn }],
      },
      { parent: this, dependsOn: [claim, installable] },
    );
    const host = new TestbedResource(
      hostDefinition,
      machine.name,
      {
        name: machine.name,
        address: machine.address,
        mac: machine.mac,
        bmc: bmcArguments(plan, machine),
        cobbler: connection.server,
        system: machine.name,
        profile: machine.profile,
        os: machine.os,
        generation: machine.generation,
        installs: fingerprint(installedBy(plan, machine.profile)),
        ssh: { user: "root", credential: "hosts" },
        logs: logArguments(plan),
        installSeconds: plan.limits.installSeconds,
        simultaneousInstalls: plan.limits.simultaneousInstalls,
      },
      { parent: this, dependsOn: [definition, ...(entry ? [entry] : [])] },
    );
    const { name, address, profile, os, generation } = machine;
    const planned = { name, address, profile, os, generation };
    const proof = {
      hostKey: host.output("hostKey"),
      tokenFingerprint: host.output("tokenFingerprint"),
      phases: host.output("phases"),
    };
    // A host that failed is an output like the others, so that the program ends without a trace below that host's own error.
    return pulumi.recover(pulumi.output<object>({ ...planned, ...proof }), () => ({ ...planned, failed: true }));
  }
}

function cobblerConnection(plan: Plan) {
  const { url, credential, tlsFingerprint } = plan.driver.cobbler;
  return { server: { url, credential, ...(tlsFingerprint ? { tlsFingerprint } : {}) } };
}

function driverServer(plan: Plan) {
  return { address: plan.driver.address, ...plan.driver.ssh };
}

function bmcArguments(plan: Plan, machine: Plan["machines"][number]) {
  const { via, ...bmc } = machine.bmc;
  return via === "driver" ? { ...bmc, via: driverServer(plan) } : bmc;
}

/** The logs that tell how far a network boot got. */
function logArguments(plan: Plan) {
  const { dnsmasq, cobbler } = plan.driver;
  return { server: driverServer(plan), dnsmasq: dnsmasq.log, ...(cobbler.accessLog ? { web: cobbler.accessLog } : {}) };
}

/** Everything this stack will touch, claimed at once before anything is. */
function leaseArguments(plan: Plan) {
  const { hostsDirectory, dhcpHostsDirectory, pidFile } = plan.driver.dnsmasq;
  const names = plan.dnsEntries.map((entry) => entry.name);
  return {
    server: driverServer(plan),
    cobbler: cobblerConnection(plan).server,
    ...(plan.driver.dns === "dnsmasq" ? { entries: { hostsDirectory, dhcpHostsDirectory, pidFile, names } } : {}),
    claims: plan.machines.flatMap((machine) => [`machine/${machine.name}`, `address/${machine.address}`]),
  };
}

/** What a machine of this profile gets installed: a change of it re-images exactly the machines concerned. */
function installedBy(plan: Plan, name: string) {
  const chosen = plan.profiles.find((one) => one.name === name);
  const answers = plan.templates.find((one) => one.name === chosen?.template);
  return [
    chosen,
    plan.distros.find((one) => one.name === chosen?.distro),
    answers,
    plan.snippets.filter((one) => answers?.snippets.includes(one.name)),
    plan.repos.filter((one) => chosen?.repos.includes(one.name)),
  ];
}

function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
