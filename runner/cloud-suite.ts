import { type CaseResult, differences, runCase } from "./case.ts";

/** What the suite asks of the management server and of the NFS servers. */
export interface CloudProbe {
  /** What the database says first. */
  database(address: string): Promise<string>;
  /** The release that the open port names. */
  release(address: string): Promise<string>;
  /** What the API says to somebody without keys: undefined when it refuses him, as it must. */
  api(address: string): Promise<string | undefined>;
  /** The generation of our marker in a store; or why it is none of ours. */
  marker(store: ExpectedStore): Promise<{ generation: string } | { fault: string }>;
  /** Why a store is not exported, undefined when it is. */
  exported(store: ExpectedStore): Promise<string | undefined>;
}

export interface ExpectedStore {
  server: string;
  path: string;
}

export interface CloudRequest {
  /** Undefined where the stack has none, or has not proved it. */
  server: { name: string; address: string; release: string } | undefined;
  isRelease(seen: string, wanted: string): boolean;
  stores: readonly ExpectedStore[];
  /** What every store's marker must say; undefined while the cloud that it belongs to is unknown. */
  storeGeneration: string | undefined;
  probe: CloudProbe;
  onResult?(result: CaseResult): void;
}

/** The management server's services and the stores, all at once. */
export async function cloudSuite(request: CloudRequest): Promise<CaseResult[]> {
  const run = async (host: string, name: string, action: () => Promise<string | undefined>) => {
    const result = await runCase(host, name, action);
    request.onResult?.(result);
    return result;
  };
  const { server, probe } = request;
  const cases = request.stores.flatMap((store) => {
    const name = `${store.server}:${store.path}`;
    return [
      run("stores", `${name} is there, mounted, and carries this stack's marker`, () => markerFault(request, store)),
      run("stores", `${name} is exported`, () => probe.exported(store)),
    ];
  });
  if (server) {
    const { name, address, release } = server;
    cases.push(
      run(name, "its database answers (3306)", async () => {
        await probe.database(address);
        return undefined;
      }),
      run(name, `the release under test answers on the open port (8096): ${release}`, () => releaseFault(request, address, release)),
      run(name, "the API answers (8080), and refuses who has no keys", () => probe.api(address)),
    );
  }
  return Promise.all(cases);
}

async function releaseFault({ probe, isRelease }: CloudRequest, address: string, wanted: string): Promise<string | undefined> {
  const seen = await probe.release(address);
  if (isRelease(seen, wanted)) return undefined;
  return `${address} should run ${wanted}, and runs ${seen}: see \`cloudstack.packages\` of the stack, and install the machine anew`;
}

async function markerFault({ probe, storeGeneration }: CloudRequest, store: ExpectedStore): Promise<string | undefined> {
  const seen = await probe.marker(store);
  if ("fault" in seen) return seen.fault;
  const expected: Record<string, string> = storeGeneration === undefined ? {} : { generation: storeGeneration };
  const [wrong] = differences(expected, seen);
  return wrong && `${store.path}: its marker's ${wrong}: it was not emptied for this cloud; \`pulumi refresh\` and \`pulumi up\` do that`;
}
