// What all scripts on the driver share, and how one call of the driver does many entries.
import { FOREIGN, NOT_WRITTEN } from "../site/driver.ts";

// dnsmasq skips names that start with a dot (dnsmasq facts A1): what is being written stands there, and becomes the file by a rename.
/** Arguments: hosts dhcp mark. */
export const FUNCTIONS = `
set -eu
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
hosts=$1 dhcp=$2 mark=$3
stack=\${mark%/*}
project=\${stack%/*}
shift 3
nl='
'
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

/** What is done with one entry: its arguments come after its name, and its answer is what it prints. */
export interface EntryScript {
  /** Done once for all entries of a call, whose arguments are those of the first, then those of the next; `$width` is how many each has. */
  before: string;
  /** With `$name`, and the other arguments as `$1`, `$2`, …. */
  entry: string;
}

/**
 * Arguments: hosts dhcp mark boundary width, then those of each entry. Prints for each what its script printed, a line `BOUNDARY STATUS`,
 * and what it said on stderr, ended by a line `BOUNDARY`. Nothing at all: `before` found that there is nothing to do.
 */
export const entryScript = ({ before, entry }: EntryScript): string => `${FUNCTIONS}
boundary=$1 width=$2
shift 2
entry() {
name=$1
shift
${entry}
}
${before}
exec 4>&1
set +e
while [ $# -gt 0 ]; do
  said=$( (set -e; entry "$@") 2>&1 >&4)
  printf '\\n%s %s\\n%s\\n%s\\n' "$boundary" $? "$said" "$boundary"
  shift "$width"
done
`;
