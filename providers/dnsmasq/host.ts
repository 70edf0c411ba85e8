import { Resolver } from "node:dns/promises";
import { z } from "zod";
import { type Context, coalesce, defineResource, errorText, limiter, markText, waitFor } from "../kernel/index.ts";
import { type Driver, driverSchema, FOREIGN, runOnDriver } from "../site/index.ts";

export interface HostInputs {
  server: Driver;
  hostsDirectory: string;
  dhcpHostsDirectory: string;
  pidFile: string;
  domain: string;
  name: string;
  mac: string;
  address: string;
  dhcp: boolean;
}

export interface HostOutputs {
  fqdn: string;
}

const hostsLine = (inputs: HostInputs) => `${inputs.address} ${inputs.name}.${inputs.domain} ${inputs.name}`;
const dhcpLine = (inputs: HostInputs) => (inputs.dhcp ? `${inputs.mac},${inputs.address},${inputs.name}` : "");

// Under one lock: conflicts with any other entry first, then both files by rename; dnsmasq ignores names that start with a dot.
const WRITE = `
set -eu
hosts=$1 dhcp=$2 name=$3 mark=$4 hosts_line=$5 dhcp_line=$6 mac=$7 address=$8
exec 9>"$hosts/.lock"
flock -w 30 9 || { echo "the lock $hosts/.lock is held for more than 30 s" >&2; exit 1; }
for directory in "$hosts" "$dhcp"; do
  file=$directory/$name
  if [ -e "$file" ] && [ "$(head -n 1 "$file")" != "# $mark" ]; then
    echo "$file is not ours: its first line is $(head -n 1 "$file")" >&2
    exit ${FOREIGN}
  fi
  for other in "$directory"/*; do
    [ -e "$other" ] && [ "$other" != "$file" ] || continue
    if grep -qiE "(^|[ ,])($mac|$(printf %s "$address" | sed 's/[.]/[.]/g')|$name)([ ,]|\\$)" "$other"; then
      echo "$mac, $address or $name is in $other already" >&2
      exit ${FOREIGN}
    fi
  done
done
put() {
  if [ -z "$3" ]; then rm -f "$1/$2"; return; fi
  printf '# %s\\n%s\\n' "$mark" "$3" >"$1/.$2.new"
  chmod 644 "$1/.$2.new"
  mv "$1/.$2.new" "$1/$2"
}
put "$hosts" "$name" "$hosts_line"
put "$dhcp" "$name" "$dhcp_line"
`;

const READ = `cat "$1/$3" 2>/dev/null; echo --; cat "$2/$3" 2>/dev/null; exit 0`;

const REMOVE = `
set -eu
hosts=$1 dhcp=$2 name=$3 mark=$4
for file in "$hosts/$name" "$dhcp/$name"; do
  [ -e "$file" ] || continue
  [ "$(head -n 1 "$file")" = "# $mark" ] || { echo "$file is not ours" >&2; exit ${FOREIGN}; }
  rm "$file"
done
`;

// A pid file may be stale: the signal goes to dnsmasq only.
const RELOAD = `pid=$(cat "$1") && [ "$(cat "/proc/$pid/comm")" = dnsmasq ] && kill -HUP "$pid"`;

/** A changed or deleted DHCP line stays in dnsmasq's memory until a SIGHUP (dnsmasq facts A1). Concurrent changes share one. */
function reload(context: Context, inputs: HostInputs): Promise<void> {
  return coalesce(
    `dnsmasq-reload ${inputs.server.address}`,
    async () => void (await runOnDriver(context, inputs.server, "dnsmasq", RELOAD, [inputs.pidFile])),
  );
}

/** What dnsmasq answers for the name, and for the address. */
async function ask(inputs: HostInputs): Promise<string> {
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([inputs.server.address]);
  const fqdn = `${inputs.name}.${inputs.domain}`;
  const answer = (question: Promise<string[]>) =>
    question.then(
      (values) => values.sort().join(" "),
      (error: unknown) => (error as { code?: string }).code ?? errorText(error),
    );
  return `${await answer(resolver.resolve4(fqdn))} ${await answer(resolver.reverse(inputs.address))}`;
}

const oneAtATime = (inputs: { server: Driver }) => limiter(`dnsmasq ${inputs.server.address}`, 4);

export const host = defineResource<HostInputs, HostOutputs>({
  type: "dnsmasq:Host",
  summary: "Name, address and MAC of one machine in dnsmasq's host folders: DNS, and DHCP where dnsmasq serves it.",
  inputs: z.object({
    server: driverSchema.describe("The driver."),
    hostsDirectory: z.string().startsWith("/").describe("dnsmasq's `hostsdir`."),
    dhcpHostsDirectory: z.string().startsWith("/").describe("dnsmasq's `dhcp-hostsdir`."),
    pidFile: z.string().startsWith("/").describe("dnsmasq's pid file."),
    domain: z
      .string()
      .regex(/^[a-z0-9.-]+$/)
      .describe("DNS domain."),
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "must be a host name by RFC 1123")
      .describe("Host name without the domain."),
    mac: z
      .string()
      .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, "must be six lower-case hexadecimal bytes with colons")
      .describe("MAC address."),
    address: z.ipv4().describe("IPv4 address."),
    dhcp: z.boolean().default(true).describe("Whether dnsmasq serves this machine's DHCP. False where cobbler declares the MAC."),
  }),
  outputs: { fqdn: "The full name, as DNS answers it." },
  replaceOn: ["name", "hostsDirectory", "dhcpHostsDirectory"],
  deadlineSeconds: 120,
  id: (inputs) => `host/${inputs.name}.${inputs.domain}`,
  async observe(context, inputs) {
    const text = await oneAtATime(inputs)(() =>
      runOnDriver(context, inputs.server, inputs.name, READ, [inputs.hostsDirectory, inputs.dhcpHostsDirectory, inputs.name]),
    );
    const [hosts = "", dhcp = ""] = text
      .split("--\n")
      .map((part) => part.split("\n").find((line) => line !== "" && !line.startsWith("#")) ?? "");
    if (!hosts && !dhcp) return undefined;
    const [mac = inputs.mac] = dhcp.split(",");
    return {
      inputs: { address: hosts.split(" ")[0] || inputs.address, mac: mac || inputs.mac, dhcp: dhcp !== "" },
      outputs: { fqdn: `${inputs.name}.${inputs.domain}` },
    };
  },
  async reconcile(context, inputs) {
    const fqdn = `${inputs.name}.${inputs.domain}`;
    context.touched();
    const { hostsDirectory: hosts, dhcpHostsDirectory: dhcp, name, mac, address } = inputs;
    await oneAtATime(inputs)(() =>
      runOnDriver(context, inputs.server, name, WRITE, [
        hosts,
        dhcp,
        name,
        markText(context.mark),
        hostsLine(inputs),
        dhcpLine(inputs),
        mac,
        address,
      ]),
    );
    await reload(context, inputs);
    const wanted = `${address} ${fqdn}`;
    await waitFor(
      `DNS to answer "${wanted}"`,
      context,
      { timeoutSeconds: 15, everySeconds: 0.1, object: fqdn, system: `dnsmasq ${inputs.server.address}` },
      async () => {
        const seen = await ask(inputs);
        return seen === wanted ? { done: undefined } : { seen };
      },
    );
    return { fqdn };
  },
  async remove(context, state) {
    await oneAtATime(state)(() =>
      runOnDriver(context, state.server, state.name, REMOVE, [
        state.hostsDirectory,
        state.dhcpHostsDirectory,
        state.name,
        markText(context.mark),
      ]),
    );
    await reload(context, state);
  },
});
