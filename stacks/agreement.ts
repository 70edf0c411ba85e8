import { addressNumber, unusable } from "./addresses.ts";
import type { StackConfiguration } from "./config.ts";
import type { Finding } from "./findings.ts";
import type { Inventory } from "./inventory.ts";
import { type Marvin, marvinHosts } from "./marvin.ts";
import { didYouMean, lookup } from "./schema.ts";
import { checkSecrets } from "./secrets.ts";
import type { Path, Source } from "./source.ts";

/** Whether the inventory agrees with itself. */
export function checkInventory(inventory: Inventory, source: Source): Finding[] {
  const findings: Finding[] = [];
  const add = (code: Parameters<Source["finding"]>[0], path: Path, what: string, why: string, remedy: string) =>
    findings.push(source.finding(code, path, { what, why, remedy }));

  for (const [name, network] of Object.entries(inventory.networks)) {
    const bad = network.gateway && unusable(network.gateway, network.cidr);
    if (bad)
      add(
        "TB111",
        ["networks", name, "gateway"],
        `the gateway of ${name} cannot be one: ${bad}`,
        "every machine of the network would be cut off",
        "give the router's own address",
      );
  }

  const taken = new Map<string, string>();
  const claim = (what: string, value: string, owner: string, path: Path) => {
    const key = `${what} ${value}`;
    const other = taken.get(key);
    if (other === undefined) taken.set(key, owner);
    else
      add(
        "TB110",
        path,
        `${what} ${value} of ${owner} is that of ${other} already`,
        "two machines would answer for one, now and then",
        "give each its own",
      );
  };
  claim("address", inventory.driver.address, `the driver ${inventory.driver.name}`, ["driver", "address"]);
  claim("name", inventory.driver.name, "the driver", ["driver", "name"]);
  for (const [name, machine] of Object.entries(inventory.machines)) {
    const path = ["machines", name];
    claim("name", name, name, path);
    claim("MAC", machine.mac, name, [...path, "mac"]);
    claim("address", machine.address, name, [...path, "address"]);
    if (machine.bmc) claim("BMC", `${machine.bmc.address}:${machine.bmc.port}`, name, [...path, "bmc"]);
    const network = lookup(inventory.networks, machine.network);
    if (!network) {
      add(
        "TB112",
        [...path, "network"],
        `${name} is in the network ${machine.network}, which is not defined${didYouMean(machine.network, Object.keys(inventory.networks))}`,
        "its netmask and gateway are unknown",
        "name one of `networks`",
      );
      continue;
    }
    const bad = unusable(machine.address, network.cidr);
    if (bad)
      add(
        "TB111",
        [...path, "address"],
        `${name} cannot have its address: ${bad}`,
        "the machine would not be reachable",
        "correct the address or the network",
      );
    const number = addressNumber(machine.address);
    const range = network.dynamic.find((one) => number >= addressNumber(one.from) && number <= addressNumber(one.to));
    if (range)
      add(
        "TB111",
        [...path, "address"],
        `${machine.address} of ${name} lies in the dynamic range ${range.from}–${range.to}`,
        "DHCP may give it to another machine",
        "move the address, or shorten the range",
      );
  }

  for (const [name, profile] of Object.entries(inventory.profiles)) {
    if (!lookup(inventory.distros, profile.distro))
      add(
        "TB112",
        ["profiles", name, "distro"],
        `profile ${name} installs the distro ${profile.distro}, which is not defined${didYouMean(profile.distro, Object.keys(inventory.distros))}`,
        "there is nothing to boot",
        "name one of `distros`",
      );
    if (!lookup(inventory.templates, profile.template))
      add(
        "TB112",
        ["profiles", name, "template"],
        `profile ${name} uses the template ${profile.template}, which is not defined${didYouMean(profile.template, Object.keys(inventory.templates))}`,
        "the installer would have no answers",
        "name one of `templates`",
      );
  }
  return findings;
}

