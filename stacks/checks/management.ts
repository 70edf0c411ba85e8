import type { Finding } from "../findings.ts";
import type { Inventory } from "../inventory.ts";
import { hostName, isSimulated, type Marvin } from "../marvin.ts";
import { didYouMean, type Found, lookup } from "../schema.ts";
import { collector } from "./collect.ts";
import type { SiteSources } from "./hosts.ts";

/** Whether the management server of a marvin configuration is a machine of the inventory. One of simulated zones only may run anywhere. */
export function checkManagementServer(inventory: Found<Inventory>, marvin: Found<Marvin>, sources: SiteSources): Finding[] {
  const { findings, add } = collector();
  const { machines } = inventory;
  const server = marvin.mgtSvr?.[0];
  if (!machines || !server?.mgtSvrIp || (marvin.zones ?? []).every(isSimulated)) return findings;
  const path = ["mgtSvr", 0, server.mgtSvrName ? "mgtSvrName" : "mgtSvrIp"];
  const called = server.mgtSvrName ?? server.mgtSvrIp;
  const name = server.mgtSvrName ? hostName(called) : nameOf(machines, called);
  const machine = lookup(machines, name);
  if (!machine) {
    add(sources.marvin, "TB124", path, {
      what: `the management server ${called} is not in the inventory${didYouMean(name, candidates(machines))}`,
      why: "nothing is known of its MAC or its address, so it can be neither installed nor reached",
      remedy: `add it to ${sources.inventory.file} with the role management-server, or name a machine that is there`,
    });
    return findings;
  }
  if (machine.address && /^[\d.]+$/.test(server.mgtSvrIp) && machine.address !== server.mgtSvrIp)
    add(sources.marvin, "TB124", ["mgtSvr", 0, "mgtSvrIp"], {
      what: `the management server ${name} has the address ${server.mgtSvrIp} here and ${machine.address} in the inventory`,
      why: "tests would talk to another machine than the one that gets installed",
      remedy: "give the inventory's address",
    });
  if (machine.roles && !machine.roles.includes("management-server"))
    add(sources.marvin, "TB121", path, {
      what: `the management server ${name} does not have the role: its roles are ${machine.roles.join(", ") || "none"}`,
      why: "it would be re-imaged, and what it serves would be gone",
      remedy: `add management-server to its roles in ${sources.inventory.file}, or take another machine`,
    });
  if (machine.state && machine.state !== "active")
    add(sources.marvin, "TB121", path, {
      what: `the management server ${name} is ${machine.state} in the inventory`,
      why: "a machine that is out of service fails the run",
      remedy: `set its state to active in ${sources.inventory.file}, or take another`,
    });
  return findings;
}

type Machines = NonNullable<Found<Inventory>["machines"]>;

function nameOf(machines: Machines, address: string): string {
  return Object.entries(machines).find(([, machine]) => machine.address === address)?.[0] ?? hostName(address);
}

function candidates(machines: Machines): string[] {
  const servers = Object.keys(machines).filter((name) => machines[name]?.roles?.includes("management-server"));
  return servers.length > 0 ? servers : Object.keys(machines);
}
