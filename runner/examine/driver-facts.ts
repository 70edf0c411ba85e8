import { keyValues } from "../../providers/installation/index.ts";
import type { Context } from "../../providers/kernel/index.ts";
import { type Driver, runOnDriver } from "../../providers/site/index.ts";

/** What the driver says of itself, as text by name. */
export type DriverFacts = Record<string, string>;

export interface DriverPaths {
  hostsDirectory: string;
  dhcpHostsDirectory: string;
  pidFile: string;
}

// One look: nothing is written, not even to prove that a folder can be. `-w` asks the kernel for the account that `up` uses.
const LOOK = `
hosts=$1 dhcp=$2 pid_file=$3
echo "now=$(date +%s.%N)"
pid=$(cat "$pid_file" 2>/dev/null)
[ -n "$pid" ] && echo "dnsmasq_program=$(cat "/proc/$pid/comm" 2>/dev/null)"
echo "dnsmasq_version=$(dnsmasq --version 2>/dev/null | sed -n '1s/.*ersion \\([^ ]*\\).*/\\1/p')"
main=$(tr '\\0' '\\n' <"/proc/$pid/cmdline" 2>/dev/null | sed -n -e 's/^--conf-file=//p' -e '/^-C$/{n;p;}' | head -n 1)
main=\${main:-/etc/dnsmasq.conf}
folders=$(sed -n 's/^[[:space:]]*conf-dir=\\([^,]*\\).*/\\1/p' "$main" 2>/dev/null)
known() { # known OPTION FOLDER
  for file in "$main" $(for folder in $folders; do ls -d "$folder"/* 2>/dev/null; done); do
    grep -qE "^[[:space:]]*$1=$2/?[[:space:]]*$" "$file" 2>/dev/null && { echo "$file"; return; }
  done
}
folder() { # folder NAME PATH OPTION
  if [ ! -d "$2" ]; then echo "$1=absent"; elif [ ! -w "$2" ]; then echo "$1=read-only"; else echo "$1=writable"; fi
  echo "$1_known=$(known "$3" "$2")"
}
folder hosts "$hosts" hostsdir
folder dhcp "$dhcp" dhcp-hostsdir
echo "configuration=$main"
template=/etc/cobbler/dnsmasq.template
[ -r "$template" ] && echo "template=$template"
grep -qE "^[[:space:]]*hostsdir=$hosts/?[[:space:]]*$" "$template" 2>/dev/null && echo "template_hosts=yes"
for path in / /var/lib/cobbler /srv /var/log; do
  df -Pm "$path" 2>/dev/null | awk -v path="$path" 'NR == 2 { print "room_" path "=" $4 }'
done
exit 0
`;

export interface DriverLook {
  facts: DriverFacts;
  /** Seconds that the driver's clock is ahead of this machine's, and by how much that may be wrong. */
  clock: { ahead: number; uncertain: number };
}

/** Looks at the driver over SSH, with the pinned host key. */
export async function lookAtDriver(context: Context, driver: Driver, paths: DriverPaths): Promise<DriverLook> {
  // The first command opens the connection; what is timed is only the second.
  await runOnDriver(context, driver, "clock", "exit 0", []);
  const asked = Date.now();
  const began = performance.now();
  const now = Number(await runOnDriver(context, driver, "clock", "date +%s.%N", []));
  const seconds = (performance.now() - began) / 1000;
  const ahead = now - (asked / 1000 + seconds / 2);
  const text = await runOnDriver(context, driver, "driver", LOOK, [paths.hostsDirectory, paths.dhcpHostsDirectory, paths.pidFile]);
  return { facts: keyValues(text), clock: { ahead, uncertain: seconds / 2 } };
}
