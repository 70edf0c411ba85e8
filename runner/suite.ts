/** A host as the stack's outputs describe it. */
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
}

/** `failed`: an answer that is not the expected one. `error`: no answer, so nothing is known. */
export type CaseVerdict = "ok" | "failed" | "error";

export interface CaseResult {
  host: string;
  name: string;
  verdict: CaseVerdict;
  seconds: number;
  /** Expected, seen, what to do. */
  message?: string;
}

export interface ExpectedHost {
  name: string;
  fqdn: string;
  profile: string;
  generation: string;
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

/** Proves every host that the plan asks for, all at once. A host that is not there fails: never "continue with fewer". */
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

function differences(expected: Record<string, string>, seen: Record<string, string>): string[] {
  return Object.entries(expected)
    .filter(([key, value]) => seen[key] !== value)
    .map(([key, value]) => `${key} should be ${value}, and is ${seen[key] ?? "not said"}`);
}

async function runCase(host: string, name: string, action: () => Promise<string | undefined>): Promise<CaseResult> {
  const began = performance.now();
  const end = (verdict: CaseVerdict, message?: string): CaseResult => ({
    host,
    name,
    verdict,
    seconds: (performance.now() - began) / 1000,
    ...(message === undefined ? {} : { message }),
  });
  try {
    const wrong = await action();
    return wrong === undefined ? end("ok") : end("failed", wrong);
  } catch (error) {
    return end("error", error instanceof Error ? error.message : String(error));
  }
}
