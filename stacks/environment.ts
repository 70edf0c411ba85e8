import * as pulumi from "@pulumi/pulumi";
import { managementServer } from "../providers/cloudstack/index.ts";
import { TestbedResource } from "../providers/kernel/resource.ts";
import type { Plan } from "./plan.ts";
import { type InstalledMachine, Provisioning } from "./provisioning.ts";
import { Roles } from "./roles.ts";
import { Storage } from "./storage.ts";

/**
 * One environment of one hypervisor on one site: machines are claimed, installed and proved; stores are emptied once no old installation
 * is left that could use them; puppet brings machines to their roles; the management server answers. Each begins as soon as what it
 * needs is there.
 */
export class Environment extends pulumi.ComponentResource {
  /** Every proved host: name, address, profile, OS, generation, host key, token fingerprint, phase times. */
  readonly hosts: pulumi.Output<unknown[]>;
  /** The same of the management server, with its release, API and log; undefined where the stack has none. */
  readonly managementServer: pulumi.Output<unknown> | undefined;

  constructor(name: string, args: { plan: Plan }, options?: pulumi.ComponentResourceOptions) {
    super("testbed:index:Environment", name, {}, options);
    const { plan } = args;
    const provisioning = new Provisioning(plan.site, { plan }, { parent: this });
    const { claim, hosts, managementServer: server } = provisioning;
    const machines = server ? [...hosts, server] : hosts;
    const storage = new Storage(plan.site, { plan, claim, machines }, { parent: this });
    const roles = new Roles(plan.site, { plan, claim, machines }, { parent: this });
    this.hosts = pulumi.all(hosts.map((host) => proof(host)));
    this.managementServer = server && this.#managementServer(plan, server, [...storage.stores, ...roles.of(server)]);
    this.registerOutputs({});
  }

  #managementServer(plan: Plan, server: InstalledMachine, needs: pulumi.Resource[]): pulumi.Output<unknown> {
    const { name, address } = server.planned;
    const log = "/var/log/cloudstack/management/management-server.log";
    const resource = new TestbedResource(
      managementServer,
      name,
      {
        name,
        address,
        installation: server.tokenFingerprint,
        release: plan.cloudstack.release,
        settings: plan.managementServer?.settings ?? {},
        ssh: { user: "root", hostKey: server.hostKey, credential: "hosts" },
        startSeconds: plan.limits.startSeconds,
        service: { restart: ["systemctl", "restart", "cloudstack-management"], log },
      },
      { parent: this, dependsOn: [server.resource, ...needs], deletedWith: server.resource },
    );
    const seen = { release: resource.output("seenRelease"), url: resource.output("url"), log: `${address}:${log}` };
    return proof(server, seen);
  }
}

function planned({ planned }: InstalledMachine) {
  const { name, address, profile, os, generation } = planned;
  return { name, address, profile, os, generation };
}

function proof(machine: InstalledMachine, more: object = {}): pulumi.Output<unknown> {
  const { hostKey, tokenFingerprint, phases } = machine;
  return recovered({ ...planned(machine), hostKey, tokenFingerprint, phases, ...more }, machine);
}

/** A machine that failed is an output like the others, so that the program ends without a trace below that machine's own error. */
function recovered(outputs: object, machine: InstalledMachine): pulumi.Output<unknown> {
  return pulumi.recover(pulumi.output<object>(outputs), () => ({ ...planned(machine), failed: true }));
}
