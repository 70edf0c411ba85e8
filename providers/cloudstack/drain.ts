import { TestbedError, waitFor } from "../kernel/index.ts";
import { pollPace } from "./client.ts";
import type { Cloud } from "./cloud.ts";

const GONE_SECONDS = 900;

interface Thing {
  id: string;
  name?: string;
  displayname?: string;
  state?: string;
  type?: string;
}

interface Guests {
  vms: Thing[];
  networks: Thing[];
  volumes: Thing[];
}

const GOING = ["Expunging", "Expunged", "Destroy", "Destroying"];
const nameOf = (one: Thing) => one.displayname ?? one.name ?? one.id;

/** What users left in a zone. Shared networks are the configuration's own; a VM's root disk goes with it. */
async function guestsOf(cloud: Cloud, zoneid: string): Promise<Guests> {
  const list = (command: string, key: string) => cloud.client.list<Thing>(command, key, { zoneid, listall: "true" });
  const [vms, networks, volumes] = await Promise.all([
    list("listVirtualMachines", "virtualmachine"),
    list("listNetworks", "network"),
    list("listVolumes", "volume"),
  ]);
  return {
    vms: vms.filter((one) => !GOING.includes(one.state ?? "")),
    networks: networks.filter((one) => one.type !== "Shared"),
    volumes: volumes.filter((one) => one.type === "DATADISK" && !GOING.includes(one.state ?? "")),
  };
}

function refuseGuests(cloud: Cloud, zone: string, { vms, networks, volumes }: Guests): void {
  const texts = [
    ...vms.map((one) => `VM ${nameOf(one)}`),
    ...networks.map((one) => `network ${nameOf(one)}`),
    ...volumes.map((one) => `volume ${nameOf(one)}`),
  ];
  if (texts.length === 0) return;
  throw new TestbedError({
    system: cloud.client.system,
    object: `zone ${zone}`,
    kind: "conflict",
    code: "guests",
    message: `holds what users made: ${texts.join(", ")}`,
    remedy: "remove them, or set `cloud.destroyGuests` in the stack configuration and run `pulumi up` first",
  });
}

async function destroyGuests(cloud: Cloud, { vms, networks, volumes }: Guests): Promise<void> {
  const { client } = cloud;
  await each(cloud, vms, ({ id }) => client.changeAndWait("destroyVirtualMachine", { id, expunge: "true" }));
  await each(cloud, networks, ({ id }) => client.changeAndWait("deleteNetwork", { id, forced: "true" }));
  await each(cloud, volumes, ({ id }) => client.changeAndWait("deleteVolume", { id }));
}

/** All at once; what went by itself meanwhile is no failure, what is left the caller sees. */
async function each(cloud: Cloud, things: readonly Thing[], remove: (thing: Thing) => Promise<unknown>): Promise<void> {
  const failures = await Promise.all(
    things.map((one) =>
      remove(one)
        .then(() => undefined)
        .catch((error: unknown) => error),
    ),
  );
  for (const failure of failures) if (failure instanceof Error) cloud.context.phase(`not removed at the first try: ${failure.message}`);
}

/** System VMs and routers; the server starts none anew once the zone is off, but one may have been starting. */
async function removeSystemVms(cloud: Cloud, zoneid: string): Promise<void> {
  const { client, context } = cloud;
  const asked = new Set<string>();
  const options = { timeoutSeconds: GONE_SECONDS, everySeconds: pollPace, object: `system VMs of zone ${zoneid}`, system: client.system };
  await waitFor("the system VMs and routers to be gone", context, options, async () => {
    const [system, routers] = await Promise.all([
      client.list<Thing>("listSystemVms", "systemvm", { zoneid }),
      client.list<Thing>("listRouters", "router", { zoneid, listall: "true" }),
    ]);
    const left = [...system, ...routers];
    if (left.length === 0) return { done: true };
    // Each is asked for once in each state: one that was starting refuses, and is asked for again when it runs.
    const isNew = (one: Thing) => !GOING.includes(one.state ?? "") && !asked.has(`${one.id} ${one.state}`);
    const [newSystem, newRouters] = [system.filter(isNew), routers.filter(isNew)];
    for (const one of left) asked.add(`${one.id} ${one.state}`);
    await Promise.all([
      each(cloud, newSystem, ({ id }) => client.changeAndWait("destroySystemVm", { id })),
      each(cloud, newRouters, ({ id }) => client.changeAndWait("destroyRouter", { id })),
    ]);
    return { seen: left.map((one) => `${nameOf(one)} ${one.state ?? ""}`).join(", ") };
  });
}

/** Switches a zone off and removes all VMs of it; users' own only when that is wanted. Nothing is changed when it is refused. */
export async function drainZone(
  cloud: Cloud,
  zone: { id: string; name: string; allocationstate: string },
  mayDestroyGuests: boolean,
): Promise<void> {
  const guests = await guestsOf(cloud, zone.id);
  if (!mayDestroyGuests) refuseGuests(cloud, zone.name, guests);
  // First, else system VMs come back within half a minute.
  if (zone.allocationstate !== "Disabled") await cloud.client.set("updateZone", { id: zone.id, allocationstate: "Disabled" });
  cloud.context.phase("removing VMs");
  await destroyGuests(cloud, guests);
  if (mayDestroyGuests) refuseGuests(cloud, zone.name, await guestsOf(cloud, zone.id));
  await removeSystemVms(cloud, zone.id);
}
