import { spawn } from "node:child_process";
import { type FailureKind, limiter, TestbedError } from "../kernel/index.ts";
import { type SshTarget, sshExec } from "./ssh.ts";

export interface IpmiTarget {
  address: string;
  port: number;
  user: string;
  password: string;
  /** Always given: without it ipmitool first asks the BMC for its suites, which costs 10 s where that is not answered. */
  cipherSuite: number;
  /** Least time between two commands. Real BMCs crash when asked faster than every 5 s (bmc facts §4). */
  pacingSeconds: number;
  /** The machine that can reach the BMC, where ipmitool then runs. @default here */
  via?: SshTarget & { hostKey: string };
}

/** A process that hangs is ended after this: above ipmitool's own limit for -N 3 -R 2 (14 s). */
const PROCESS_SECONDS = 30;

const lastCommand = new Map<string, number>();

interface Class {
  pattern: RegExp;
  kind: FailureKind;
  code: string;
  message: string;
  remedy: string;
}

// ipmitool's last line is the same for all of these; only -v tells them apart (bmc facts §2).
const classes: Class[] = [
  {
    pattern: /RAKP 2 HMAC is invalid/,
    kind: "refused",
    code: "password",
    message: "the BMC refuses the password",
    remedy: "correct the BMC credential; it is not tried again, since BMCs lock accounts",
  },
  {
    pattern: /unauthorized name|RAKP 4 message has invalid integrity/,
    kind: "refused",
    code: "user",
    message: "the BMC does not know the user",
    remedy: "correct the BMC credential",
  },
  {
    pattern: /unauthorized role or privilege|invalid role|Insufficient privilege level/,
    kind: "refused",
    code: "privilege",
    message: "the account has too few rights",
    remedy: "give it the operator privilege on the BMC's LAN channel",
  },
  {
    pattern: /invalid authentication algorithm|no matching cipher suite|Unsupported cipher suite/,
    kind: "refused",
    code: "cipher-suite",
    message: "the BMC does not speak this cipher suite",
    remedy: "set bmc.cipherSuite to 17 or 3 in the inventory",
  },
  {
    pattern: /Address lookup for .* failed|Could not open socket/,
    kind: "refused",
    code: "address",
    message: "the BMC's name cannot be resolved",
    remedy: "use its address in the inventory",
  },
  {
    pattern: /insufficient resources for session|Node busy|BMC initialization in progress|Out of space/i,
    kind: "unreachable",
    code: "busy",
    message: "the BMC is busy",
    remedy: "wait, or reset the BMC",
  },
  {
    pattern: /Unable to establish|Get Auth Capabilities error|Error issuing Get Channel/,
    kind: "unreachable",
    code: "no-answer",
    message: "the BMC does not answer",
    remedy: "is it powered, and its network reachable from here?",
  },
];

export function classifyIpmi(stderr: string): Omit<Class, "pattern"> {
  const found = classes.find((one) => one.pattern.test(stderr));
  if (found) return { kind: found.kind, code: found.code, message: found.message, remedy: found.remedy };
  const line = stderr.trim().split("\n").at(-1) ?? "";
  return { kind: "refused", code: "refused", message: line || "ipmitool failed without a message", remedy: "see the BMC's own log" };
}

/** How a BMC is named in errors. */
export function bmcName(target: Pick<IpmiTarget, "address" | "via">): string {
  return `BMC ${target.address}${target.via ? ` through ${target.via.address}` : ""}`;
}

/** Runs one ipmitool command: one at a time and paced per BMC, the password in that child's environment only. Returns its standard output. */
export function ipmitool(target: IpmiTarget, command: readonly string[]): Promise<string> {
  const key = `bmc ${target.via?.address ?? ""} ${target.address}:${target.port}`;
  return limiter(
    key,
    1,
  )(async () => {
    const wait = (lastCommand.get(key) ?? Number.NEGATIVE_INFINITY) + target.pacingSeconds * 1000 - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      return await run(target, command);
    } finally {
      lastCommand.set(key, performance.now());
    }
  });
}

interface End {
  /** Undefined when it was killed because it hung. */
  status: number | undefined;
  stdout: string;
  stderr: string;
}

async function run(target: IpmiTarget, command: readonly string[]): Promise<string> {
  // -N 3 -R 2: a slow BMC executes every retransmission; with a longer first wait there are fewer (bmc facts §3).
  const { address, port, user, cipherSuite } = target;
  const options = `-I lanplus -H ${address} -p ${port} -E -C ${cipherSuite} -N 3 -R 2 -v`.split(" ");
  const args = [...options, "-U", user, ...command];
  const end = target.via ? await runOn(target.via, target.password, args) : await runHere(target.password, args);
  const about = { system: bmcName(target), object: command.join(" ") };
  if (end.status === undefined)
    throw new TestbedError({ ...about, kind: "unreachable", code: "hung", message: `ipmitool did not end within ${PROCESS_SECONDS} s` });
  // `bootdev` exits 0 even when the BMC refused it; the refusal is on stderr and nothing on stdout (bmc facts §2).
  if (end.status === 0 && end.stdout.trim() !== "") return end.stdout;
  throw new TestbedError({ ...about, ...classifyIpmi(end.stderr) });
}

function runHere(password: string, args: readonly string[]): Promise<End> {
  return new Promise((resolve, reject) => {
    const child = spawn("ipmitool", args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, LC_ALL: "C", IPMITOOL_PASSWORD: password },
    });
    // Not spawn's own limit: its timer outlives a program that could not be started, and keeps this process alive.
    const limit = setTimeout(() => child.kill("SIGKILL"), PROCESS_SECONDS * 1000);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    child.once("error", (error) => {
      clearTimeout(limit);
      reject(notInstalled("this machine", error.message, error));
    });
    child.once("close", (status, signal) => {
      clearTimeout(limit);
      resolve({ status: signal ? undefined : (status ?? 1), stdout, stderr });
    });
  });
}

/** The password is the first line of standard input and then in that one process's environment: in no argument and no file. */
const REMOTE = `
PATH=$PATH:/usr/local/bin:/usr/sbin:/sbin
command -v ipmitool >/dev/null || exit 127
IFS= read -r IPMITOOL_PASSWORD
export IPMITOOL_PASSWORD LC_ALL=C
exec timeout -s KILL ${PROCESS_SECONDS} ipmitool "$@"
`;

async function runOn(via: SshTarget & { hostKey: string }, password: string, args: readonly string[]): Promise<End> {
  const { status, stdout, stderr } = await sshExec(via, ["sh", "-c", REMOTE, "ipmitool", ...args], {
    stdin: `${password}\n`,
    // The remote limit comes first, so that it is known to have ended there.
    timeoutSeconds: PROCESS_SECONDS + 15,
  });
  if (status === 127) throw notInstalled(`driver ${via.address}`, "there is no such program");
  // 137: ended by timeout's SIGKILL.
  return { status: status === 137 ? undefined : status, stdout, stderr };
}

function notInstalled(system: string, message: string, cause?: unknown): TestbedError {
  return new TestbedError({
    system,
    object: "ipmitool",
    kind: "invalid",
    code: "no-ipmitool",
    message: `cannot be run: ${message}`,
    remedy: "install ipmitool there",
    cause,
  });
}
