import type { LastRun } from "../providers/puppet/index.ts";
import { type CaseResult, differences, runCase } from "./case.ts";

/** A machine as the stack's outputs describe it. */
export interface ProvedHost {
  name: string;
  address: string;
  hostKey: string;
  tokenFingerprint: string;
  profile: string;
  os?: { id?: string; version?: string };
  generation: string;
}

/** What the suite asks the site; every question is bounded in time and throws when there is no answer. */
export interface SiteProbe {
  /** The proof file of the installation that answers over SSH, with the pinned host key. */
  installation(host: ProvedHost): Promise<Record<string, string>>;
  /** The driver's view of the machine, undefined when it has none. */
  system(name: string): Promise<{ profile: string; netboot: boolean } | undefined>;
  /** Addresses of a name, as the site's DNS answers. */
  addresses(fqdn: string): Promise<string[]>;
  /** Names of an address. */
  names(address: string): Promise<string[]>;
  /** What is wrong with its clock beside the driver's, undefined when nothing is. */
  clock(host: ProvedHost): Promise<string | undefined>;
  /** What the machine says of its last puppet run. */
  lastRun(host: ProvedHost): Promise<LastRun>;
}

export interface ExpectedHost {
  name: string;
  fqdn: string;
  profile: string;
  generation: string;
  /** The role that puppet gives it; undefined where the site has no puppet. */
  role: string | undefined;
}

export interface SuiteRequest {
  /** What the plan asks for. */
  expected: readonly ExpectedHost[];
  /** What the stack says it has. */
  hosts: readonly ProvedHost[];
  probe: SiteProbe;
  fingerprint(token: string): string;
  /** Whether the site's DNS is ours to test. */
  dns: boolean;
  onResult?(result: CaseResult): void;
}

/** Proves every machine that the plan asks for, all at once. One that is not there fails: never "continue with fewer". */
export async function environmentSuite(request: SuiteRequest): Promise<CaseResult[]> {
  const results = await Promise.all(request.expected.map((expected) => proveHost(request, expected)));
  return results.flat();
}

async function proveHost(request: SuiteRequest, expected: ExpectedHost): Promise<CaseResult[]> {
  const host = request.hosts.find((one) => one.name === expected.name);
  const run = async (name: string, action: () => Promise<string | undefined>): Promise<CaseResult> => {
    const result = await runCase(expected.name, name, action);
    request.onResult?.(result);
    return result;
  };
  // Without a pinned key any host would do.
  if (!host?.tokenFingerprint || !host.hostKey) {
    return [
      await run(
        "the stack has proved its installation",
        async () => "the stack has no proved installation of it; run `pulumi up` and see its row",
      ),
    ];
  }
  const cases = [
    run("the wanted installation answers over SSH", () => proveInstallation(request, expected, host)),
    run("cobbler has its profile and will not install it again", () => proveSystem(request, expected)),
  ];
  cases.push(run("its clock agrees with the driver's", () => request.probe.clock(host)));
  const { role } = expected;
  if (role) cases.push(run(`puppet's last run gave it the role ${role}`, async () => roleFault(role, await request.probe.lastRun(host))));
  if (request.dns) cases.push(run("DNS knows its name and its address", () => proveNames(request, expected, host)));
  return Promise.all(cases);
}

async function proveInstallation(request: SuiteRequest, expected: ExpectedHost, host: ProvedHost): Promise<string | undefined> {
  const { token, ...facts } = await request.probe.installation(host);
  const wrong = differences({ system: expected.name, profile: expected.profile, generation: expected.generation }, facts);
  if (!token) wrong.push("it has no install token");
  else if (request.fingerprint(token) !== host.tokenFingerprint)
    wrong.push("its install token is another one: another installation answers");
  return wrong.length > 0 ? `${host.address}: ${wrong.join("; ")}. Raise the host's generation to install it again.` : undefined;
}

async function proveSystem(request: SuiteRequest, expected: ExpectedHost): Promise<string | undefined> {
  const system = await request.probe.system(expected.name);
  if (!system) return `cobbler has no system ${expected.name}; \`pulumi refresh\` and \`pulumi up\` put it back`;
  const wrong = differences({ profile: expected.profile, netboot: "false" }, { profile: system.profile, netboot: String(system.netboot) });
  return wrong.length > 0 ? `cobbler's system ${expected.name}: ${wrong.join("; ")}` : undefined;
}

async function proveNames(request: SuiteRequest, expected: ExpectedHost, host: ProvedHost): Promise<string | undefined> {
  const [addresses, names] = await Promise.all([request.probe.addresses(expected.fqdn), request.probe.names(host.address)]);
  const wrong: string[] = [];
  if (addresses.join() !== host.address)
    wrong.push(`${expected.fqdn} should be ${host.address}, and is ${addresses.join(", ") || "unknown"}`);
  if (!names.includes(expected.fqdn)) wrong.push(`${host.address} should be ${expected.fqdn}, and is ${names.join(", ") || "unknown"}`);
  return wrong.length > 0 ? wrong.join("; ") : undefined;
}

/** Why the last puppet run did not give a machine its role. */
function roleFault(role: string, { role: seen, done, report }: LastRun): string | undefined {
  const wrong = differences({ role }, seen ? { role: seen } : {});
  if (!done) wrong.push("no run of ours has ended well since the last one began");
  if (!report) wrong.push("the machine keeps no report of its last run");
  else if (report.status === "failed" || report.failed.length > 0)
    wrong.push(
      `its report of ${report.time} says failed: ${report.failed.map((one) => `${one.resource} ${one.message}`).join("; ") || "no catalog"}`,
    );
  return wrong.length > 0 ? `${wrong.join("; ")}. \`pulumi refresh\` and \`pulumi up\` run the agent again.` : undefined;
}
