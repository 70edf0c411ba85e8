// What runs on the driver. Arguments are data. The first line of a file has the marks of the stacks that hold the entry: every stack of a
// site declares every machine of its inventory, and the lease says whose machine it is.
import type { Meanings } from "../site/driver.ts";
import { type EntryScript, FUNCTIONS } from "./entry-script.ts";

const REFUSED = 65;
const NOT_RUNNING = 69;
const DUPLICATE = 75;
const LEASED = 76;
const JOINED = 77;

export const meanings: Meanings = {
  [REFUSED]: { kind: "invalid", code: "line-refused", remedy: "correct the machine in the inventory; nothing was changed" },
  [NOT_RUNNING]: { kind: "refused", code: "not-running", remedy: "start dnsmasq on the driver, and see its log if it does not stay" },
  [DUPLICATE]: { kind: "conflict", code: "duplicate", remedy: "remove that entry, or correct the inventory; nothing was changed" },
  [JOINED]: { kind: "conflict", code: "joined", remedy: "run `pulumi up` again when the other stack's run has ended" },
  [LEASED]: {
    kind: "conflict",
    code: "leased",
    remedy:
      "dnsmasq would ignore the entry: switch that machine off and wait for the end of its lease, or release it on the driver with `dhcp_release INTERFACE ADDRESS MAC`; nothing was changed",
  },
};

/**
 * Arguments: hosts_line dhcp_line test_line mac address fqdn lease_file log. Everything is checked before anything is changed.
 * Prints `changed`, `joined` (only our mark is new) or `same`, the size of the log before (`-` where it cannot be read), the marks of other
 * stacks, and both files as they were, each ended by a line `--`. What all entries of a call pass together is not asked for each again.
 */
export const WRITE: EntryScript = {
  before: `
command -v dnsmasq >/dev/null || { echo "there is no program dnsmasq" >&2; exit ${NOT_RUNNING}; }
# dnsmasq's own test does not read these folders: the lines are tested in a configuration of their own.
test_lines() { while [ $# -gt 0 ]; do printf 'dhcp-host=%s\\nhost-record=%s,%s,%s\\n' "$4" "$7" "$1" "$6"; shift "$width"; done; }
names() { while [ $# -gt 0 ]; do printf '%s\\n%s\\n%s\\n%s\\n' "$1" "$5" "$6" "$7"; shift "$width"; done; }
addresses() { while [ $# -gt 0 ]; do printf '%s\\n' "$6"; shift "$width"; done; }
tested=
if test_lines "$@" | dnsmasq --test -C /dev/stdin >/dev/null 2>&1; then tested=yes; fi
lock
mentioned=yes
names "$@" | grep -rqiwF --exclude='.*' --exclude='*~' -f - -- "$hosts" "$dhcp" || [ $? -gt 1 ] || mentioned=
leased=
if [ -r "$8" ] && addresses "$@" | grep -qF -f - "$8"; then leased=yes; fi
`,
  entry: `
hosts_line=$1 dhcp_line=$2 test_line=$3 mac=$4 address=$5 fqdn=$6 leases=$7 log=$8
if [ -z "$tested" ]; then
  refusal=$(printf 'dhcp-host=%s\\nhost-record=%s,%s,%s\\n' "$test_line" "$fqdn" "$name" "$address" | dnsmasq --test -C /dev/stdin 2>&1) ||
    { echo "dnsmasq refuses the line $test_line: $refusal" >&2; exit ${REFUSED}; }
fi
ours "$hosts/$name" "$dhcp/$name"
dots() { printf %s "$1" | sed 's/[.]/[.]/g'; }
if [ -n "$mentioned" ]; then
  pattern="^([^#]*[[:space:],])?($mac|$(dots "$address")|$name|$(dots "$fqdn"))([[:space:],]|\\$)"
  if found=$(grep -rHiE --exclude='.*' --exclude='*~' --exclude="$name" -e "$pattern" -- "$hosts" "$dhcp"); then
    other=$(printf '%s\\n' "$found" | head -n 1)
    first_line "\${other%%:*}"
    echo "$mac, $address or $name stands in \${other%%:*} already: \${other#*:} (first line of that file: $first)" >&2
    exit ${DUPLICATE}
  elif [ $? -gt 1 ]; then
    echo "the entries in $hosts and $dhcp cannot all be read" >&2
    exit 1
  fi
fi
if [ -n "$leased" ] && grep -qF " $address " "$leases"; then
  held=$(awk -v address="$address" -v mac="$mac" -v now="$(date +%s)" '$3 == address && tolower($2) != mac && ($1 == 0 || $1 > now) { print $1, $2, $4; exit }' "$leases")
  if [ -n "$held" ]; then
    set -- $held
    if [ "$1" = 0 ]; then until="for ever"; else until="until $(date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ)"; fi
    echo "$address is leased to $2 (name $3) $until" >&2
    exit ${LEASED}
  fi
fi
[ -n "$mine" ] || all="\${all:+$all }$mark"
lines() { printf '%s\\n' "$1" | sed '1{/^# /d;}'; }
new_hosts= new_dhcp= old_hosts= old_dhcp=
[ -z "$hosts_line" ] || new_hosts="# $all$nl$hosts_line"
[ -z "$dhcp_line" ] || new_dhcp="# $all$nl$dhcp_line"
[ ! -e "$hosts/$name" ] || old_hosts=$(content "$hosts/$name")
[ ! -e "$dhcp/$name" ] || old_dhcp=$(content "$dhcp/$name")
size=-
if [ -n "$log" ] && [ -r "$log" ]; then size=$(stat -c %s "$log"); fi
if [ "$new_hosts" = "$old_hosts" ] && [ "$new_dhcp" = "$old_dhcp" ]; then changed=same
elif [ -z "$old_hosts$old_dhcp" ]; then changed=changed
elif [ "$(lines "$new_hosts")" = "$(lines "$old_hosts")" ] && [ "$(lines "$new_dhcp")" = "$(lines "$old_dhcp")" ]; then changed=joined
else changed=changed; fi
if [ $changed != same ]; then
  stage "$hosts" "$new_hosts"
  stage "$dhcp" "$new_dhcp"
  commit "$hosts" "$new_hosts"
  commit "$dhcp" "$new_dhcp"
fi
printf '%s %s %s\\n%s\\n--\\n%s\\n--\\n' "$changed" "$size" "$others" "$old_hosts" "$old_dhcp"
`,
};

