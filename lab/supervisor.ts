// Runs inside the lab's namespaces (lab/namespaces.sh) and owns every child: the driver's daemons, the BMCs, the machines.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { startChassisServer } from "./bmc/chassis-server.ts";
import { prepareBmc } from "./bmc/ipmi-sim.ts";
import { type ControlReply, serveControl } from "./control.ts";
import { Daemons } from "./daemons.ts";
import { cobblerPackage, installCobbler } from "./driver/cobbler.ts";
import { dnsmasqConfiguration, netmask } from "./driver/dnsmasq.ts";
import { LightMachine } from "./light/light-machine.ts";
import { type Machine, type MachineFault, machineFaults } from "./machine.ts";
import { readSite, type Site } from "./site.ts";

const [checkout, cache, state, siteName] = process.argv.slice(2) as [string, string, string, string];
const CHASSIS_PORT = 7900;
const log = join(state, "log");
const site = readSite(checkout, siteName);
const daemons = new Daemons(log);
const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });

function network(site: Site): void {
  run("ip", "link", "set", "lo", "up");
  run("ip", "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0");
  run("ip", "addr", "add", `${site.driver.address}/${netmask(site.cidr).length}`, "dev", "br0");
  run("ip", "addr", "add", "fd91::1/64", "dev", "br0", "nodad");
  run("ip", "link", "set", "br0", "up");
  for (const machine of site.machines) run("ip", "addr", "add", `${machine.bmc.address}/32`, "dev", "lo");
  rmSync("/etc/resolv.conf", { force: true }); // often a link into /run, which is the lab's own here
  writeFileSync("/etc/resolv.conf", `nameserver ${site.driver.address}\nsearch ${site.domain}\n`);
  writeFileSync("/etc/hosts", `127.0.0.1 localhost\n${site.driver.address} ${site.driver.name}.${site.domain} ${site.driver.name}\n`);
}

function answersTcp(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.end());
  });
}

function startDriver(): void {
  const { address, dnsmasq } = site.driver;
  daemons.start({
    name: "cobblerd",
    command: ["/usr/bin/python3", `${cobblerPackage}/bin/cobblerd`, "-F"],
    environment: { PYTHONPATH: cobblerPackage },
  });
  daemons.start({
    name: "web",
    command: [
      "/usr/bin/python3",
      "-m",
      "gunicorn",
      "--chdir",
      join(checkout, "lab/driver"),
      "-b",
      `${address}:80`,
      "-w",
      "1",
      "--threads",
      "16",
      "-k",
      "gthread",
      "--timeout",
      "120",
      "--access-logfile",
      join(log, "web-access.log"),
      "services_wsgi:application",
    ],
    environment: { PYTHONPATH: cobblerPackage },
  });
  writeFileSync("/etc/dnsmasq.conf", dnsmasqConfiguration(site));
  daemons.start({ name: "dnsmasq", command: ["dnsmasq", "--keep-in-foreground", "-C", "/etc/dnsmasq.conf", "-x", dnsmasq.pidFile] });
  execFileSync("install", ["-m", "600", join(checkout, "lab/keys/driver_host_ed25519"), "/run/driver_host_ed25519"]);
  execFileSync("install", ["-m", "600", join(checkout, "lab/keys/id_ed25519.pub"), "/run/driver_authorized_keys"]);
  writeFileSync(
    "/run/sshd_config",
    `Port 22
ListenAddress ${address}
HostKey /run/driver_host_ed25519
AuthorizedKeysFile /run/driver_authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
MaxSessions 100
MaxStartups 100
PidFile /run/sshd.pid
Subsystem sftp internal-sftp
`,
  );
  // Debian's package makes this account in its installation script, which the lab does not run.
  try {
    execFileSync("getent", ["passwd", "sshd"]);
  } catch {
    execFileSync("bash", ["-c", "echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd"]);
  }
  daemons.start({ name: "sshd", command: ["/usr/sbin/sshd", "-D", "-e", "-f", "/run/sshd_config"] });
  writeFileSync("/run/chrony.conf", `local stratum 8\nallow ${site.cidr}\nbindaddress ${address}\ncmdport 0\npidfile /run/chronyd.pid\n`);
  daemons.start({ name: "chronyd", command: ["chronyd", "-x", "-n", "-u", "root", "-f", "/run/chrony.conf"] });
}

