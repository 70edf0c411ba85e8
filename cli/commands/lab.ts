import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { cloudFaults } from "../../lab/cloudstack/faults.ts";
import { daemonFaults, hostFaults, ownFaults } from "../../lab/faults.ts";
import { type Lab, labCommand, labExecArguments, labStatus, resetLab, startLab, stopLab } from "../../lab/index.ts";
import { machineFaults } from "../../lab/machine.ts";
import { type Netboot, netboots } from "../../lab/settings.ts";
import { serverFaults, vmFaults } from "../../lab/xapi/faults.ts";
import { become } from "../child.ts";
import { CommandError, exitStatus } from "../exit.ts";
import { insideVariable, labOf } from "../lab-place.ts";
import { table } from "../table.ts";

interface LabOptions {
  light?: boolean;
  hosts?: number;
  netboot?: Netboot;
  state?: string;
  site: string;
  json?: boolean;
  follow?: boolean;
}

const place = (options: LabOptions): Lab => labOf(options.site, options.state);

export function addLab(program: Command): void {
  const lab = program
    .command("lab")
    .summary("the embedded lab: a whole site on this machine")
    .description(
      "Serves an embedded site (real cobblerd, dnsmasq, sshd and BMCs, machines that install themselves) inside namespaces of its own. " +
        "Needs root and what `make setup-lab` gets. Nothing on the machine outside the lab's state folder changes.",
    )
    .enablePositionalOptions();
  const add = (name: string, text: string) =>
    lab
      .command(name)
      .description(text)
      .option("--state <folder>", "the lab's state folder (default: .testbed/lab)")
      .option("--site <name>", "the embedded site to serve", "lab");
  addLife(add);
  addLooks(add);
  addMeddling(add);
}

type Add = (name: string, text: string) => Command;

function addLife(add: Add): void {
  add("start", "Starts the lab and returns when every daemon answers; does nothing when it runs already.")
    .option("--light", "light hosts: network namespaces that install themselves without CPU emulation (default: QEMU hosts)")
    .option("--hosts <n>", "play only the first n machines of the site", positive)
    .addOption(new Option("--netboot <way>", "what machines boot through (default: ipxe)").choices(netboots))
    .action(async (options: LabOptions) => {
      const began = performance.now();
      const { hosts, netboot } = options;
      const outcome = await startLab(place(options), { machines: options.light ? "light" : undefined, hostCount: hosts, netboot });
      print(outcome === "started" ? `lab started in ${((performance.now() - began) / 1000).toFixed(1)} s` : "lab is running already");
    });
  add("stop", "Ends every process of the lab. Disks and the daemons' data stay: stack state and lab agree after the next start.").action(
    async (options: LabOptions) => print(`lab ${await stopLab(place(options))}`),
  );
  add("reset", "Stops the lab and forgets its disks, objects and logs.").action(async (options: LabOptions) => {
    await resetLab(place(options));
    print("lab forgotten");
  });
}

function addLooks(add: Add): void {
  add("status", "Shows the daemons, and each host's power, boot device and faults.")
    .option("--json", "print it as JSON")
    .action((options: LabOptions) => showStatus(place(options), options.json ?? false));
  add("logs", "Lists the lab's logs, or shows one.")
    .argument("[name]", "a log, without .log")
    .option("-f, --follow", "wait for more, until interrupted")
    .action((name: string | undefined, options: LabOptions) => showLog(place(options), name, options.follow ?? false));
  add("console", "Follows the serial console of a host, until interrupted.")
    .argument("<host>", "name of the host")
    .action((host: string, options: LabOptions) => showLog(place(options), `console-${host}`, true));
}