/** Arguments: both files as they were, and the marks of other stacks then. One that joined since wants what stands there. */
export const RESTORE: EntryScript = {
  before: "lock",
  entry: `
ours "$hosts/$name" "$dhcp/$name"
[ "$others" = "$3" ] || { echo "$others has joined the entry since" >&2; exit ${JOINED}; }
stage "$hosts" "$1"
stage "$dhcp" "$2"
commit "$hosts" "$1"
commit "$dhcp" "$2"
`,
};

/** Prints both files, each ended by a line `--`. */
export const READ: EntryScript = {
  before: "",
  entry: `
for file in "$hosts/$name" "$dhcp/$name"; do
  content "$file"
  echo --
done
`,
};

/** Prints `removed` where there was anything; `kept MARKS` where other stacks hold the entry too, and only our mark went. */
export const REMOVE: EntryScript = {
  before: `
[ -d "$hosts" ] && [ -d "$dhcp" ] || exit 0
lock
`,
  entry: `
look "$hosts/$name" "$dhcp/$name"
[ -z "$refused" ] || refuse
if [ -z "$mine" ]; then
  for refused in "$hosts/$name" "$dhcp/$name"; do [ ! -e "$refused" ] || refuse; done
fi
if [ -n "$others" ]; then
  without_us "$hosts/$name"
  without_us "$dhcp/$name"
  echo "kept $others"
  exit 0
fi
[ ! -e "$hosts/$name" ] && [ ! -e "$dhcp/$name" ] || echo removed
rm -f "$hosts/$name" "$dhcp/$name" "$hosts/.$name.new" "$dhcp/.$name.new"
`,
};

/** Arguments: hosts dhcp mark, and the names to keep, separated by spaces. Removes every other entry of ours and prints `NAME`, or `NAME MARKS` where others keep it. */
export const REMOVE_STRAYS = `${FUNCTIONS}
[ -d "$hosts" ] && [ -d "$dhcp" ] || exit 0
lock
keep=" $1 "
for file in "$hosts"/* "$dhcp"/*; do
  [ -f "$file" ] || continue
  case $keep in *" \${file##*/} "*) continue ;; esac
  look "$file"
  [ -n "$mine" ] || continue
  if [ -n "$others" ]; then without_us "$file"; else rm -f "$file"; fi
  echo "\${file##*/}\${others:+ $others}"
done
`;

/** Argument: the pid file. It may be stale: the signal goes to dnsmasq only. */
export const RELOAD = `
pid=$(cat "$1" 2>/dev/null)
[ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dnsmasq ] && kill -HUP "$pid" && exit 0
echo "dnsmasq is not running: the pid file $1 names \${pid:-no process}" >&2
exit ${NOT_RUNNING}
`;

/** Arguments: log size file file. Prints the log's size, and its lines since then that name one of the files. */
export const LOG = `
size=$(stat -c %s -- "$1") || exit
echo "$size"
[ "$size" -ge "$2" ] || set -- "$1" 0 "$3" "$4"
tail -c "+$(($2 + 1))" -- "$1" | grep -F -e "$3" -e "$4"
exit 0
`;

/** Takes the folders only. Prints `NAME TAB FIRST LINE` of every file with a mark, of all stacks. */
export const MARKED = `
for file in "$1"/* "$2"/*; do
  [ -f "$file" ] && IFS= read -r first <"$file" || continue
  case $first in "# cloudstack-testbed:"*) printf '%s\\t%s\\n' "\${file##*/}" "$first" ;; esac
done
`;
