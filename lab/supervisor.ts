// Runs inside the lab's namespaces (lab/namespaces.sh) and owns every child: the driver's daemons, the BMCs, the machines.
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { chassisRequest } from "./bmc/chassis.ts";
import { cloudDaemon } from "./cloudstack/daemon.ts";
import { type ControlReply, serveControl } from "./control.ts";
import { Daemons } from "./daemons.ts";
import { installCobbler } from "./driver/cobbler.ts";
import { netmask } from "./driver/dnsmasq.ts";
import { driverDaemons, webFaults } from "./driver/driver.ts";
import { bmcCommand, type Faulty, setFault } from "./faults.ts";
import { LightMachine } from "./light/light-machine.ts";
import { type LineReply, startLineServer } from "./line-server.ts";
import { ip, type Machine, type MachineFolders } from "./machine.ts";
import { puppetDaemons } from "./puppet/daemon.ts";
import { QemuMachine } from "./qemu/qemu-machine.ts";
import type { LabSettings } from "./settings.ts";
import { readSite, type Site } from "./site.ts";
import { countsOf } from "./xapi/faults.ts";
import type { MakeMachine } from "./xapi/guests.ts";
import { XenServer } from "./xapi/xen-server.ts";

/** Where lab/bmc/chassis.sh and lab/driver/systemctl.sh ask. */
const LINE_PORT = 7900;
/** How long the lab's start waits for machines that were on when it was stopped. */
const RESUME_SECONDS = 40;

function network(site: Site): void {
  ip("link", "set", "lo", "up");
  ip("link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0");
  ip("addr", "add", `${site.driver.address}/${netmask(site.cidr).length}`, "dev", "br0");
  ip("addr", "add", "fd91::1/64", "dev", "br0", "nodad");
  ip("link", "set", "br0", "up");
  for (const machine of site.machines) ip("addr", "add", `${machine.bmc.address}/32`, "dev", "lo");
  rmSync("/etc/resolv.conf", { force: true }); // often a link into /run, which is the lab's own here
  writeFileSync("/etc/resolv.conf", `nameserver ${site.driver.address}\nsearch ${site.domain}\n`);
  const named = [site.driver, ...site.xenServers].map(({ name, address }) => `${address} ${name}.${site.domain} ${name}\n`);
  writeFileSync("/etc/hosts", `127.0.0.1 localhost\n${named.join("")}`);
}

/** Builds what machines boot, unless the cache has it, and says where it is. */
function buildGuest(checkout: string, cache: string): string {
  const program = join(checkout, "lab/guest/build.sh");
  const args = [program, join(cache, "lab/guests"), join(checkout, "lab/keys/id_ed25519.pub"), join(cache, "lab/current")];
  return execFileSync("bash", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

/** Makes machines of the lab's kind; each gets a number of its own. */
function machineMaker(settings: LabSettings, folders: MachineFolders): MakeMachine {
  const Kind = settings.machines === "qemu" ? QemuMachine : LightMachine;
  let count = 0;
  return (machine) => new Kind(machine, folders, count++);
}

function status(lab: Faulty, settings: LabSettings): unknown {
  const hosts = [...lab.machines.values()].map((one) => ({
    name: one.name,
    power: one.power(),
    bootDevice: one.bootDevice,
    runs: one.runs(),
    installed: one.installed(),
    faults: countsOf(one.faults),
  }));
  return { ...settings, site: lab.site.name, daemons: lab.daemons.status(), hosts, xenServer: lab.xen.status() };
}

async function command(lab: Faulty, settings: LabSettings, words: string[]): Promise<ControlReply> {
  const [verb, name = "", kind = "", count] = words;
  if (verb === "status") return { ok: true, value: status(lab, settings) };
  const ofXen = await lab.xen.command(words);
  if (ofXen) return ofXen;
  if (verb === "fault") return setFault(lab, name, kind, count);
  const machine = lab.machines.get(name);
  if (verb === "power" && machine) {
    await (kind === "off" ? machine.powerOff() : machine.powerOn());
    return { ok: true, value: machine.power() };
  }
  return { ok: false, error: `unknown command ${words.join(" ")}` };
}

/** Requests of the daemons' helper programs: `HOST get|set …` of a BMC, `driver restart dnsmasq` of cobblerd. */
async function line(lab: Faulty, [name = "", ...words]: string[]): Promise<LineReply> {
  const machine = lab.machines.get(name);
  if (machine) {
    // ipmi_sim keeps no log of its own.
    appendFileSync(join(lab.state, "log", `bmc-${name}.log`), `${new Date().toISOString()} ${words.join(" ")}\n`);
    return chassisRequest(machine, words);
  }
  if (name !== "driver") throw new Error("no such host");
  if (existsSync(join(webFaults, "restart-fails"))) return { lines: ["dnsmasq: failed to start"], status: 1 };
  execFileSync("dnsmasq", ["--test", "-C", "/etc/dnsmasq.conf"], { stdio: ["ignore", "ignore", "inherit"] });
  await lab.daemons.restart("dnsmasq");
  return { lines: [], status: 0 };
}

/** Machines that were on when the lab was stopped are on again, and have booted, before the lab counts as started. */
async function resume(machines: readonly Machine[]): Promise<void> {
  const resumed: Machine[] = [];
  for (const machine of machines) if (await machine.resume()) resumed.push(machine);
  const deadline = performance.now() + RESUME_SECONDS * 1000;
  for (const machine of resumed) {
    while (machine.runs() !== "disk system up" && performance.now() < deadline) await pause(100);
    if (machine.runs() !== "disk system up")
      process.stderr.write(
        `${machine.name} was on, and has not come up again after ${RESUME_SECONDS} s (${machine.runs() || "off"}): see its console\n`,
      );
  }
}

async function main([checkout, cache, state, settingsText]: [string, string, string, string]): Promise<void> {
  const settings = JSON.parse(settingsText) as LabSettings;
  const site = readSite(checkout, settings.site, settings.hostCount);
  const log = join(state, "log");
  network(site);
  mkdirSync(webFaults, { recursive: true });
  const guest = buildGuest(checkout, cache);
  installCobbler(site, { checkout, guest }, settings.netboot);
  const make = machineMaker(settings, { data: join(state, "data/machines"), log, guest, checkout });
  const machines = new Map(site.machines.map((machine) => [machine.name, make(machine)]));
  const xen = new XenServer(site, { data: join(state, "data"), checkout }, make);
  const lab: Faulty = { site, machines, daemons: new Daemons(log), xen, checkout, state };
  await startLineServer(LINE_PORT, (words) => line(lab, words));
  const daemons = [
    ...driverDaemons(site, { checkout, log }, settings.netboot),
    ...puppetDaemons(site, checkout),
    cloudDaemon(site.driver.address, checkout, join(state, "data/cloudstack")),
  ];
  for (const daemon of daemons) lab.daemons.start(daemon);
  for (const { name } of site.machines) lab.daemons.start({ name: `bmc-${name}`, command: bmcCommand(lab, name) });
  for (const daemon of daemons) await lab.daemons.ready(daemon.name);
  await xen.listen();
  await resume([...machines.values(), ...xen.resumable()]);
  await serveControl(join(state, "control.sock"), (words) => command(lab, settings, words));
}

await main(process.argv.slice(2) as [string, string, string, string]);
