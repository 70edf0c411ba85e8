import { Resolver } from "node:dns/promises";
import { keyValues } from "../providers/installation/index.ts";
import type { Context } from "../providers/kernel/index.ts";
import { lastRun } from "../providers/puppet/index.ts";
import { connectSsh, type SshTarget } from "../providers/transport/ssh.ts";
import { xmlRpcClient } from "../providers/transport/xmlrpc.ts";
import type { Plan } from "../stacks/plan.ts";
import { clockOf } from "./examine/clocks.ts";
import type { Credentials } from "./pulumi.ts";
import type { SiteProbe } from "./suite.ts";

/** Written by the installation itself; lines `key=value`. */
const proofFile = "/etc/testbed-install";
const secondsPerQuestion = 10;

/** Asks the real site: SSH to the hosts, XML-RPC to cobbler, DNS to the driver. */
export function liveProbe(context: Context, { driver }: Pick<Plan, "driver">, credentials: Credentials): SiteProbe {
  const { url, tlsFingerprint } = driver.cobbler;
  const cobbler = xmlRpcClient(url, { system: `cobbler ${url}`, timeoutSeconds: secondsPerQuestion, tlsFingerprint });
  const resolver = new Resolver({ timeout: 2000, tries: 3 });
  resolver.setServers([driver.address]);
  return {
    async installation(host) {
      const login = credentials.hosts;
      if (!login?.privateKey)
        throw new Error("credential hosts has no privateKey: set it with `pulumi config set --secret --path credentials.hosts.privateKey`");
      const target = { address: host.address, user: login.user ?? "root", privateKey: login.privateKey, hostKey: host.hostKey };
      return keyValues(await fileOver(target, proofFile));
    },
    async system(name) {
      const found = await cobbler.call("get_system", [name]);
      // cobbler answers "~" for what it does not have.
      if (typeof found !== "object" || Array.isArray(found)) return undefined;
      return { profile: String(found.profile), netboot: found.netboot_enabled === true };
    },
    addresses: (fqdn) => resolver.resolve4(fqdn).catch(noSuchName),
    clock: async (host) => (await clockOf(host, driver, credentials)).fault,
    lastRun: ({ address, hostKey }) => lastRun(context, { address, user: "root", hostKey, credential: "hosts" }),
    names: (address) => resolver.reverse(address).catch(noSuchName),
  };
}

async function fileOver(target: SshTarget, file: string): Promise<string> {
  const connection = await connectSsh(target);
  try {
    const { status, stdout, stderr } = await connection.exec(["cat", file], { timeoutSeconds: secondsPerQuestion });
    if (status !== 0) throw new Error(`${target.address}: \`cat ${file}\` ended with status ${status}: ${stderr.trim()}`);
    return stdout;
  } finally {
    connection.close();
  }
}

/** "There is no such name" is an answer; that nobody answers is not. */
function noSuchName(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOTFOUND" || error.code === "ENODATA") return [];
  throw error;
}
