import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answersTcp, type Daemon } from "../daemons.ts";
import { nfsDaemons } from "../nfs/ganesha.ts";
import type { Netboot } from "../settings.ts";
import type { Site } from "../site.ts";
import { cobblerPackage } from "./cobbler.ts";
import { dnsmasqConfiguration, tftpConfiguration } from "./dnsmasq.ts";

/** Where the web service finds what it shall do wrong (lab/driver/services_wsgi.py). */
export const webFaults = "/run/testbed-web";

/** The daemons of the driver machine, with their configurations written. */
export function driverDaemons(site: Site, folders: { checkout: string; log: string }, netboot: Netboot): Daemon[] {
  const helpers = join(folders.checkout, "lab/driver");
  return [
    ...[cobblerd(), web(site, helpers, folders.log), ...dnsmasq(site, netboot), sshd(site, folders.checkout), chronyd(site)],
    ...nfsDaemons(site, folders.log),
  ];
}

function cobblerd(): Daemon {
  return {
    name: "cobblerd",
    command: ["/usr/bin/python3", `${cobblerPackage}/bin/cobblerd`, "-F"],
    // First on the path: the programs that stand for systemctl and service.
    environment: { PYTHONPATH: cobblerPackage, PATH: `/run/testbed-bin:${process.env.PATH}` },
    ready: answersTcp("127.0.0.1", 25151),
  };
}

function web(site: Site, folder: string, log: string): Daemon {
  const { address } = site.driver;
  const server = ["-b", `${address}:80`, "-w", "1", "-k", "gthread", "--threads", "16", "--timeout", "120"];
  return {
    name: "web",
    command: [
      ...["/usr/bin/python3", "-m", "gunicorn", "--chdir", folder, ...server],
      ...["--access-logfile", join(log, "web-access.log"), "services_wsgi:application"],
    ],
    environment: { PYTHONPATH: cobblerPackage, TESTBED_WEB_FAULTS: webFaults },
    ready: answersTcp(address, 80),
  };
}

function dnsmasq(site: Site, netboot: Netboot): Daemon[] {
  const { address, dnsmasq: files } = site.driver;
  // Cobbler writes through the link, into what outlives the lab: with its systems in it, which only a save or sync would bring back.
  symlinkSync("/var/lib/misc/dnsmasq.conf", "/etc/dnsmasq.conf");
  if (site.driver.dhcp === "dnsmasq" || !existsSync("/etc/dnsmasq.conf"))
    writeFileSync("/etc/dnsmasq.conf", dnsmasqConfiguration(site, netboot));
  const run = (configuration: string, pidFile: string) => ["dnsmasq", "--keep-in-foreground", "-C", configuration, "-x", pidFile];
  const daemons: Daemon[] = [{ name: "dnsmasq", command: run("/etc/dnsmasq.conf", files.pidFile), ready: answersTcp(address, 53) }];
  if (netboot === "pxelinux") {
    writeFileSync("/run/dnsmasq-tftp.conf", tftpConfiguration());
    daemons.push({ name: "tftp", command: run("/run/dnsmasq-tftp.conf", "/run/dnsmasq-tftp.pid") });
  }
  return daemons;
}

function sshd(site: Site, checkout: string): Daemon {
  const { address } = site.driver;
  const install = (from: string, to: string) => execFileSync("install", ["-m", "600", join(checkout, "lab/keys", from), to]);
  install("driver_host_ed25519", "/run/driver_host_ed25519");
  install("id_ed25519.pub", "/run/driver_authorized_keys");
  const configuration = [
    "Port 22",
    `ListenAddress ${address}`,
    "HostKey /run/driver_host_ed25519",
    "AuthorizedKeysFile /run/driver_authorized_keys",
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin yes",
    "MaxSessions 100",
    "MaxStartups 100",
    "PidFile /run/sshd.pid",
    "Subsystem sftp internal-sftp",
  ];
  writeFileSync("/run/sshd_config", `${configuration.join("\n")}\n`);
  const accounts = readFileSync("/etc/passwd", "utf8")
    // A plain shell: bash under sshd reads the .bashrc of whoever owns this machine, which may take its time or wait for a lock.
    .replace(/^(root:.*:)[^:]*$/m, "$1/bin/sh")
    // Debian's package makes sshd's account in its installation script, which the lab does not run.
    .replace(/^sshd:.*\n/m, "");
  writeFileSync("/etc/passwd", `${accounts}sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`);
  return { name: "sshd", command: ["/usr/sbin/sshd", "-D", "-e", "-f", "/run/sshd_config"], ready: answersTcp(address, 22) };
}

function chronyd(site: Site): Daemon {
  const configuration = [
    "local stratum 8",
    `allow ${site.cidr}`,
    `bindaddress ${site.driver.address}`,
    "cmdport 0",
    "pidfile /run/chronyd.pid",
  ];
  writeFileSync("/run/chrony.conf", `${configuration.join("\n")}\n`);
  return { name: "chronyd", command: ["chronyd", "-x", "-n", "-u", "root", "-f", "/run/chrony.conf"] };
}
