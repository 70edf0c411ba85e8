// The Pulumi program of the benchmarks: BENCH_KIND says which resources, BENCH_COUNT how many.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { distro, profile, sync, system, template, templateDigest } from "../providers/cobbler/index.ts";
import { host } from "../providers/dnsmasq/index.ts";
import { TestbedResource } from "../providers/kernel/resource.ts";
import { stub } from "../providers/kernel/stub.ts";
import { benchDomain, benchGateway, benchHosts, benchNetmask } from "./names.ts";

const kind = process.env.BENCH_KIND ?? "empty";
const count = Number(process.env.BENCH_COUNT ?? 10);
const server = { url: "http://10.91.0.1/cobbler_api", credential: "cobbler" };
const source = "bench/baseline/answers.sh";

if (kind === "empty") emptyResources();
else {
  systems();
  if (kind === "entries") entries();
}

/** The kernel's stub with nothing behind it, and six short inputs. */
function emptyResources(): void {
  const provider = stub("bench:Empty");
  class Empty extends pulumi.dynamic.Resource {
    constructor(name: string) {
      super(provider, name, { name, a: "1", b: "2", c: "3", d: "4", e: "5" }, {}, "bench", "Empty");
    }
  }
  for (let index = 0; index < count; index++) new Empty(`empty-${index}`);
}

function systems(): void {
  const sha256 = templateDigest(readFileSync(source, "utf8"));
  const answers = new TestbedResource(template, "bench.sh", { server, name: "bench.sh", source, sha256, kind: "shell" });
  const boot = "/srv/lab/distro/hv";
  const installable = new TestbedResource(distro, "bench-distro", {
    server,
    name: "bench-distro",
    breed: "redhat",
    osVersion: "rhel8",
    kernel: `${boot}/vmlinuz`,
    initrd: `${boot}/initrd.img`,
  });
  const way = new TestbedResource(
    profile,
    "bench-profile",
    { server, name: "bench-profile", distro: "bench-distro", autoinstall: "bench.sh" },
    { dependsOn: [answers, installable] },
  );
  const written = new TestbedResource(sync, "bench-sync", { server, digest: sha256 }, { dependsOn: [answers, installable, way] });
  for (const { name, mac, address } of benchHosts(count)) {
    const dnsName = `${name}.${benchDomain}`;
    new TestbedResource(
      system,
      name,
      {
        server,
        name,
        profile: "bench-profile",
        hostname: dnsName,
        gateway: benchGateway,
        nameServers: ["10.91.0.1"],
        interfaces: [{ name: "eth0", mac, address, netmask: benchNetmask, dnsName }],
      },
      { dependsOn: [written] },
    );
  }
}

function entries(): void {
  const hostKey = readFileSync("bench/driver-host-key.pub", "utf8").trim();
  for (const { name, mac, address } of benchHosts(count)) {
    new TestbedResource(host, name, {
      server: { address: "10.91.0.1", user: "root", hostKey, credential: "driver" },
      hostsDirectory: "/srv/testbed/hosts.d",
      dhcpHostsDirectory: "/srv/testbed/dhcp.d",
      pidFile: "/run/dnsmasq.pid",
      domain: benchDomain,
      name,
      mac,
      address,
    });
  }
}
