import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostInputs } from "../../providers/baremetal/machine.ts";
import { distro, profile, system, template, templateDigest } from "../../providers/cobbler/index.ts";
import { host as entry } from "../../providers/dnsmasq/index.ts";
import { apply, drop } from "./context.ts";
import { labState } from "./lab.ts";

const checkout = join(import.meta.dirname, "../..");
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
const answerFile = readFileSync(join(checkout, "environments/lab/answers/testbed-lab.sh"), "utf8");

/** Everything around one light host of the lab that has to be there before it can install, and the host's own inputs. */
export class LightHost {
  readonly inputs: Partial<HostInputs>;
  readonly #folder = mkdtempSync(join(tmpdir(), "light-host-"));
  readonly #source = join(this.#folder, "hosts.sh");
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

  /** `number`: the last byte of address and MAC in the lab's inventory. */
  constructor(name: string, number = name.slice(1)) {
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
    }) as unknown as Parameters<typeof system.reconcile>[1];
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
    await this.useAnswerFile((text) => text);
    for (const one of this.#distros) await apply(distro, one);
    for (const one of this.#profiles) await apply(profile, one);
    await apply(system, this.#system);
    await apply(entry, this.#entry);
  }

  /** The lab's answer file with a change. */
  async useAnswerFile(change: (text: string) => string): Promise<void> {
    const text = change(answerFile);
    writeFileSync(this.#source, text);
    await apply(template, { ...this.#template(), sha256: templateDigest(text) });
  }

  async useEntry(wanted: boolean): Promise<void> {
    if (wanted) await apply(entry, this.#entry);
    else await drop(entry, this.#entry);
  }

  /** Empties the disk of the machine, which is off. */
  blankDisk(): void {
    const disk = join(labState(), "data/machines", this.inputs.name ?? "", "disk");
    for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
  }

  #template() {
    return { server, name: "hosts.sh", source: this.#source, sha256: "0".repeat(64), kind: "shell" as const };
  }

  async remove(): Promise<void> {
    await drop(entry, this.#entry);
    await drop(system, this.#system);
    for (const one of this.#profiles) await drop(profile, one);
    for (const one of this.#distros) await drop(distro, one);
    await drop(template, this.#template());
    rmSync(this.#folder, { recursive: true });
  }
}
