import * as pulumi from "@pulumi/pulumi";
import { host } from "../providers/baremetal/index.ts";
import { distro, profile, repo, snippet, sync, system, template } from "../providers/cobbler/index.ts";
import { host as dnsEntryDefinition } from "../providers/dnsmasq/index.ts";
import { TestbedResource } from "../providers/kernel/resource.ts";
import { certificate } from "../providers/puppet/index.ts";
import { lease } from "../providers/site/index.ts";
import { virtualMachine } from "../providers/xenserver/index.ts";
import { cobblerConnection, driverServer, fingerprint, installationArguments, installs, leaseArguments } from "./arguments.ts";
import type { Plan, PlannedMachine } from "./plan.ts";
import type { PlannedManagementServer } from "./plan-cloud.ts";
import type { PlannedInstallation } from "./plan-installation.ts";

/** A machine that runs the wanted installation, and how it proved that. */
export interface InstalledMachine {
  planned: PlannedInstallation;
  resource: pulumi.Resource;
  hostKey: pulumi.Output<string>;
  tokenFingerprint: pulumi.Output<string>;
  phases: pulumi.Output<unknown[]>;
}

/** From the claim on the machines to hosts that proved their installation. */
export class Provisioning extends pulumi.ComponentResource {
  readonly claim: pulumi.Resource;
  /** The hosts, in the order of the marvin configuration. */
  readonly hosts: InstalledMachine[];
  readonly managementServer: InstalledMachine | undefined;

  constructor(name: string, args: { plan: Plan }, options?: pulumi.ComponentResourceOptions) {
    super("testbed:index:Provisioning", name, {}, options);
    const { plan } = args;
    this.claim = new TestbedResource(lease, `${plan.site}-lease`, leaseArguments(plan), { parent: this });
    const installable = this.#installable(plan, this.claim);
    const names = this.#names(plan, this.claim);
    const needs = (machine: PlannedInstallation) => [this.claim, installable, ...(names.get(machine.name) ?? [])];
    this.hosts = plan.machines.map((machine) => this.#machine(plan, machine, needs(machine)));
    const server = plan.managementServer;
    this.managementServer = server && this.#machine(plan, server, needs(server));
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
  #names(plan: Plan, claim: pulumi.Resource): Map<string, pulumi.Resource[]> {
    if (plan.driver.dns !== "dnsmasq") return new Map();
    return new Map(
      plan.dnsEntries.map((entry) => [
        entry.name,
        [
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
              // No MAC is ever declared twice: where cobbler owns DHCP it declares its systems itself, those of other stacks among them.
              dhcp: plan.driver.dhcp === "dnsmasq" || !entry.installable,
            },
            { parent: this, dependsOn: [claim] },
          ),
        ],
      ]),
    );
  }

  /** Cobbler's system and the machine itself, which is installed as soon as all that it needs is there. */
  #machine(plan: Plan, machine: PlannedInstallation, needs: readonly pulumi.Resource[]): InstalledMachine {
    const definition = new TestbedResource(
      system,
      machine.name,
      {
        ...cobblerConnection(plan),
        name: machine.name,
        profile: machine.profile,
        hostname: machine.fqdn,
        gateway: machine.gateway,
        nameServers: machine.nameServers,
        interfaces: [{ name: "eth0", mac: machine.mac, address: machine.address, netmask: machine.netmask, dnsName: machine.fqdn }],
      },
      { parent: this, dependsOn: [...needs] },
    );
    const options = { parent: this, dependsOn: [definition, ...needs, ...this.#certificate(plan, machine, needs)] };
    const args = installationArguments(plan, machine);
    const resource = isServer(machine)
      ? new TestbedResource(virtualMachine, machine.name, { ...args, ...machine.virtualMachine, firmware: machine.firmware }, options)
      : new TestbedResource(host, machine.name, { ...args, bmc: bmcArguments(plan, machine as PlannedMachine) }, options);
    return {
      planned: machine,
      resource,
      hostKey: resource.output("hostKey"),
      tokenFingerprint: resource.output("tokenFingerprint"),
      phases: resource.output("phases"),
    };
  }

  /** Cleaned before the machine returns with a new key; only where the driver is a puppet master. */
  #certificate(plan: Plan, machine: PlannedInstallation, needs: readonly pulumi.Resource[]): pulumi.Resource[] {
    if (!plan.driver.puppet) return [];
    const args = {
      server: driverServer(plan),
      master: plan.driverFqdn,
      certname: machine.fqdn,
      generation: machine.generation,
      installs: installs(plan, machine),
    };
    return [new TestbedResource(certificate, machine.fqdn, args, { parent: this, dependsOn: [...needs] })];
  }
}

function isServer(machine: PlannedInstallation): machine is PlannedManagementServer {
  return "virtualMachine" in machine;
}

function bmcArguments(plan: Plan, machine: PlannedMachine) {
  const { via, ...bmc } = machine.bmc;
  return via === "driver" ? { ...bmc, via: driverServer(plan) } : bmc;
}
