import * as pulumi from "@pulumi/pulumi";
import { TestbedResource } from "../providers/kernel/resource.ts";
import { modules, modulesDigest, run } from "../providers/puppet/index.ts";
import { driverServer } from "./arguments.ts";
import type { Plan } from "./plan.ts";
import type { InstalledMachine } from "./provisioning.ts";

/** Where the roles are kept, relative to the project folder. */
const SOURCE = "appliance";

/** Puppet brings every machine to its role; nothing where the driver is no puppet master. */
export class Roles extends pulumi.ComponentResource {
  readonly #runsByName: ReadonlyMap<string, pulumi.Resource>;

  constructor(
    name: string,
    { plan, claim, machines }: { plan: Plan; claim: pulumi.Resource; machines: readonly InstalledMachine[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("testbed:index:Roles", name, {}, options);
    const { puppet } = plan.driver;
    this.#runsByName = puppet ? this.#runs(plan, claim, machines, puppet.modulesDirectory) : new Map();
    this.registerOutputs({});
  }

  /** What gave a machine its role. */
  of(machine: InstalledMachine): pulumi.Resource[] {
    const run = this.#runsByName.get(machine.planned.name);
    return run ? [run] : [];
  }

  #runs(plan: Plan, claim: pulumi.Resource, machines: readonly InstalledMachine[], modulesDirectory: string) {
    const digest = modulesDigest(SOURCE);
    const distributed = new TestbedResource(
      modules,
      `${plan.site}-roles`,
      { server: driverServer(plan), source: SOURCE, digest, modulesDirectory },
      { parent: this, dependsOn: [claim] },
    );
    return new Map(
      machines.map(({ planned, resource, hostKey, tokenFingerprint }) => {
        const args = {
          node: { address: planned.address, user: "root", hostKey, credential: "hosts" },
          certname: planned.fqdn,
          server: plan.driverFqdn,
          ca: driverServer(plan),
          role: planned.role,
          parameters: parameters(plan),
          credentials: planned.role === "management-server" ? ["database"] : [],
          generation: planned.generation,
          installs: tokenFingerprint,
          modules: digest,
          runSeconds: plan.limits.runSeconds,
        };
        return [planned.name, new TestbedResource(run, planned.fqdn, args, { parent: this, dependsOn: [resource, distributed] })] as const;
      }),
    );
  }
}

/** What appliance/README.md says that roles need to know. */
function parameters(plan: Plan): Record<string, string> {
  const { ntp, address } = plan.driver;
  return {
    ...(ntp ? { ntp_servers: ntp.servers.join(",") } : {}),
    ...(plan.cloudstack.packages ? { packages: plan.cloudstack.packages } : {}),
    ...(plan.managementServer ? { management_address: plan.managementServer.address } : {}),
    log_level: plan.logLevel,
    syslog_host: address,
  };
}
