import { CommandError, exitStatus } from "../cli/exit.ts";
import { projectFolder } from "../cli/project.ts";
import type { OpenStack } from "../cli/stack.ts";
import { ipmitool } from "../providers/transport/ipmitool.ts";
import { xmlRpcClient } from "../providers/transport/xmlrpc.ts";
import { loadInputs } from "../stacks/load.ts";
import type { Plan, PlannedMachine } from "../stacks/plan.ts";
import { liveProbe } from "./live-probe.ts";
import { type Credentials, stackCredentials } from "./pulumi.ts";

export interface Examined {
  what: string;
  /** What was seen; absent when the question failed. */
  seen?: string;
  wrong?: string;
  remedy?: string;
}

/** Looks at the live driver and the BMCs of a stack's site; changes nothing. Returns the exit status of the command. */
export async function examineSite(opened: OpenStack): Promise<number> {
  const { plan } = loadInputs(projectFolder, { stack: opened.stack });
  if (!plan)
    throw new CommandError(exitStatus.input, `Stack ${opened.stack} has no plan while its inputs have faults: see \`testbed check\`.`);
  const credentials = await stackCredentials(opened);
  const probe = liveProbe(plan, credentials);
  const examined = await Promise.all([
    examine(`cobbler ${plan.driver.cobbler.url}`, "is cobblerd running, and its web service in front of it?", () =>
      cobblerVersion(plan.driver.cobbler.url),
    ),
    ...plan.machines.map((machine) =>
      examine(
        `name ${machine.fqdn}`,
        "before the first `up` no name is known; afterwards `pulumi refresh` and `pulumi up` put it back",
        async () => {
          const addresses = await probe.addresses(machine.fqdn);
          if (addresses.join() !== machine.address)
            throw new Error(`should be ${machine.address}, and is ${addresses.join(", ") || "unknown"}`);
          return machine.address;
        },
      ),
    ),
    ...plan.machines.map((machine) =>
      examine(
        `BMC of ${machine.name}, ${machine.bmc.address}`,
        "is it powered and cabled, is IPMI over LAN on, is the credential right?",
        () => bmcPower(plan, machine, credentials),
      ),
    ),
  ]);
  for (const one of examined) process.stdout.write(line(one));
  return examined.some((one) => one.wrong !== undefined) ? exitStatus.infrastructure : exitStatus.ok;
}

function line(one: Examined): string {
  if (one.wrong === undefined) return `ok     ${one.what}: ${one.seen}\n`;
  return `WRONG  ${one.what}: ${one.wrong}\n       ${one.remedy}\n`;
}

async function examine(what: string, remedy: string, ask: () => Promise<string>): Promise<Examined> {
  try {
    return { what, seen: await ask() };
  } catch (error) {
    return { what, wrong: error instanceof Error ? error.message : String(error), remedy };
  }
}

async function cobblerVersion(url: string): Promise<string> {
  const answer = await xmlRpcClient(url, { system: `cobbler ${url}`, timeoutSeconds: 10 }).call("extended_version", []);
  const version = typeof answer === "object" && !Array.isArray(answer) ? String(answer.version) : String(answer);
  if (!version.startsWith("3.3.")) throw new Error(`its version is ${version}; supported is 3.3`);
  return version;
}

async function bmcPower(plan: Plan, machine: PlannedMachine, credentials: Credentials): Promise<string> {
  const { via, ...bmc } = machine.bmc;
  const login = credentials[bmc.credential];
  if (!login?.user || !login.password) throw new Error(`credential ${bmc.credential} has no user and password`);
  const { ssh, address } = plan.driver;
  const driver = { address, user: ssh.user, hostKey: ssh.hostKey, privateKey: credentials[ssh.credential]?.privateKey ?? "" };
  const target = { ...bmc, user: login.user, password: login.password, ...(via === "driver" ? { via: driver } : {}) };
  const answer = await ipmitool(target, ["chassis", "power", "status"]);
  return answer.trim();
}
