// The lab's puppetserver: the CA's HTTP API over TLS on 8140 as the real one has it, the command lines' questions on the loopback, and
// the agents of the lab's machines, whose busybox speaks neither TLS nor Ruby, over plain HTTP on 8141.
import { existsSync, readFileSync } from "node:fs";
import { createServer as createHttp, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { startLineServer } from "../line-server.ts";
import { Authority } from "./authority.ts";
import { puppetCert, puppetserverCa } from "./commands.ts";
import { puppetFault, takePuppetFault } from "./faults.ts";

interface Settings {
  address: string;
  /** The master's full name. */
  name: string;
  /** Where the CA's book is kept. */
  data: string;
  /** With certs/ and private_keys/, as a node of puppet has them. */
  ssl: string;
  manifests: string;
  linePort: number;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as Settings;
const authority = new Authority(join(settings.data, "ca.json"));
/** Status and text of an answer. */
type Answer = [code: number, text?: string];

/** `puppet-ca/v1/certificate_status/NAME`, for the CA's own host only. */
function api(method: string, name: string, own: boolean, body: string): Answer {
  if (!own || puppetFault("forbidden") !== undefined)
    return [403, `Forbidden request: /puppet-ca/v1/certificate_status/${name} (method :${method.toLowerCase()})`];
  const known = authority.get(name);
  if (method === "GET")
    return known ? [200, JSON.stringify({ name, state: known.state, fingerprint: known.key })] : [404, "Resource not found."];
  if (method === "DELETE") return [authority.remove(name)];
  const { desired_state: wanted } = JSON.parse(body || "{}") as { desired_state?: string };
  if (wanted === "signed") return [authority.sign(name) ? 204 : 404];
  const code = authority.revoke(name);
  return [code, code === 409 ? `Cannot revoke certificate for host ${name} without a signed certificate` : ""];
}

/** What the agent of a machine is told to do: one word and its text per line (lab/guest/puppet.sh). */
function catalog(host: string, certname: string, key: string, role: string): string[] {
  const busy = takePuppetFault("agent-running", host);
  if (busy !== undefined) return [`busy ${Number(busy) > 1 ? busy : 3}`];
  const found = authority.get(certname);
  if (authority.isRevoked(key) || found?.state !== "signed")
    return [`error SSL_connect returned=1 errno=0 state=error: sslv3 alert certificate revoked`];
  const site = join(settings.manifests, "site.pp");
  const text = existsSync(site) ? readFileSync(site, "utf8") : "";
  const about = "Could not retrieve catalog from remote server: Error 500 on SERVER: Server Error: Evaluation Error:";
  if (puppetFault("catalog-fails", host) !== undefined)
    return [`error ${about} Error while evaluating a Resource Statement, Unknown resource type: 'testbed' (file: ${site}, line: 1)`];
  // No manifest of ours, or no role: an empty catalog, as on a real master.
  if (text === "" || role === "") return ["changed 0"];
  if (!text.includes(`'${role}'`)) return [`error ${about} Error while evaluating a Function Call, No role is called '${role}'`];
  if (puppetFault("run-hangs", host) !== undefined) return ["hang"];
  if (puppetFault("run-fails", host) !== undefined) {
    return [
      "failed Package[cloudstack-agent]|Could not find package cloudstack-agent|testbed_kvm/manifests/agent.pp:14",
      "failed Service[libvirtd]|Systemd start for libvirtd failed|testbed_kvm/manifests/agent.pp:23",
      "changed 3",
    ];
  }
  return [`role ${role}`, "changed 12"];
}

function agents(url: URL): string[] {
  const value = (name: string) => url.searchParams.get(name) ?? "";
  const certname = value("certname");
  const host = certname.split(".")[0] ?? "";
  if (url.pathname === "/catalog") return catalog(host, certname, value("key"), value("role"));
  if (url.pathname !== "/certificate") return ["error no such page"];
  if (puppetFault("certificate-conflict", host) !== undefined) return ["signed of-another-installation"];
  const { state, key } = authority.request(certname, value("key"), puppetFault("no-autosign") === undefined);
  return [`${state} ${key}`];
}

function end(response: ServerResponse, [code, text = ""]: Answer): void {
  response.writeHead(code).end(text);
}

const plain = createHttp((request, response) =>
  end(response, [200, `${agents(new URL(request.url ?? "/", "http://master")).join("\n")}\n`]),
);

const read = (folder: string, name: string) => readFileSync(join(settings.ssl, folder, `${name}.pem`));
const tls = createHttps(
  {
    key: read("private_keys", settings.name),
    cert: read("certs", settings.name),
    ca: read("certs", "ca"),
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => {
    const path = request.url ?? "/";
    const name = /^\/puppet-ca\/v1\/certificate_status\/([^/?]+)/.exec(path)?.[1];
    const socket = request.socket as TLSSocket;
    const own = socket.authorized && socket.getPeerCertificate().subject?.CN === settings.name;
    let body = "";
    request.on("data", (data: Buffer) => (body += data.toString()));
    request.on("end", () => {
      if (path === "/status/v1/simple") end(response, [200, "running"]);
      else end(response, name === undefined ? [404, "Not Found"] : api(request.method ?? "GET", name, own, body));
    });
  },
);

await startLineServer(settings.linePort, async ([program, ...words]) =>
  program === "puppet-cert" ? puppetCert(authority, words) : puppetserverCa(authority, puppetFault("forbidden") !== undefined, words),
);
plain.listen(8141, settings.address);
tls.listen(8140, settings.address);
