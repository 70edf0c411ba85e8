import type { LineReply } from "../line-server.ts";
import type { Authority } from "./authority.ts";

/** Texts and statuses of puppetserver-ca 2.4 (`puppetserver ca …`); a line that begins with `!` goes to standard error. */
export function puppetserverCa(authority: Authority, forbidden: boolean, words: readonly string[]): LineReply {
  const [action = "", ...options] = words;
  const names = certnames(options);
  switch (action) {
    case "--help":
      return { lines: ["Usage: puppetserver ca <action> [options]"], status: 0 };
    case "clean":
      return names.length === 0 ? usage("clean") : clean(authority, forbidden, names);
    case "sign":
      return names.length === 0 ? usage("sign") : sign(authority, names);
    case "list":
      return list(authority, names, options.includes("--all"));
    default:
      return { lines: [`!Unknown action: ${action}`], status: 1 };
  }
}

function certnames(options: readonly string[]): string[] {
  return options.flatMap((option, index) => {
    if (option.startsWith("--certname=")) return option.slice("--certname=".length).split(",");
    return options[index - 1] === "--certname" ? option.split(",") : [];
  });
}

const usage = (action: string): LineReply => ({ lines: ["!Error:", `!  At least one certname is required to ${action}`], status: 1 });

function clean(authority: Authority, forbidden: boolean, names: readonly string[]): LineReply {
  const lines: string[] = [];
  const statuses = names.map((name) => {
    if (forbidden) {
      const said = [`When attempting to revoke certificate '${name}', received:`, "  code: 403", "  body: Forbidden request: driver"];
      lines.push("!Error:", ...said.map((line) => `!    ${line}`));
      return 1;
    }
    const revoked = authority.revoke(name);
    if (revoked === 204) lines.push(`Certificate for ${name} has been revoked`);
    if (authority.remove(name) === 404) {
      lines.push("!Error:", `!    Could not find files to clean for ${name}`);
      return 1;
    }
    lines.push(`Cleaned files related to ${name}`);
    return revoked === 409 ? 24 : 0;
  });
  // The worst of all: an error, then what was only a request.
  return { lines, status: statuses.includes(1) ? 1 : Math.max(...statuses) };
}

function sign(authority: Authority, names: readonly string[]): LineReply {
  const lines: string[] = [];
  for (const name of names) {
    if (authority.sign(name)) lines.push(`Successfully signed certificate request for ${name}`);
    else lines.push("!Error:", `!    Could not find certificate request for ${name}`);
  }
  return { lines, status: lines.some((line) => line.startsWith("!")) ? 1 : 0 };
}

function list(authority: Authority, names: readonly string[], all: boolean): LineReply {
  const wanted = names.length > 0 ? names : authority.names();
  const states = names.length > 0 || all ? (["requested", "signed", "revoked"] as const) : (["requested"] as const);
  const lines: string[] = [];
  for (const state of states) {
    const found = wanted.filter((name) => authority.get(name)?.state === state);
    if (found.length === 0) continue;
    lines.push(`${state[0]?.toUpperCase()}${state.slice(1)} Certificates:`);
    const width = Math.max(...found.map((name) => name.length)) + 6;
    lines.push(...found.map((name) => `    ${name.padEnd(width)} (SHA256)  ${authority.get(name)?.key}`));
  }
  const missing = names.filter((name) => !authority.get(name));
  if (missing.length > 0) lines.push("Missing Certificates:", ...missing.map((name) => `    ${name}`));
  return { lines: lines.length > 0 ? lines : ["No certificates to list"], status: missing.length > 0 ? 1 : 0 };
}

/** `puppet cert …` of release 3: the files of the CA, without a server. */
export function puppetCert(authority: Authority, words: readonly string[]): LineReply {
  const [action, name = ""] = words;
  if (action !== "clean") return { lines: [`!Error: Could not find action ${action}`], status: 1 };
  const known = authority.get(name);
  if (!known) return { lines: [`!Error: Could not find a serial number for ${name}`], status: 24 };
  const revoked = authority.revoke(name) === 204 ? [`Notice: Revoked certificate with serial ${known.serial}`] : [];
  authority.remove(name);
  const [kind, folder] = known.state === "requested" ? ["CertificateRequest", "requests"] : ["Certificate", "signed"];
  return {
    lines: [...revoked, `Notice: Removing file Puppet::SSL::${kind} ${name} at '/var/lib/puppet/ssl/ca/${folder}/${name}.pem'`],
    status: 0,
  };
}
