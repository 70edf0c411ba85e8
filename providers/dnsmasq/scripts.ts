// What runs on the driver. Arguments are data; every script takes `hosts dhcp name mark` first. The first line of a file has the marks of the
// stacks that hold the entry: every stack of a site declares every machine of its inventory, and the lease says whose machine it is.
import { FOREIGN, type Meanings, NOT_WRITTEN } from "../site/driver.ts";

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

// dnsmasq skips names that start with a dot (dnsmasq facts A1): what is being written stands there, and becomes the file by a rename.
const COMMON = `
set -eu
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
hosts=$1 dhcp=$2 name=$3 mark=$4
stack=\${mark%/*}
project=\${stack%/*}
shift 4
lock() {
  for directory in "$hosts" "$dhcp"; do
    true 2>/dev/null >>"$directory/.lock" || { echo "the folder $directory cannot be written" >&2; exit ${NOT_WRITTEN}; }
  done
  exec 9>>"$hosts/.lock"
  flock -w 30 9 || { echo "the lock $hosts/.lock is held for more than 30 s" >&2; exit 1; }
}
first_line() { IFS= read -r first <"$1" || [ -n "$first" ] || first="nothing"; }
# Collects the marks of the entry's files into "all" (ours with them) and "others"; "mine" is set where ours is among them. "refused" is the
# first file without our mark that we may not share: nobody's, another project's, or this same stack's from another state.
look() { # look FILE…
  all= others= mine= refused=
  for entry; do
    [ -e "$entry" ] || continue
    first_line "$entry"
    case $first in "# cloudstack-testbed:"*) ;; *) refused=\${refused:-$entry}; continue ;; esac
    blocked=
    for one in \${first#"# "}; do
      case $one in "$stack"/*) blocked=yes ;; "$project"/*) ;; *) blocked=yes ;; esac
      case " $all " in *" $one "*) continue ;; esac
      all="$all $one"
      [ "$one" = "$mark" ] || others="$others $one"
    done
    case " $first " in *" $mark "*) mine=yes ;; *) [ -z "$blocked" ] || refused=\${refused:-$entry} ;; esac
  done
  all=\${all# } others=\${others# }
}
refuse() { first_line "$refused"; echo "$refused is not ours: its first line is \\"$first\\"" >&2; exit ${FOREIGN}; }
ours() { # ours FILE…: refuses what is not ours and may not be shared
  look "$@"
  [ -z "$refused" ] || refuse
}
without_us() { # without_us FILE: the same file with the marks of the others only
  [ -e "$1" ] || return 0
  new=$(dirname "$1")/.\${1##*/}.new
  { printf '# %s\\n' "$others"; sed 1d "$1"; } >"$new" || { rm -f "$new"; echo "$1 cannot be written" >&2; exit ${NOT_WRITTEN}; }
  mv "$new" "$1"
}
stage() { # stage DIRECTORY CONTENT: no content means no file
  [ -n "$2" ] || return 0
  printf '%s\\n' "$2" >"$1/.$name.new" || { rm -f "$hosts/.$name.new" "$dhcp/.$name.new"; echo "$1/$name cannot be written" >&2; exit ${NOT_WRITTEN}; }
}
commit() { # commit DIRECTORY CONTENT
  if [ -n "$2" ]; then mv "$1/.$name.new" "$1/$name"; else rm -f "$1/$name"; fi
}
content() { if [ -e "$1" ]; then cat "$1"; fi; }
`;

/**
 * Arguments: hosts_line dhcp_line test_line mac address fqdn lease_file log. Everything is checked before anything is changed.
 * Prints `changed`, `joined` (only our mark is new) or `same`, the size of the log before (`-` where it cannot be read), the marks of other
 * stacks, and both files as they were, each ended by a line `--`.
 */
export const WRITE = `${COMMON}
hosts_line=$1 dhcp_line=$2 test_line=$3 mac=$4 address=$5 fqdn=$6 leases=$7 log=$8
command -v dnsmasq >/dev/null || { echo "there is no program dnsmasq" >&2; exit ${NOT_RUNNING}; }
# dnsmasq's own test does not read these folders: the line is tested in a configuration of its own.
said=$(printf 'dhcp-host=%s\\nhost-record=%s,%s,%s\\n' "$test_line" "$fqdn" "$name" "$address" | dnsmasq --test -C /dev/stdin 2>&1) ||
  { echo "dnsmasq refuses the line $test_line: $said" >&2; exit ${REFUSED}; }
lock
ours "$hosts/$name" "$dhcp/$name"
dots() { printf %s "$1" | sed 's/[.]/[.]/g'; }
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
if [ -r "$leases" ] && grep -qF " $address " "$leases"; then
  held=$(awk -v address="$address" -v mac="$mac" -v now="$(date +%s)" '$3 == address && tolower($2) != mac && ($1 == 0 || $1 > now) { print $1, $2, $4; exit }' "$leases")
  if [ -n "$held" ]; then
    set -- $held
    if [ "$1" = 0 ]; then until="for ever"; else until="until $(date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ)"; fi
    echo "$address is leased to $2 (name $3) $until" >&2
    exit ${LEASED}
  fi
fi
[ -n "$mine" ] || all="\${all:+$all }$mark"
whole() { if [ -n "$1" ]; then printf '# %s\\n%s\\n' "$all" "$1"; fi; }
lines() { printf '%s\\n' "$1" | sed '1{/^# /d;}'; }
new_hosts=$(whole "$hosts_line") new_dhcp=$(whole "$dhcp_line")
old_hosts=$(content "$hosts/$name") old_dhcp=$(content "$dhcp/$name")
size=-
if [ -n "$log" ] && [ -r "$log" ]; then size=$(stat -c %s "$log"); fi
if [ "$new_hosts" = "$old_hosts" ] && [ "$new_dhcp" = "$old_dhcp" ]; then changed=same
elif [ "$(lines "$new_hosts")" = "$(lines "$old_hosts")" ] && [ "$(lines "$new_dhcp")" = "$(lines "$old_dhcp")" ]; then changed=joined
else changed=changed; fi
if [ $changed != same ]; then
  stage "$hosts" "$new_hosts"
  stage "$dhcp" "$new_dhcp"
  commit "$hosts" "$new_hosts"
  commit "$dhcp" "$new_dhcp"
fi
printf '%s %s %s\\n%s\\n--\\n%s\\n--\\n' "$changed" "$size" "$others" "$old_hosts" "$old_dhcp"
`;

/** Arguments: both files as they were, and the marks of other stacks then. One that joined since wants what stands there. */
export const RESTORE = `${COMMON}
lock
ours "$hosts/$name" "$dhcp/$name"
[ "$others" = "$3" ] || { echo "$others has joined the entry since" >&2; exit ${JOINED}; }
stage "$hosts" "$1"
stage "$dhcp" "$2"
commit "$hosts" "$1"
commit "$dhcp" "$2"
`;

/** Prints both files, each ended by a line `--`. */
export const READ = `${COMMON}
for file in "$hosts/$name" "$dhcp/$name"; do
  content "$file"
  echo --
done
`;

/** Prints `removed` where there was anything; `kept MARKS` where other stacks hold the entry too, and only our mark went. */
export const REMOVE = `${COMMON}
[ -d "$hosts" ] && [ -d "$dhcp" ] || exit 0
lock
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
`;

/** Arguments: names to keep, separated by spaces. Removes every other entry of ours and prints `NAME`, or `NAME MARKS` where others keep it. */
export const REMOVE_STRAYS = `${COMMON}
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
