# What carries a mark below the roots, however it came there: one line each, `kind-number=kind<tab>path<tab>mark`. After guards.sh.
# Arguments: the directories where templates wait, with spaces between them; then the roots.
set -u
directories=$1
shift

show() { # show KIND: the files with marks come on stdin
  number=0
  while read -r file; do
    number=$((number + 1))
    printf '%s-%s=%s\t%s\t%s\n' "$1" "$number" "$1" "${file%/*}" "$(head -n 1 "$file")"
  done
}

# Stores that this server remembers and whose marker is not there: their disk is not mounted, or somebody removed them.
show_records() {
  number=0
  for file in "$registry"/*; do
    [ -f "$file" ] || continue
    path=$(sed -n 2p "$file")
    [ ! -e "$path/$marker" ] || continue
    number=$((number + 1))
    printf 'record-%s=record\t%s\t%s\n' "$number" "$path" "$(head -n 1 "$file")"
  done
}

for root; do
  [ ! -e "$root" ] || ls "$root/" >/dev/null 2>&1 || refuse not-read "the root $root cannot be listed"
done
# Deeper than three directories below a root nobody puts a store.
for root; do find "$root" -xdev -mindepth 2 -maxdepth 4 -name "$marker" -type f 2>/dev/null; done | sort -u | show store
for directory in $directories; do find "$directory" -xdev -mindepth 2 -maxdepth 2 -name owner -type f 2>/dev/null; done | sort -u | show template
show_records