/** Whether the marvin configuration agrees with itself. */
export function checkMarvin(marvin: Marvin, source: Source): Finding[] {
  const findings: Finding[] = [];
  const ranges: { what: string; from: number; to: number; vlan: string; path: Path }[] = [];
  marvin.zones.forEach((zone, z) => {
    const all = [
      ...zone.pods.map((pod, p) => ({
        what: `pod ${pod.name} of ${zone.name}`,
        startip: pod.startip,
        endip: pod.endip,
        vlan: "",
        path: ["zones", z, "pods", p, "startip"],
      })),
      ...zone.ipranges.map((range, r) => ({
        what: `public range ${r + 1} of ${zone.name}`,
        startip: range.startip,
        endip: range.endip,
        vlan: range.vlan ?? "",
        path: ["zones", z, "ipranges", r, "startip"],
      })),
    ];
    for (const range of all) {
      const [from, to] = [addressNumber(range.startip), addressNumber(range.endip)];
      if (from > to) {
        findings.push(
          source.finding("TB123", range.path, {
            what: `${range.what} ends (${range.endip}) before it starts (${range.startip})`,
            why: "the server refuses it in the middle of the deployment",
            remedy: "swap the two",
          }),
        );
        continue;
      }
      const other = ranges.find((one) => one.vlan === range.vlan && from <= one.to && to >= one.from);
      if (other)
        findings.push(
          source.finding("TB123", range.path, {
            what: `${range.what} overlaps ${other.what}`,
            why: "one address would be given out twice",
            remedy: "separate the ranges",
          }),
        );
      ranges.push({ what: range.what, from, to, vlan: range.vlan, path: range.path });
    }
  });
  for (const host of marvinHosts(marvin)) {
    const found = marvinHostValue(marvin, host.path);
    if (found?.password && !/^\$\{.+\}$/.test(found.password)) {
      findings.push(
        source.finding("TB131", [...host.path.slice(0, -1), "password"], {
          severity: "warning",
          what: `the password of ${host.name} stands in clear text`,
          why: "the file is in a public repository",
          // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the placeholder itself that is shown
          remedy: "write a placeholder like ${hosts.password}; the stack's encrypted configuration fills it in",
        }),
      );
    }
  }
  return findings;
}

function marvinHostValue(marvin: Marvin, path: readonly (string | number)[]) {
  const [, z, , p, , c, , h] = path as [string, number, string, number, string, number, string, number];
  return marvin.zones[z]?.pods[p]?.clusters[c]?.hosts[h];
}

/** Whether stack file, marvin configuration and inventory agree. */
export function checkAgreement(
  inventory: Inventory,
  marvin: Marvin,
  config: StackConfiguration,
  sources: { inventory: Source; marvin: Source; config: Source },
): Finding[] {
  const findings: Finding[] = [];
  const key = (name: string): Path => ["config", `cloudstack-testbed:${name}`];
  const seen = new Set<string>();
  for (const host of marvinHosts(marvin)) {
    if (host.hypervisor.toLowerCase() === "simulator") continue;
    const machine = lookup(inventory.machines, host.name);
    if (!machine) {
      findings.push(
        sources.marvin.finding("TB120", host.path, {
          what: `host ${host.name} of cluster ${host.cluster} is not in the inventory${didYouMean(host.name, Object.keys(inventory.machines))}`,
          why: "nothing is known of its MAC, its address or its BMC, so it can be neither installed nor reached",
          remedy: `add it to ${sources.inventory.file}, or name a machine that is there`,
        }),
      );
      continue;
    }
    if (seen.has(host.name))
      findings.push(
        sources.marvin.finding("TB110", host.path, {
          what: `host ${host.name} stands in two clusters`,
          why: "a host belongs to one cluster",
          remedy: "remove one of the two",
        }),
      );
    seen.add(host.name);
    if (machine.state !== "active") {
      findings.push(
        sources.marvin.finding("TB121", host.path, {
          what: `host ${host.name} is ${machine.state} in the inventory`,
          why: "a machine that is out of service fails the run",
          remedy: `set its state to active in ${sources.inventory.file}, or take another`,
        }),
      );
    }
    if (!machine.bmc) {
      findings.push(
        sources.inventory.finding("TB103", ["machines", host.name], {
          what: `${host.name} has no BMC`,
          why: "it cannot be started from the network",
          remedy: "add `bmc: { address: … }`",
        }),
      );
    }
    const profile = lookup(config.profiles, host.hypervisor);
    if (profile === undefined) {
      findings.push(
        sources.config.finding("TB122", key("profiles"), {
          what: `cluster ${host.cluster} needs ${host.hypervisor}, for which no profile is named`,
          why: "it is unknown what its hosts get installed",
          remedy: `add \`${host.hypervisor}: <profile>\``,
        }),
      );
    } else if (!lookup(inventory.profiles, profile)) {
      findings.push(
        sources.config.finding("TB112", [...key("profiles"), host.hypervisor], {
          what: `the profile ${profile} is not defined${didYouMean(profile, Object.keys(inventory.profiles))}`,
          why: "it is unknown what to install",
          remedy: `name one of \`profiles\` in ${sources.inventory.file}`,
        }),
      );
    }
  }
  for (const name of Object.keys(config.generations)) {
    if (!lookup(inventory.machines, name))
      findings.push(
        sources.config.finding("TB112", [...key("generations"), name], {
          what: `there is no machine ${name}${didYouMean(name, Object.keys(inventory.machines))}`,
          why: "nothing would be re-imaged",
          remedy: "correct the name",
        }),
      );
  }
  findings.push(...checkSecrets(inventory, config, sources.config));
  return dedupe(findings);
}

function dedupe(findings: Finding[]): Finding[] {
  return [...new Map(findings.map((one) => [`${one.file}:${one.line}:${one.column} ${one.what}`, one])).values()];
}