function startMachines(): Map<string, Machine> {
  const folders = {
    data: join(state, "data/machines"),
    log,
    tree: join(cache, "lab/guest/tree"),
    program: join(checkout, "lab/light/host.sh"),
  };
  return new Map(site.machines.map((machine, index) => [machine.name, new LightMachine(machine, folders, index)]));
}

async function startBmcs(machines: Map<string, Machine>): Promise<void> {
  await startChassisServer(machines, CHASSIS_PORT);
  for (const machine of site.machines) {
    const folder = join(state, "scratch/bmc", machine.name);
    daemons.start({ name: `bmc-${machine.name}`, command: prepareBmc(machine, folder, join(checkout, "lab/bmc/chassis.sh")) });
  }
}

async function command(machines: Map<string, Machine>, words: string[]): Promise<ControlReply> {
  const [verb, host, kind, count] = words;
  if (verb === "status") {
    const hosts = [...machines.values()].map((one) => ({
      name: one.name,
      power: one.power(),
      bootDevice: one.bootDevice,
      faults: Object.fromEntries(one.faults),
    }));
    return { ok: true, value: { site: site.name, daemons: daemons.status(), hosts } };
  }
  if (verb === "fault") {
    if (kind === "deaf" && daemons.signal(`bmc-${host}`, count === "0" ? "SIGCONT" : "SIGSTOP"))
      return { ok: true, value: `${host}: deaf` };
    if (kind === "down" && daemons.signal(host ?? "", count === "0" ? "SIGCONT" : "SIGSTOP")) return { ok: true, value: `${host}: down` };
    const machine = machines.get(host ?? "");
    if (!machine) return { ok: false, error: `no host or daemon ${host}; hosts are ${[...machines.keys()].join(", ")}` };
    if (kind === "clear") machine.faults.clear();
    else if ((machineFaults as readonly string[]).includes(kind ?? ""))
      machine.faults.set(kind as MachineFault, Number(count ?? 1_000_000));
    else return { ok: false, error: `no fault ${kind}; faults are ${[...machineFaults, "deaf", "down", "clear"].join(", ")}` };
    return { ok: true, value: { host, faults: Object.fromEntries(machine.faults) } };
  }
  if (verb === "power" && machines.get(host ?? "")) {
    const machine = machines.get(host ?? "") as Machine;
    if (kind === "off") await machine.powerOff();
    else await machine.powerOn();
    return { ok: true, value: machine.power() };
  }
  return { ok: false, error: `unknown command ${words.join(" ")}` };
}

network(site);
execFileSync(
  "bash",
  [join(checkout, "lab/guest/build.sh"), join(cache, "lab/guest"), join(checkout, "lab/keys/id_ed25519.pub"), join(cache, "lab/root")],
  {
    stdio: ["ignore", "ignore", "inherit"],
  },
);
installCobbler(site, cache);
for (const image of ["os", "hv"]) {
  rmSync(`/srv/lab/images/${image}.tar`, { force: true });
  execFileSync("cp", ["--reflink=auto", join(cache, `lab/guest/${image}.tar`), `/srv/lab/images/${image}.tar`]);
}
startDriver();
const machines = startMachines();
await startBmcs(machines);
await daemons.ready("cobblerd", () => answersTcp("127.0.0.1", 25151));
await daemons.ready("web", () => answersTcp(site.driver.address, 80));
await daemons.ready("sshd", () => answersTcp(site.driver.address, 22));
await daemons.ready("dnsmasq", () => answersTcp(site.driver.address, 53));
await serveControl(join(state, "control.sock"), (words) => command(machines, words));
