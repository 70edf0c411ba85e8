import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const checkout = join(import.meta.dirname, "../..");
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "cloudstack-testbed");

export const master = { name: "master.lab.test", address: "10.91.0.240" };
export const node = { name: "node.lab.test", address: "10.91.0.241" };

/** puppetserver's own start on two busy cores; alone on them it takes 40 s. */
const START_SECONDS = 480;

const children: ChildProcess[] = [];

/** Starts the two machines with the real puppet (tools/setup/puppet.sh) inside the lab's namespaces, and waits for puppetserver. */
export async function startMachines(): Promise<void> {
  const software = realpathSync(join(cache, "puppet/current"));
  mkdirSync(join(checkout, "reports"), { recursive: true });
  for (const { name, address } of [master, node]) {
    execFileSync("ip", ["addr", "replace", `${address}/24`, "dev", "br0"]);
    const log = openSync(join(checkout, "reports", `puppet-${name}.log`), "w");
    const namespaces = ["--pdeathsig", "KILL", "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const machine = ["bash", join(checkout, "test/puppet/machine.sh"), software, name, address, master.name, master.address];
    const args = [...namespaces, ...machine, join(checkout, "lab/keys")];
    children.push(spawn("setpriv", args, { stdio: ["ignore", log, log] }));
    closeSync(log);
  }
  const deadline = performance.now() + START_SECONDS * 1000;
  while (!puppetserverRuns()) {
    if (performance.now() > deadline)
      throw new Error(`puppetserver is not up after ${START_SECONDS} s: see reports/puppet-${master.name}.log`);
    if (children[0]?.exitCode !== null) throw new Error(`the master ended: see reports/puppet-${master.name}.log`);
    await pause(1000);
  }
}

function puppetserverRuns(): boolean {
  try {
    const url = `https://${master.address}:8140/status/v1/simple`;
    return execFileSync("curl", ["-sk", "--max-time", "10", url], { encoding: "utf8" }) === "running";
  } catch {
    return false;
  }
}

export async function stopMachines(): Promise<void> {
  await Promise.all(
    children.map((child) => {
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      return ended;
    }),
  );
  for (const { address } of [master, node]) execFileSync("ip", ["addr", "del", `${address}/24`, "dev", "br0"]);
}
