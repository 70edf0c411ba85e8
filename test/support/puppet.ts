import { connectSsh, type SshResult } from "../../providers/transport/ssh.ts";
import { labCredentials } from "./context.ts";
import { onDriver } from "./driver-shell.ts";
import { driver } from "./light-host.ts";

export const master = "driver.lab.test";
export { driver };

/** What a machine's agent asks the lab's master first: with a key of its own, it gets what the CA has for the name. */
export async function askForCertificate(certname: string, key: string): Promise<string> {
  const answer = await fetch(`http://${driver.address}:8141/certificate?certname=${certname}&key=${key}`);
  return (await answer.text()).trim();
}

/** The lines of `puppetserver ca list` about one name. */
export function listed(certname: string): Promise<string> {
  return onDriver('PATH=/usr/local/bin:$PATH; puppetserver ca list --certname "$1"; exit 0', certname);
}

/** Runs a shell script on an installed machine of the lab, whatever host key it has. */
export async function onHost(address: string, script: string, ...args: string[]): Promise<SshResult> {
  const open = await connectSsh({ address, user: "root", privateKey: labCredentials.hosts?.privateKey ?? "" });
  try {
    return await open.exec(["sh", "-c", script, "sh", ...args]);
  } finally {
    open.close();
  }
}
