import * as pulumi from "@pulumi/pulumi";
import { type ManagementServerInputs, type ManagementServerOutputs, managementServer } from "../providers/cloudstack/index.ts";
import { TestbedResource } from "../providers/kernel/resource.ts";
import { type CloudArguments, MarvinCloud } from "./cloud.ts";
import type { RoleMachine } from "./cloud-site.ts";
import type { Plan } from "./plan.ts";
import { type InstalledMachine, Provisioning } from "./provisioning.ts";
import { Roles } from "./roles.ts";
import { Storage } from "./storage.ts";

const LOG = "/var/log/cloudstack/management/management-server.log";

/**
 * One environment of one hypervisor on one site: machines are claimed, installed and proved; stores are emptied once no old installation
 * is left that could use them; puppet brings machines to their roles; the management server answers, and the cloud of the marvin file is made in it. Each begins as soon as what it
 * needs is there.
 */
export class Environment extends pulumi.ComponentResource {
  /** Every proved host: name, address, profile, OS, generation, host key, token fingerprint, phase times. */
  readonly hosts: pulumi.Output<unknown[]>;
  /** The same of the management server, with its release, API and log; undefined where the stack has none. */
  readonly managementServer: pulumi.Output<unknown> | undefined;
  /** Undefined where the stack has no management server. */
  readonly cloud: MarvinCloud | undefined;

  constructor(name: string, args: { plan: Plan }, options?: pulumi.ComponentResourceOptions) {
    super("testbed:index:Environment", name, {}, options);
    const { plan } = args;
    const provisioning = new Provisioning(plan.site, { plan }, { parent: this });
    const { claim, hosts, managementServer: server } = provisioning;
    const machines = server ? [...hosts, server] : hosts;
    const storage = new Storage(plan.site, { plan, claim, machines }, { parent: this });
    const roles = new Roles(plan.site, { plan, claim, machines }, { parent: this });
    this.hosts = pulumi.all(hosts.map((host) => proof(host)));
    if (server) {
      const answering = this.#managementServer(plan, server, [...storage.stores, ...roles.of(server)]);
      this.managementServer = this.#seen(server, answering);
      const machines = new Map(hosts.map((host) => [host.planned.name, roleMachine(host, roles)]));
      this.cloud = this.#cloud(plan, server, answering, machines, storage);
    }
    this.registerOutputs({});
  }

  #cloud(plan: Plan, server: InstalledMachine, answering: pulumi.Resource, machines: CloudArguments["machines"], storage: Storage) {
    const { address } = server.planned;
    const args: CloudArguments = {
      cloud: plan.cloud,
      server: { address, installation: server.tokenFingerprint },
      needs: [answering],
      machine: { address, ...access(server) },
      deletedWith: server.resource,
      store: (url) => storage.of(url),
      ...plan.cloudLicence,
    };
    return new MarvinCloud(plan.site, { ...args, ...(machines ? { machines } : {}) }, { parent: this });
  }

  #managementServer(plan: Plan, server: InstalledMachine, needs: pulumi.Resource[]) {
    const { name, address } = server.planned;
    return new TestbedResource(
      managementServer,
      name,
      {
        name,
        address,
        installation: server.tokenFingerprint,
        release: plan.cloudstack.release,
        startSeconds: plan.limits.startSeconds,
        ...access(server),
      },
      { parent: this, dependsOn: [server.resource, ...needs], deletedWith: server.resource },
    );
  }

  #seen(server: InstalledMachine, answering: TestbedResource<ManagementServerInputs, ManagementServerOutputs>): pulumi.Output<unknown> {
    const seen = { release: answering.output("seenRelease"), url: answering.output("url"), log: `${server.planned.address}:${LOG}` };
    return proof(server, seen);
  }
}

/** How the management server's machine is reached, and its service handled there. */
function access({ hostKey }: InstalledMachine) {
  return {
    ssh: { user: "root", hostKey, credential: "hosts" },
    service: { restart: ["systemctl", "restart", "cloudstack-management"], log: LOG },
  };
}

/** A host may join the cloud once it has its role. */
function roleMachine(host: InstalledMachine, roles: Roles): RoleMachine {
  return { needs: [host.resource, ...roles.of(host)], address: host.planned.address, token: host.tokenFingerprint };
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
