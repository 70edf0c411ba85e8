import { type Context, limiter, session, TestbedError, waitFor } from "../kernel/index.ts";
import { type Driver, driverTarget } from "../site/index.ts";
import { sshExec } from "../transport/ssh.ts";
import { type CleanAnswer, cleanFailure, cleanOutcome, type Way } from "./clean-answer.ts";
import { PUPPET_PATH } from "./node.ts";

/** The puppet CA of a driver, as it was found. */
interface Authority {
  way: Way;
  /** Names that are the driver's own, in lower case. */
  own: string[];
}

/** The first request after puppetserver's start takes 30 s (JRuby warms up); other stacks of the site may be before us. */
const COMMAND_SECONDS = 150;
const LOCK_SECONDS = 120;

/** How long a puppetserver that is down is waited for: its own start takes 40 s on two cores. */
const SERVER_SECONDS = 120;

/** Where a node keeps its own certificate and key, which open the CA's HTTP API to the CA's own host. */
export const SSL_FOLDERS = "/etc/puppetlabs/puppet/ssl /var/lib/puppet/ssl /etc/puppet/ssl";

// `puppetserver` exists without its `ca` commands in release 5 and below; `puppet cert` does not exist from release 6 on.
const DETECT = `
echo "own $(hostname -f 2>/dev/null || hostname)"
sed -n 's/^[[:space:]]*certname[[:space:]]*=[[:space:]]*/own /p' /etc/puppet/puppet.conf /etc/puppetlabs/puppet/puppet.conf 2>/dev/null
if command -v puppetserver >/dev/null && puppetserver ca --help >/dev/null 2>&1; then echo "way puppetserver ca"; exit 0; fi
version=$(puppet --version 2>/dev/null)
case $version in [0-5].*) echo "way puppet cert"; exit 0 ;; esac
command -v curl >/dev/null || exit 0
for folder in ${SSL_FOLDERS}; do
  [ -r "$folder/certs/ca.pem" ] && echo "way http api" && exit 0
done
exit 0
`;

// The CA rewrites its revocation list at every clean: one at a time for the whole site. Its output is judged, not its status alone.
const LOCKED = `
exec 9>/var/lock/cloudstack-testbed-puppet-ca
flock -w ${LOCK_SECONDS} 9 || { echo "another clean holds the lock for more than ${LOCK_SECONDS} s" >&2; exit 75; }
`;

const COMMANDS: Record<Way, string> = {
  "puppetserver ca": `${LOCKED}puppetserver ca clean --certname "$1" 2>&1; echo "rc $?"`,
  "puppet cert": `${LOCKED}puppet cert clean "$1" 2>&1; echo "rc $?"`,
  // DELETE alone would leave the old certificate valid until it expires: it is revoked first.
  "http api": `${LOCKED}
name=$1 own=$2
for folder in ${SSL_FOLDERS}; do [ -r "$folder/certs/ca.pem" ] && break; done
call() { # call VERB CURL-OPTIONS…: one line with the verb, the body and the code
  verb=$1
  shift
  answer=$(curl -sS --max-time 120 --cacert "$folder/certs/ca.pem" --cert "$folder/certs/$own.pem" --key "$folder/private_keys/$own.pem" \\
    -H 'Content-Type: application/json' -w ' code %{http_code}' "$@" "https://$own:8140/puppet-ca/v1/certificate_status/$name" 2>&1)
  printf '%s %s\\n' "$verb" "$(printf %s "$answer" | tr '\\n' ' ')"
}
call revoke -X PUT --data '{"desired_state":"revoked"}'
call delete -X DELETE
echo "rc 0"`,
};

async function onDriver(context: Context, server: Driver, object: string, script: string, args: readonly string[]): Promise<string> {
  const result = await sshExec(driverTarget(context, server), ["sh", "-c", PUPPET_PATH + script, "testbed", ...args], {
    timeoutSeconds: COMMAND_SECONDS + LOCK_SECONDS,
  });
  if (result.status === 0) return result.stdout;
  const message = result.stderr.trim() || result.stdout.trim() || "no output";
  const busy = result.status === 75;
  throw new TestbedError({
    system: `puppet CA ${server.address}`,
    object,
    kind: busy ? "timeout" : "refused",
    code: busy ? "busy" : `exit-${result.status}`,
    message,
  });
}

/** What the driver has, looked up once per process. */
function authorityOf(context: Context, server: Driver): Promise<Authority> {
  return session(`puppet CA ${server.address}`, async () => {
    const lines = (await onDriver(context, server, "puppet", DETECT, [])).split("\n");
    const values = (key: string) => lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1).trim());
    const way = values("way")[0] as Way | undefined;
    if (!way) {
      throw new TestbedError({
        system: `puppet CA ${server.address}`,
        object: "puppet",
        kind: "refused",
        code: "no-puppet",
        message: "the driver has neither `puppetserver ca`, nor a puppet before release 6, nor curl with the certificates of a puppet node",
        remedy: "install puppetserver on the driver, or let the inventory name the driver that has it",
      });
    }
    return { way, own: values("own").map((name) => name.toLowerCase()) };
  });
}

/** Cleans a certificate: revoked, and its files and requests gone. One that does not exist is clean. @returns how it was done */
export async function cleanCertificate(
  context: Context,
  server: Driver,
  master: string,
  certname: string,
  serverSeconds = SERVER_SECONDS,
): Promise<{ way: Way; was: "cleaned" | "absent" }> {
  const system = `puppet CA ${server.address}`;
  const { way, own } = await authorityOf(context, server);
  if (certname === master || own.includes(certname)) {
    throw new TestbedError({
      system,
      object: `certificate ${certname}`,
      kind: "invalid",
      code: "own-certificate",
      message: "is the master's own: without it no machine of the site could run its agent",
      remedy: "give the machine another name than the driver's",
    });
  }
  const clean = () =>
    limiter(system, 1)(async () => answerOf(await onDriver(context, server, certname, COMMANDS[way], [certname, master])));
  const was = await waitFor<"cleaned" | "absent">(
    "the puppet CA to answer",
    context,
    { timeoutSeconds: serverSeconds, everySeconds: 1, object: `certificate ${certname}`, system },
    async () => {
      const answer = await clean();
      const outcome = cleanOutcome(way, certname, answer);
      if (outcome === "cleaned" || outcome === "absent") return { done: outcome };
      if (outcome === "down") return { seen: answer.text };
      throw cleanFailure(system, certname, outcome, answer);
    },
  );
  return { way, was };
}

/** The last line says the status; everything before is what the command said. */
function answerOf(output: string): CleanAnswer {
  const found = /^([\s\S]*?)\n?rc (\d+)\s*$/.exec(output);
  return found ? { text: (found[1] ?? "").trim(), status: Number(found[2]) } : { text: output.trim(), status: 255 };
}
