import { Command } from "commander";
import { type Lab, labCommand, labExecArguments, labStatus, resetLab, startLab, stopLab } from "../../lab/index.ts";
import { become } from "../child.ts";
import { CommandError, exitStatus } from "../exit.ts";
import { insideVariable, labOf } from "../lab-place.ts";
import { table } from "../table.ts";

interface LabOptions {
  state?: string;
  site: string;
  json?: boolean;
}

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
    lab.addCommand(
      new Command(name)
        .description(text)
        .option("--state <folder>", "the lab's state folder (default: .testbed/lab)")
        .option("--site <name>", "the embedded site to serve", "lab"),
    ) && (lab.commands.find((one) => one.name() === name) as Command);
  const place = (options: LabOptions): Lab => labOf(options.site, options.state);

  add("start", "Starts the lab and returns when every daemon answers; does nothing when it runs already.").action(
    async (options: LabOptions) => {
      const began = performance.now();
      const outcome = await startLab(place(options));
      print(outcome === "started" ? `lab started in ${((performance.now() - began) / 1000).toFixed(1)} s` : "lab is running already");
    },
  );
  add(
    "stop",
    "Ends every process of the lab. Disks and the daemons' data stay, so that stack state and lab agree after the next start.",
  ).action(async (options: LabOptions) => print(`lab ${await stopLab(place(options))}`));
  add("reset", "Stops the lab and forgets its disks, objects and logs.").action(async (options: LabOptions) => {
    await resetLab(place(options));
    print("lab forgotten");
  });
  add("status", "Shows the daemons, and each host's power, boot device and faults.")
    .option("--json", "print it as JSON")
    .action((options: LabOptions) => showStatus(place(options), options.json ?? false));
  add("exec", "Runs a command inside the lab's namespaces, without the environment of a stack.")
    .argument("<command...>", "the command and its arguments, after --")
    .passThroughOptions()
    .action((command: string[], options: LabOptions) => {
      become(labExecArguments(place(options), process.cwd(), command), { ...process.env, [insideVariable]: options.site });
    });
  add("fault", "Makes a host or its BMC misbehave, or ends that: the words are passed to the lab's supervisor.")
    .argument("<words...>", "for example: h11 pxe-lost 1")
    .action(async (words: string[], options: LabOptions) => print(await ask(place(options), ["fault", ...words])));
}

async function showStatus(lab: Lab, json: boolean): Promise<void> {
  const status = await labStatus(lab);
  if (json) return print(JSON.stringify(status, undefined, 2));
  const daemons = Object.entries(status.daemons).map(([name, state]) => [name, state]);
  const hosts = status.hosts.map((host) => [
    host.name,
    host.power,
    host.bootDevice,
    Object.entries(host.faults)
      .map(([fault, times]) => `${fault}:${times}`)
      .join(" "),
  ]);
  process.stdout.write(`site ${status.site}, state ${lab.state}\n${table([["DAEMON", "STATE"], ...daemons])}`);
  process.stdout.write(table([["HOST", "POWER", "BOOT", "FAULTS"], ...hosts]));
}

async function ask(lab: Lab, words: string[]): Promise<string> {
  const reply = await labCommand(lab, words);
  if (!reply.ok) throw new CommandError(exitStatus.input, reply.error);
  return JSON.stringify(reply.value ?? "ok");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
