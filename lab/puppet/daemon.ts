import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { answersTcp, type Daemon } from "../daemons.ts";
import type { Site } from "../site.ts";

/** Where lab/puppet/puppetserver.sh asks. */
const LINE_PORT = 7901;
const SSL = "/var/lib/puppet/ssl";

/** The emulated puppet master of the driver, where the inventory has one: its certificates made, its command lines in place. */
export function puppetDaemons(site: Site, checkout: string): Daemon[] {
  const { puppet, address, name } = site.driver;
  if (!puppet) return [];
  const fullName = `${name}.${site.domain}`;
  makeCertificates(fullName);
  // Before /usr/bin on every path: the real `puppet`, which tests of the modules use, is there.
  for (const program of ["puppetserver", "puppet"]) {
    const link = `/usr/local/bin/${program}`;
    if (!existsSync(link)) symlinkSync(join(checkout, "lab/puppet/puppetserver.sh"), link);
  }
  mkdirSync("/etc/puppet", { recursive: true });
  writeFileSync("/etc/puppet/puppet.conf", `[main]\ncertname = ${fullName}\nssldir = ${SSL}\n`);
  mkdirSync(puppet.modulesDirectory, { recursive: true });
  const settings = {
    address,
    name: fullName,
    data: "/srv/puppet/ca",
    ssl: SSL,
    manifests: join(dirname(puppet.modulesDirectory), "manifests"),
    linePort: LINE_PORT,
  };
  const command = [process.execPath, join(checkout, "lab/puppet/server.ts"), JSON.stringify(settings)];
  return [{ name: "puppetserver", command, ready: answersTcp(address, 8140) }];
}

/** A CA and the master's certificate by it: what opens the HTTP API. New at each start; machines' certificates are in the book. */
function makeCertificates(name: string): void {
  for (const folder of ["certs", "private_keys", "ca"]) mkdirSync(join(SSL, folder), { recursive: true });
  const file = (folder: string, base: string) => join(SSL, folder, `${base}.pem`);
  const openssl = (...words: string[]) => execFileSync("openssl", words, { stdio: ["ignore", "ignore", "pipe"] });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-days",
    "3650",
    "-subj",
    "/CN=Puppet CA: lab",
    "-keyout",
    file("ca", "key"),
    "-out",
    file("certs", "ca"),
  );
  openssl("req", ...key, "-subj", `/CN=${name}`, "-keyout", file("private_keys", name), "-out", file("ca", "request"));
  writeFileSync(file("ca", "names"), `subjectAltName=DNS:${name},DNS:puppet\n`);
  const signed = ["-CA", file("certs", "ca"), "-CAkey", file("ca", "key"), "-CAcreateserial", "-extfile", file("ca", "names")];
  openssl("x509", "-req", "-days", "3650", "-in", file("ca", "request"), ...signed, "-out", file("certs", name));
  chmodSync(file("private_keys", name), 0o600);
}
