import type { DriverLook, DriverPaths } from "./driver-facts.ts";
import { amiss, type Examined, examine, well } from "./examined.ts";
import { newEnough, roomText } from "./tools.ts";

/** Whether a report of cobbler belongs to an installation is told by its time: clocks that differ more make a fresh one look old. */
export const CLOCK_SECONDS = 2;

/** What the look at the driver means. Pure but for its promise. */
export async function judgeDriver(
  look: DriverLook,
  site: DriverPaths & { address: string; dhcp: "dnsmasq" | "cobbler"; dns: "dnsmasq" | "cobbler" },
): Promise<Examined[]> {
  const { facts } = look;
  const rooms = Object.entries(facts).filter(([key]) => key.startsWith("room_"));
  return [
    clock(look),
    await examine("dnsmasq's version", "install dnsmasq 2.85 or newer on the driver", async () =>
      newEnough(facts.dnsmasq_version ?? "", "2.85"),
    ),
    process(site.pidFile, facts.dnsmasq_program),
    ...folder(look, "hosts", site.hostsDirectory, "hostsdir"),
    ...folder(look, "dhcp", site.dhcpHostsDirectory, "dhcp-hostsdir"),
    ...template(look, site),
    ...(await Promise.all(
      rooms.map(([key, megabytes]) =>
        examine(`room in ${key.slice("room_".length)} of the driver`, "make room: logs, old images, packages", async () =>
          roomText(Number(megabytes)),
        ),
      ),
    )),
  ];
}

function clock({ clock: { ahead, uncertain } }: DriverLook): Examined {
  const what = "clocks of the driver and this machine";
  const text = `${Math.abs(ahead).toFixed(2)} s ${ahead < 0 ? "behind" : "ahead"} here (± ${uncertain.toFixed(2)} s)`;
  if (Math.abs(ahead) - uncertain <= CLOCK_SECONDS) return well(what, text);
  return amiss(
    what,
    `the driver is ${text}; allowed are ${CLOCK_SECONDS} s`,
    "run an NTP client on both, and let both ask the same server",
  );
}

function process(pidFile: string, program: string | undefined): Examined {
  const what = `dnsmasq's pid file ${pidFile}`;
  if (program === "dnsmasq") return well(what, "names a running dnsmasq");
  const seen = program === undefined || program === "" ? "names no running process" : `names a process ${program}`;
  return amiss(what, seen, "start dnsmasq, or correct driver.dnsmasq.pidFile in the inventory: changed entries are read at a SIGHUP");
}

function folder({ facts }: DriverLook, key: "hosts" | "dhcp", path: string, option: string): Examined[] {
  const [what, state, known] = [`dnsmasq's ${option} ${path}`, facts[key], facts[`${key}_known`]];
  if (state === "absent")
    return [amiss(what, "does not exist", `mkdir ${path} on the driver, then \`${option}=${path}\` in ${facts.configuration}`)];
  if (state === "read-only")
    return [amiss(what, "cannot be written by the driver's account", "give the account of driver.ssh the right to write there")];
  if (state !== "writable") return [amiss(what, "could not be looked at", "is the driver a Linux with a POSIX shell?")];
  if (!known)
    return [
      amiss(what, `is not in dnsmasq's configuration (${facts.configuration})`, `add \`${option}=${path}\` there, then restart dnsmasq`),
    ];
  return [well(what, `writable, named in ${known}`)];
}

/** Cobbler writes dnsmasq's configuration anew from its template: what the template lacks is gone after the next sync. */
function template({ facts }: DriverLook, site: { hostsDirectory: string; dhcp: string; dns: string }): Examined[] {
  if (site.dhcp !== "cobbler" && site.dns !== "cobbler") return [];
  const what = "cobbler's template of dnsmasq's configuration";
  if (!facts.template) return [amiss(what, "cannot be read", "is cobbler installed on the driver, with /etc/cobbler/dnsmasq.template?")];
  if (facts.template_hosts === "yes") return [well(what, `${facts.template} names ${site.hostsDirectory}`)];
  return [
    amiss(
      what,
      `${facts.template} does not name ${site.hostsDirectory}`,
      `add \`hostsdir=${site.hostsDirectory}\` to it, then run a cobbler sync`,
    ),
  ];
}
