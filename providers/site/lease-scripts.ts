// What runs on the driver for leases: one file per claim, its first line the holder's mark, the second since when and from where, the
// third the claim. Every script takes `directory mark` first, and shell built-ins do the reading: a large site has thousands of claims.
import { FOREIGN, NOT_WRITTEN } from "./driver.ts";

const COMMON = `
set -eu
umask 022
directory=$1 mark=$2
shift 2
staged=$directory/.staged
unwritten() { rm -rf "$staged"; echo "the claims cannot be written in $directory" >&2; exit ${NOT_WRITTEN}; }
lock() {
  { mkdir -p "$directory" && true >>"$directory/.lock"; } 2>/dev/null || { echo "the folder $directory cannot be written" >&2; exit ${NOT_WRITTEN}; }
  exec 9>>"$directory/.lock"
  flock -w 30 9 || { echo "the lock $directory/.lock is held for more than 30 s, last taken by $(cat "$directory/.lock")" >&2; exit 1; }
  printf '%s at %s\\n' "$mark" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$directory/.lock" || unwritten
}
read_claim() {
  holder= note= held=
  { IFS= read -r holder && IFS= read -r note && IFS= read -r held; } <"$1" || true
}
`;

/** Arguments: note, claims. All of them or none; claims of ours that are not among them end. A refusal names each as `claim TAB holder TAB note`, `-` for what cannot be read. */
export const CLAIM = `${COMMON}
note_now=$1
shift
lock
foreign=
for claim; do
  file=$directory/\${claim%%/*}_\${claim#*/}
  [ -e "$file" ] || continue
  read_claim "$file"
  [ "$holder" != "$mark" ] || continue
  printf '%s\\t%s\\t%s\\n' "$claim" "\${holder:--}" "\${note:--}" >&2
  foreign=yes
done
[ -z "$foreign" ] || exit ${FOREIGN}
rm -rf "$staged"
mkdir "$staged" || unwritten
any=
for claim; do
  name=\${claim%%/*}_\${claim#*/}
  [ ! -e "$directory/$name" ] || continue
  printf '%s\\n%s\\n%s\\n' "$mark" "$note_now" "$claim" >"$staged/$name" || unwritten
  any=yes
done
[ -z "$any" ] || mv "$staged"/* "$directory"/
rmdir "$staged"
wanted=" $* "
for file in "$directory"/*; do
  [ -f "$file" ] || continue
  read_claim "$file"
  [ "$holder" = "$mark" ] || continue
  case $wanted in *" $held "*) ;; *) rm -f "$file" ;; esac
done
`;

/** Prints what the mark holds, as `claim TAB note`. */
export const HELD = `${COMMON}
for file in "$directory"/*; do
  [ -f "$file" ] || continue
  read_claim "$file"
  [ "$holder" != "$mark" ] || printf '%s\\t%s\\n' "$held" "$note"
done
`;

/** Argument: a claim, which ends where it is ours. */
export const RELEASE = `${COMMON}
lock
file=$directory/\${1%%/*}_\${1#*/}
[ -f "$file" ] || exit 0
read_claim "$file"
[ "$holder" != "$mark" ] || rm -f "$file"
`;
