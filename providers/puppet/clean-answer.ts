import { TestbedError } from "../kernel/index.ts";

/** How a driver cleans certificates: by release 6 and later, by the releases before, or without a command of either. */
export type Way = "puppetserver ca" | "puppet cert" | "http api";

export interface CleanAnswer {
  status: number;
  /** Standard output and error together. */
  text: string;
}

/** `down` is worth another try; `forbidden` and `unexpected` are failures. */
export type CleanOutcome = "cleaned" | "absent" | "down" | "forbidden" | "unexpected";

/**
 * What a clean did. Never by its status alone: `puppetserver ca clean` ends with 0 for a certificate, 24 for a mere request, and 1 both for
 * a name that it does not know and for a server that is down (dnsmasq-nfs-puppet facts C2).
 */
export function cleanOutcome(way: Way, certname: string, answer: CleanAnswer): CleanOutcome {
  return way === "http api" ? outcomeOfApi(answer.text) : outcomeOfCommand(way, certname, answer);
}

function outcomeOfCommand(way: "puppetserver ca" | "puppet cert", certname: string, { text, status }: CleanAnswer): CleanOutcome {
  const name = certname.replaceAll(".", "\\.");
  const says = (pattern: string) => new RegExp(pattern, "m").test(text);
  if (says("code: 403")) return "forbidden";
  if (says("Failed connecting to|Connection refused|code: 50[234]")) return "down";
  const cleaned =
    way === "puppetserver ca"
      ? says(`Cleaned files related to ${name}$`) && (status === 0 || status === 24)
      : says(`Removing file Puppet::SSL::Certificate(Request)? ${name} at `);
  if (cleaned) return "cleaned";
  const absent =
    way === "puppetserver ca"
      ? says(`Could not find files to clean for ${name}$`)
      : says(`Could not find (a serial number|files|certificate|client certificate).* ${name}$`);
  return absent ? "absent" : "unexpected";
}

/** Two lines, `revoke … code N` and `delete … code N`; curl says 000 when it got no answer. */
function outcomeOfApi(text: string): CleanOutcome {
  const code = (verb: string) => new RegExp(`^${verb} .*code (\\d{3})\\s*$`, "m").exec(text)?.[1];
  const [revoked, deleted] = [code("revoke"), code("delete")];
  if (revoked === "403" || deleted === "403") return "forbidden";
  const noAnswer = [revoked, deleted].some((one) => one === "000" || one === "502" || one === "503" || one === "504");
  if (noAnswer) return "down";
  // 409: only a request, which cannot be revoked and goes by the deletion.
  if (!["200", "204", "404", "409"].includes(revoked ?? "")) return "unexpected";
  if (deleted === "200" || deleted === "204") return "cleaned";
  return deleted === "404" ? "absent" : "unexpected";
}

export function cleanFailure(system: string, certname: string, outcome: "forbidden" | "unexpected", answer: CleanAnswer): TestbedError {
  const fields = { system, object: `certificate ${certname}`, kind: "refused" as const, code: outcome };
  if (outcome === "forbidden") {
    return new TestbedError({
      ...fields,
      message: `the CA refuses the driver's own certificate: ${answer.text}`,
      remedy:
        "a CA upgraded from release 5 has a certificate without the extension pp_cli_auth: allow the driver's name in auth.conf " +
        "(certificate_status), or make its certificate anew",
    });
  }
  return new TestbedError({
    ...fields,
    message: `cleaning ended with status ${answer.status} and said neither that it cleaned nor that there is nothing to clean: ${
      answer.text || "no output"
    }`,
    remedy: "run the command on the driver by hand; nothing else was changed",
  });
}
