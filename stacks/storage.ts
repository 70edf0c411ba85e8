import * as pulumi from "@pulumi/pulumi";
import { TestbedResource } from "../providers/kernel/resource.ts";
import { store, template, templatesBelow } from "../providers/nfs/index.ts";
import { storeGeneration } from "./arguments.ts";
import type { Plan } from "./plan.ts";
import type { PlannedStore } from "./plan-cloud.ts";
import type { InstalledMachine } from "./provisioning.ts";
import { takeApart } from "./stores.ts";

export interface StorageArguments {
  plan: Plan;
  /** What is claimed before anything is touched. */
  claim: pulumi.Resource;
  /** Every machine that could have a store mounted: all have proved a new installation before one is emptied. */
  machines: readonly InstalledMachine[];
}

/** The stores of the marvin configuration: emptied once per generation, secondary ones with their system-VM template. */
export class Storage extends pulumi.ComponentResource {
  readonly stores: pulumi.Resource[];
  readonly #byPlace: ReadonlyMap<string, pulumi.Resource>;

  constructor(name: string, { plan, claim, machines }: StorageArguments, options?: pulumi.ComponentResourceOptions) {
    super("testbed:index:Storage", name, {}, options);
    const staged = this.#templates(plan, claim);
    const server = machines.find((machine) => machine.planned.role === "management-server");
    const generation =
      server?.tokenFingerprint.apply((token) => storeGeneration(plan.generation, token)) ?? storeGeneration(plan.generation);
    // Until all have proved themselves, old installations may still run VMs on the stores.
    const dependsOn = [claim, ...machines.map((machine) => machine.resource)];
    const { template: seed, unseeded } = plan.stores;
    this.stores = plan.stores.list.map((one) => {
      const waiting = one.kind === "secondary" ? staged.get(placeOf(one)) : undefined;
      const contents =
        seed && waiting
          ? { template: { staged: waiting.output("staged"), checksum: seed.checksum, format: seed.format, id: seed.id } }
          : { unseeded: one.kind === "secondary" ? unseeded : undefined };
      const { server, roots, path, kind } = one;
      return new TestbedResource(store, nameOf(one), { server, roots, path, kind, generation, ...contents }, { parent: this, dependsOn });
    });
    this.#byPlace = new Map(plan.stores.list.map((one, index) => [nameOf(one), this.stores[index] as pulumi.Resource]));
    this.registerOutputs({});
  }

  /** What prepared the store at an address of the planned cloud; nothing where that is no store of ours. */
  of(url: string): pulumi.Resource[] {
    const { host, directory } = takeApart(url);
    return [this.#byPlace.get(`${host}:${directory}`) ?? []].flat();
  }

  /** Fetched while the machines install: one per server and root, on the stores' own file system. */
  #templates(plan: Plan, claim: pulumi.Resource) {
    const { list, template: seed } = plan.stores;
    const secondary = seed ? list.filter((one) => one.kind === "secondary") : [];
    const places = new Map(secondary.map((one) => [placeOf(one), one]));
    return new Map(
      [...places].map(([place, { server, roots, path }]) => {
        const directory = templatesBelow(rootOf(roots, path));
        const args = { server, roots, directory, ...(seed && { url: seed.url, checksum: seed.checksum, format: seed.format }) };
        return [
          place,
          new TestbedResource(template, `system-vm on ${server.address}`, args, { parent: this, dependsOn: [claim] }),
        ] as const;
      }),
    );
  }
}

const rootOf = (roots: readonly string[], path: string) => roots.find((root) => path.startsWith(`${root}/`)) ?? "";
const placeOf = ({ server, roots, path }: PlannedStore) => `${server.address}:${rootOf(roots, path)}`;
const nameOf = ({ server, path }: PlannedStore) => `${server.address}:${path}`;
