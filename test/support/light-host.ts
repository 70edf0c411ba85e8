import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostInputs } from "../../providers/baremetal/machine.ts";
import { distro, profile, system, template, templateDigest } from "../../providers/cobbler/index.ts";
import { host as entry } from "../../providers/dnsmasq/index.ts";
import { apply, drop, labCredentials } from "./context.ts";

const checkout = join(import.meta.dirname, "../..");
const key = readFileSync(join(checkout, "lab/keys/id_ed25519"), "utf8");

/** The lab's accounts, public by design. */
export const siteCredentials: Record<string, Record<string, string>> = {
  ...labCredentials,
  bmc: { user: "lab", password: "labpass" },
  driver: { privateKey: key },
  hosts: { user: "root", privateKey: key },
};

export const driver = {
  address: "10.91.0.1",
  user: "root",
  hostKey: readFileSync(join(checkout, "lab/keys/driver_host_ed25519.pub"), "utf8").trim(),
  credential: "driver",
};

/** dnsmasq of the lab, as every entry of it needs it. */
export const dnsmasq = {
  server: driver,
  hostsDirectory: "/srv/testbed/hosts.d",
  dhcpHostsDirectory: "/srv/testbed/dhcp.d",
  pidFile: "/run/dnsmasq.pid",
  log: "/var/log/dnsmasq.log",
  domain: "lab.test",
};

const server = { url: "http://10.91.0.1/cobbler_api", credential: "cobbler" };
const source = join(checkout, "environments/lab/answers/testbed-lab.sh");

/** Everything around one light host of the lab that has to be there before it can install, and the host's own inputs. */
export class LightHost {
  readonly inputs: Partial<HostInputs>;
  readonly #template = { server, name: "hosts.sh", source, sha256: templateDigest(readFileSync(source, "utf8")), kind: "shell" as const };
  readonly #distros = ["hv", "os"].map((name) => ({
    server,
    name: `hosts-${name}`,
    breed: "debian",
    osVersion: "bullseye",
    kernel: `/srv/lab/distro/${name}/vmlinuz`,
    initrd: `/srv/lab/distro/${name}/initrd.img`,
  }));
  readonly #profiles = ["hv", "os"].map((name) => ({
    server,
    name: `hosts-${name}`,
    distro: `hosts-${name}`,
    autoinstall: "hosts.sh",
    autoinstallMeta: { lab_image: name },
  }));
  readonly #system: Parameters<typeof system.reconcile>[1];
  readonly #entry: Record<string, unknown>;

  constructor(name: string) {
    const number = name.slice(1);
    const [address, mac] = [`10.91.0.${number}`, `52:54:00:91:00:${number}`];
    const nic = { name: "eth0", mac, address, netmask: "255.255.255.0", dnsName: `${name}.lab.test` };
    this.#entry = { ...dnsmasq, name, mac, address };
    this.#system = system.inputs.parse({
      server,
      name,
      profile: "hosts-hv",
      hostname: `${name}.lab.test`,
      gateway: "10.91.0.1",
      nameServers: ["10.91.0.1"],
      interfaces: [nic],
    }) as Parameters<typeof system.reconcile>[1];
    this.inputs = {
      name,
      address,
      mac,
      bmc: { address: `10.91.1.${number}`, port: 623, credential: "bmc", cipherSuite: 3, pacingSeconds: 0 },
      cobbler: server,
      system: name,
      profile: "hosts-hv",
      os: { id: "lab-hv", version: "1" },
      generation: "1",
      installs: "contract",
      ssh: { user: "root", credential: "hosts" },
      logs: { server: driver, dnsmasq: "/var/log/dnsmasq.log", web: "/var/log/web-access.log" },
      installSeconds: 30,
      powerSeconds: 3,
    };
  }

  async prepare(): Promise<void> {
    await apply(template, this.#template);
    for (const one of this.#distros) await apply(distro, one);
    for (const one of this.#profiles) await apply(profile, one);
    await apply(system, this.#system);
    await apply(entry, this.#entry);
  }

  async useProfile(name: "hosts-hv" | "hosts-os"): Promise<void> {
    await apply(system, { ...this.#system, profile: name });
  }

  async dropEntry(): Promise<void> {
    await drop(entry, this.#entry);
  }

  async applyEntry(): Promise<void> {
    await apply(entry, this.#entry);
  }

  async remove(): Promise<void> {
    await drop(entry, this.#entry);
    await drop(system, this.#system);
    for (const one of this.#profiles) await drop(profile, one);
    for (const one of this.#distros) await drop(distro, one);
    await drop(template, this.#template);
  }
}
