import { exitStatus } from "../cli/exit.ts";
import type { OpenStack } from "../cli/stack.ts";
import { type Context, redact } from "../providers/kernel/index.ts";
import type { Plan } from "../stacks/plan.ts";
import { examineClock } from "./examine/clocks.ts";
import { examineCobbler } from "./examine/cobbler.ts";
import { judgeDriver } from "./examine/driver.ts";
import { lookAtDriver } from "./examine/driver-facts.ts";
import { amiss, type Examined } from "./examine/examined.ts";
import { examineBmc, examineHost, examineName } from "./examine/machines.ts";
import { examineTools } from "./examine/tools.ts";
import { liveProbe } from "./live-probe.ts";
import { stackCredentials, stackMachines } from "./pulumi.ts";
import { atSite } from "./site-context.ts";
import { planOf } from "./stack-plan.ts";

/** Looks at this machine, the driver, the BMCs and the proved hosts of a stack; changes nothing. Returns the exit status of the command. */
export async function examineSite(opened: OpenStack, json: boolean): Promise<number> {
  const plan = planOf(opened.stack);
  const examined = await atSite(opened, async (context) => {
    const parts = [examineTools(opened.environment), driver(context, plan), examineCobbler(context, plan.driver.cobbler, plan.driver)];
    return (await Promise.all([...parts, machines(context, opened, plan)])).flat();
  });
  const wrong = examined.filter((one) => one.wrong !== undefined).length;
  process.stdout.write(
    json ? `${redact(JSON.stringify({ stack: opened.stack, wrong, examined }, undefined, 2))}\n` : render(examined, wrong),
  );
  return wrong > 0 ? exitStatus.infrastructure : exitStatus.ok;
}

async function driver(context: Context, plan: Plan): Promise<Examined[]> {
  const { address, ssh, dnsmasq, dhcp, dns } = plan.driver;
  try {
    const look = await lookAtDriver(context, { address, ...ssh }, dnsmasq);
    return await judgeDriver(look, { ...dnsmasq, address, dhcp, dns });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [
      amiss(`SSH of the driver ${address}`, text, `does credentials.${ssh.credential} fit, and driver.ssh.hostKey of the inventory?`),
    ];
  }
}

async function machines(context: Context, opened: OpenStack, plan: Plan): Promise<Examined[]> {
  const [{ hosts, managementServer }, credentials] = await Promise.all([stackMachines(opened), stackCredentials(opened)]);
  const proved = [...hosts, ...(managementServer ? [managementServer] : [])].filter((machine) => machine.hostKey);
  const probe = liveProbe(context, plan, credentials);
  // Names come with the first `up`: before it there are none to miss.
  const named = plan.driver.dns === "dnsmasq" && hosts.length > 0 ? plan.machines : [];
  return Promise.all([
    ...named.map((machine) => examineName(machine, probe)),
    ...plan.machines.map((machine) => examineBmc(machine, plan.driver, credentials)),
    ...proved.map((host) => examineHost(host, credentials)),
    ...proved.map((host) => examineClock(host, plan.driver, credentials)),
  ]);
}

function render(examined: readonly Examined[], wrong: number): string {
  const lines = examined.map((one) =>
    one.wrong === undefined ? `ok     ${one.what}: ${one.seen}` : `WRONG  ${one.what}: ${one.wrong}\n       remedy: ${one.remedy}`,
  );
  return redact(`${lines.join("\n")}\n${wrong === 0 ? "all is well" : `${wrong} of ${examined.length} need attention`}\n`);
}