function addMeddling(add: Add): void {
  add("exec", "Runs a command inside the lab's namespaces, without the environment of a stack.")
    .argument("<command...>", "the command and its arguments, after --")
    .passThroughOptions()
    .action((command: string[], options: LabOptions) => {
      become(labExecArguments(place(options), process.cwd(), command), { ...process.env, [insideVariable]: options.site });
    });
  add("power", "Switches a host as if by its button, past its BMC.")
    .argument("<host>", "name of the host")
    .addArgument(new Argument("<state>", "what it shall be").choices(["on", "off"]))
    .action(async (host: string, state: string, options: LabOptions) => print(await ask(place(options), ["power", host, state])));
  add("fault", "Makes a host, its BMC or a daemon misbehave, until `clear`.")
    .argument("<name>", "host, daemon, VM or XenServer (see `lab status`)")
    .argument("<fault>", "what it shall do wrong, or clear")
    .argument("[count]", "how often, for a fault of a boot; seconds, for slow")
    .addHelpText("after", faultHelp())
    .action(async (name: string, fault: string, count: string | undefined, options: LabOptions) =>
      print(await ask(place(options), ["fault", name, fault, ...(count === undefined ? [] : [count])])),
    );
}

function faultHelp(): string {
  const list = (title: string, faults: Record<string, string>) =>
    `\n${title}:\n${table(Object.entries(faults).map(([name, text]) => [`  ${name}`, text]))}`;
  return (
    list("Faults of hosts", { ...machineFaults, ...hostFaults }) +
    list("Faults of management servers", cloudFaults) +
    list("Faults of daemons", daemonFaults) +
    Object.entries(ownFaults)
      .map(([name, { faults }]) => list(`Faults of the daemon ${name}`, faults))
      .join("") +
    list("Faults of the XenServer", serverFaults) +
    list("Faults of VMs, and those of hosts that a BMC does not play", vmFaults)
  );
}

function positive(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("A number from 1 on is wanted.");
  return Number(text);
}

async function showStatus(lab: Lab, json: boolean): Promise<void> {
  const status = await labStatus(lab);
  if (json) return print(JSON.stringify(status, undefined, 2));
  const disk = (installed?: { profile: string; generation: string }) =>
    installed ? `${installed.profile}, generation ${installed.generation}` : "nothing";
  const list = (faults: Record<string, number | null>) =>
    Object.entries(faults)
      .map(([fault, times]) => (times === null ? fault : `${fault}:${times}`))
      .join(" ");
  const { virtualMachines, faults } = status.xenServer;
  const rows = [
    ...status.hosts.map((one) => [one.name, one.power, one.bootDevice, one.runs, disk(one.installed), list(one.faults)]),
    ...virtualMachines.map((one) => [one.name, one.power, "VM", one.runs, disk(one.installed), list(one.faults)]),
    ...(Object.keys(faults).length > 0 ? [["XenServer", "", "", "", "", list(faults)]] : []),
  ];
  process.stdout.write(
    `site ${status.site}, ${status.machines} hosts, state ${lab.state}\n${table([["DAEMON", "STATE"], ...Object.entries(status.daemons)])}`,
  );
  process.stdout.write(table([["HOST", "POWER", "BOOT", "RUNS", "DISK", "FAULTS"], ...rows]));
}

/** Names are looked up among the files there are, so that none leads out of the folder. */
function showLog(lab: Lab, name: string | undefined, follow: boolean): void {
  const folder = join(lab.state, "log");
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".log")) : [];
  if (name === undefined) {
    print(files.map((file) => join(folder, file)).join("\n"));
    return;
  }
  const file = `${name}.log`;
  if (!files.includes(file)) {
    const known = files.map((one) => one.slice(0, -4)).join(", ") || "none";
    throw new CommandError(exitStatus.input, `There is no log ${name} in ${folder}. Logs there: ${known}.`);
  }
  if (follow) become(["tail", "-n", "100", "-F", join(folder, file)], process.env);
  process.stdout.write(readFileSync(join(folder, file)));
}

async function ask(lab: Lab, words: string[]): Promise<string> {
  const reply = await labCommand(lab, words);
  if (!reply.ok) throw new CommandError(exitStatus.input, reply.error);
  return typeof reply.value === "string" ? reply.value : JSON.stringify(reply.value);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
