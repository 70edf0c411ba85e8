import { join } from "node:path";
import { stackFolder } from "../cli/project.ts";
import type { OpenStack } from "../cli/stack.ts";
import { isRelease } from "../providers/cloudstack/index.ts";
import { tokenFingerprint } from "../providers/installation/index.ts";
import type { Context } from "../providers/kernel/index.ts";
import { storeGeneration } from "../stacks/arguments.ts";
import type { Plan } from "../stacks/plan.ts";
import type { CaseResult } from "./case.ts";
import { cloudSuite } from "./cloud-suite.ts";
import { junitXml, writeWhole } from "./junit.ts";
import { liveCloudProbe } from "./live-cloud-probe.ts";
import { liveProbe } from "./live-probe.ts";
import { type Credentials, type StackMachines, stackCredentials, stackMachines } from "./pulumi.ts";
import { atSite } from "./site-context.ts";
import { planOf } from "./stack-plan.ts";
import { environmentSuite } from "./suite.ts";
import { suiteStatus, summarize } from "./summary.ts";

/** The environment suite of a stack: a line per check, JUnit XML and a summary. Returns the exit status of the command. */
export async function testStack(opened: OpenStack): Promise<number> {
  const { stack } = opened;
  const plan = planOf(stack);
  const [machines, credentials] = await Promise.all([stackMachines(opened), stackCredentials(opened)]);
  const results = await atSite(opened, (context) => proveSite({ context, plan, machines, credentials, onResult }));
  const file = join(stackFolder(stack), "junit", "environment.xml");
  writeWhole(file, junitXml("environment", results, { stack, site: plan.site, generation: plan.generation }));
  process.stdout.write(`\n${summarize(results)}`);
  return suiteStatus(results);
}

const onResult = (result: CaseResult) =>
  void process.stdout.write(`${result.verdict.padEnd(6)} ${result.host}: ${result.name} (${result.seconds.toFixed(1)} s)\n`);

export interface SiteQuestion {
  context: Context;
  plan: Plan;
  /** What the stack says that it has. */
  machines: StackMachines;
  credentials: Credentials;
  onResult?(result: CaseResult): void;
}

/** Every case of the suite: hosts, the management server and its services, stores. */
export async function proveSite(question: SiteQuestion): Promise<CaseResult[]> {
  return (await Promise.all([machineCases(question), cloudCases(question)])).flat();
}

/** Hosts and the management server's machine, which is installed and proved like them. */
function machineCases({ context, plan, machines, credentials, ...rest }: SiteQuestion): Promise<CaseResult[]> {
  const { hosts, managementServer } = machines;
  const planned = plan.managementServer ? [...plan.machines, plan.managementServer] : plan.machines;
  return environmentSuite({
    ...rest,
    expected: planned.map(({ role, ...one }) => ({ ...one, role: plan.driver.puppet ? role : undefined })),
    hosts: managementServer ? [...hosts, managementServer] : hosts,
    probe: liveProbe(context, plan, credentials),
    fingerprint: tokenFingerprint,
    dns: plan.driver.dns === "dnsmasq",
  });
}

function cloudCases({ context, plan, machines, credentials: _, ...rest }: SiteQuestion): Promise<CaseResult[]> {
  const { managementServer: planned, cloudstack, stores, generation } = plan;
  const proved = machines.managementServer?.tokenFingerprint;
  return cloudSuite({
    ...rest,
    server: planned && proved ? { name: planned.name, address: planned.address, release: cloudstack.release } : undefined,
    isRelease,
    stores: stores.list.map(({ server, path }) => ({ server: server.address, path })),
    storeGeneration: planned && !proved ? undefined : storeGeneration(generation, proved),
    probe: liveCloudProbe(context, plan),
  });
}
