import { findMarks, markText } from "../kernel/index.ts";
import { defineOwnership, heldBy } from "../kernel/ownership.ts";
import { FOREIGN, runOnDriver } from "../site/index.ts";
import type { HostInputs } from "./entry.ts";
import { host } from "./host.ts";

// First line of our own file in each folder, then the files of others that name the machine: those no `up` may change.
const LIST = `
hosts=$1 dhcp=$2 name=$3 mac=$4 address=$5
for directory in "$hosts" "$dhcp"; do
  if [ -e "$directory/$name" ]; then echo "own $(head -n 1 "$directory/$name")"; fi
  for other in "$directory"/*; do
    [ -e "$other" ] && [ "$other" != "$directory/$name" ] || continue
    if grep -qiE "(^|[ ,])($mac|$(printf %s "$address" | sed 's/[.]/[.]/g')|$name)([ ,]|\\$)" "$other"; then echo "other $other"; fi
  done
done
`;

// Under the lock of the entry's own writes. Ours comes instead of the expected mark, the others stay; a file made by hand keeps its lines
// below the mark.
const TAKE = `
set -eu
hosts=$1 dhcp=$2 name=$3 mark=$4 expected=$5
exec 9>"$hosts/.lock"
flock -w 30 9 || { echo "the lock $hosts/.lock is held for more than 30 s" >&2; exit 1; }
for file in "$hosts/$name" "$dhcp/$name"; do
  [ -e "$file" ] || continue
  first=$(head -n 1 "$file")
  case $first in "# cloudstack-testbed:"*) seen=$first ;; *) seen= ;; esac
  case " $seen " in
    *" $mark "*) ;;
    *" \${expected:-none} "*) ;;
    *) [ -z "$expected$seen" ] || { echo "expected \${expected:-nobody} as the holder of $file, seen \${seen:-nobody}" >&2; exit ${FOREIGN}; } ;;
  esac
done
for file in "$hosts/$name" "$dhcp/$name"; do
  [ -e "$file" ] || continue
  marks=
  case $(head -n 1 "$file") in
    "# cloudstack-testbed:"*) for one in $(sed -n '1s/^# //p' "$file"); do case $one in "$mark" | "$expected") ;; *) marks="$marks $one" ;; esac; done ;;
  esac
  new=$(dirname "$file")/.$name.new
  { printf '#%s %s\\n' "$marks" "$mark"; sed '1{/^# cloudstack-testbed:/d}' "$file"; } >"$new"
  chmod 644 "$new"
  mv "$new" "$file"
done
`;

defineOwnership<HostInputs>(host.type, {
  async holdings(context, inputs) {
    const { server, hostsDirectory, dhcpHostsDirectory, name, mac, address } = inputs;
    const found = await runOnDriver(context, server, name, LIST, [hostsDirectory, dhcpHostsDirectory, name, mac, address]);
    const lines = found.split("\n").filter(Boolean);
    const own = lines.filter((line) => line.startsWith("own "));
    const others = lines.filter((line) => line.startsWith("other ")).map((line) => line.slice("other ".length));
    if (own.length === 0 && others.length === 0) return [];
    return [
      {
        object: `entry ${name}`,
        system: `dnsmasq ${server.address}`,
        ...heldBy(findMarks(own.join("\n")), context.mark, true),
        ...(others.length > 0 ? { obstacle: `${others.join(", ")} names it as well: remove it there by hand first` } : {}),
      },
    ];
  },
  async take(context, inputs, holding) {
    const { server, hostsDirectory, dhcpHostsDirectory, name } = inputs;
    const expected = holding.holder ? markText(holding.holder) : "";
    await runOnDriver(context, server, name, TAKE, [hostsDirectory, dhcpHostsDirectory, name, markText(context.mark), expected]);
  },
});
