import { type Context, findMark, forgetSession, type Mark, markText, sameMark, session, TestbedError } from "../kernel/index.ts";
import type { CloudStackClient } from "./client.ts";
import { connect } from "./connection.ts";
import type { CloudServer } from "./inputs.ts";

/** The detail of a zone that says whose it is, and with it everything in it. */
export const MARK_DETAIL = "cloudstack-testbed";

export interface ZoneRow {
  id: string;
  name: string;
  networktype: string;
  allocationstate: string;
  securitygroupsenabled?: boolean;
  localstorageenabled?: boolean;
  dns1?: string;
  dns2?: string;
  internaldns1?: string;
  internaldns2?: string;
  domain?: string;
  guestcidraddress?: string;
  resourcedetails?: Record<string, string>;
}

interface Named {
  id: string;
  name: string;
}

const sameName = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/**
 * The name that a zone has until it carries its mark: `createZone` takes no details, and a run that is cut off right after it must
 * know the zone again.
 */
export const unfinishedName = (name: string, mark: Mark) => `${name} ${markText(mark)}`;

/** The mark that a zone carries in its details, or in the name of one that is not finished. */
export function zoneMark(zone: ZoneRow): Mark | undefined {
  return findMark(zone.resourcedetails?.[MARK_DETAIL] ?? "") ?? findMark(zone.name);
}

/** One cloud as one operation sees it; ids that do not change while an object lives are remembered for the whole process. */
export class Cloud {
  readonly context: Context;
  readonly client: CloudStackClient;
  readonly release: string;

  constructor(context: Context, client: CloudStackClient, release: string) {
    this.context = context;
    this.client = client;
    this.release = release;
  }

  static async of(context: Context, server: CloudServer): Promise<Cloud> {
    const { client, release } = await connect(context, server);
    return new Cloud(context, client, release);
  }

  /** The zone of this name as it is now; also one that a run of ours began, and could not yet name so. */
  async lookUpZone(name: string): Promise<ZoneRow | undefined> {
    const zones = await this.client.list<ZoneRow>("listZones", "zone");
    const wanted = unfinishedName(name, this.context.mark);
    return zones.find((one) => sameName(one.name, name)) ?? zones.find((one) => sameName(one.name, wanted));
  }

  /** The zone of this name, as it was seen first. @throws code `absent` */
  zone(name: string): Promise<ZoneRow> {
    return session(this.#key("zone", name), async () => {
      const zone = await this.lookUpZone(name);
      // One without its own name is still to be finished by its own resource.
      return zone && sameName(zone.name, name) ? zone : this.#absent(`zone ${name}`);
    });
  }

  /** The zone's id; whoever changes something in it asks for it here. @throws code `foreign` when the zone is not this stack's */
  async ownedZone(name: string): Promise<string> {
    const zone = await this.zone(name);
    refuseForeignZone(this, zone, false);
    return zone.id;
  }

  async ownsZone(name: string): Promise<boolean> {
    return sameMark(zoneMark(await this.zone(name)), this.context.mark);
  }

  pod(zone: string, name: string): Promise<Named> {
    return this.#inZone("pod", zone, name, "listPods", "pod");
  }

  physicalNetwork(zone: string, name: string): Promise<Named> {
    return this.#inZone("physical network", zone, name, "listPhysicalNetworks", "physicalnetwork");
  }

  guestNetwork(zone: string, name: string): Promise<Named> {
    return this.#inZone("guest network", zone, name, "listNetworks", "network", { listall: "true" });
  }

  async cluster(zone: string, pod: string, name: string): Promise<Named> {
    const podid = (await this.pod(zone, pod)).id;
    return this.#inZone("cluster", `${zone}/${pod}`, name, "listClusters", "cluster", { podid }, zone);
  }

  /** Remembers an id that was just learned, so that nobody has to ask for it. */
  know(kind: "zone", name: string, row: ZoneRow): void;
  know(kind: "pod" | "physical network" | "guest network" | "cluster", path: string, row: Named): void;
  know(kind: string, path: string, row: Named): void {
    this.forget(kind, path);
    void session(this.#key(kind, path), async () => row);
  }

  /** To be called when an object is deleted or may be another one. */
  forget(kind: string, path: string): void {
    forgetSession(this.#key(kind, path));
  }

  #inZone(
    kind: string,
    place: string,
    name: string,
    command: string,
    key: string,
    more: Record<string, string> = {},
    zone = place,
  ): Promise<Named> {
    return session(this.#key(kind, `${place}/${name}`), async () => {
      const zoneid = (await this.zone(zone)).id;
      const rows = await this.client.list<Named>(command, key, { zoneid, ...more });
      return rows.find((one) => one.name === name) ?? this.#absent(`${kind} ${name} in ${place}`);
    });
  }

  #key(kind: string, path: string): string {
    return `${this.client.identity} ${kind} ${path}`;
  }

  #absent(object: string): never {
    throw new TestbedError({
      system: this.client.system,
      object,
      kind: "invalid",
      code: "absent",
      message: "does not exist there",
      remedy: "run `pulumi up --refresh`: it is made again",
    });
  }
}

/** Refuses a zone that is not this stack's, unless it is nobody's and may be adopted. */
export function refuseForeignZone(cloud: Cloud, zone: ZoneRow, adopt: boolean): void {
  const { mark } = cloud.context;
  const holder = zoneMark(zone);
  if (sameMark(holder, mark) || (!holder && adopt)) return;
  const moved = holder?.project === mark.project && holder.stack === mark.stack;
  throw new TestbedError({
    system: cloud.client.system,
    object: `zone ${zone.name}`,
    kind: "conflict",
    code: "foreign",
    message: holder ? `belongs to ${markText(holder)}` : "exists already and was not made by this stack",
    remedy: moved
      ? "this same stack is run from another state: run it from there, or take its ownership over on purpose with `testbed takeover`"
      : holder
        ? "destroy it from there, or give the zone another name"
        : "set `adopt` for the zone to take it over with everything in it, or give it another name",
  });
}
