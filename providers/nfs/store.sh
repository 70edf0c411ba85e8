# One store: verb, then what it is. The check and the wipe are this one run. After guards.sh.
set -u
verb=$1 store=$2 mark=$3 generation=$4 adopt=$5 mount=$6
staged=$7 checksum=$8 template_id=$9
shift 9
format=$1 file=$2
shift 2
kept="! -path ./$marker ! -path ./$marker.new ! -path ./lost+found ! -path ./lost+found/*"

# fsck wants an ext4's lost+found, and the marker outlives its store's content. The patterns are find's to read, not the shell's.
entries() { # entries FIND-ARGUMENTS…
  set -f
  # shellcheck disable=SC2086
  find . -xdev -mindepth 1 $kept "$@"
  status=$?
  set +f
  return $status
}

first_entries() { entries -maxdepth 1 | cut -c3- | sort | head -n 5 | paste -sd, - | sed 's/,/, /g'; }

has_marker() { [ -f "./$marker" ] && [ ! -L "./$marker" ]; }
owner() { head -n 1 "./$marker"; }
marked() { sed -n "s,^$1 ,,p" "./$marker" | head -n 1; } # marked FIELD

write_marker() { # write_marker GENERATION
  said=$(printf '%s\npath %s\ncreated %s\nsince %s\ngeneration %s\n' "$mark" "$store" "$created" "$since" "$1" | put "./$marker" 2>&1)
}

# Whether the marker was written for this name of the directory. A store that was renamed is the same store.
named_here() {
  named=$(marked path)
  [ "$named" = "$store" ] || [ "$(stat -c %d:%i "$named" 2>/dev/null)" != "$(stat -c %d:%i .)" ]
}
check_name() { named_here || refuse same-directory "$store is the same directory as the store $named"; }

check_marker() {
  if has_marker; then
    [ "$(owner)" = "$mark" ] || refuse foreign "the marker of $store names $(owner), since $(marked since)"
    check_name
    created=$(marked created) since=$(marked since)
    return
  fi
  [ ! -L "./$marker" ] || refuse symlink "the marker of $store is a symbolic link"
  first=$(first_entries)
  [ -z "$first" ] || [ "$adopt" = yes ] || refuse unmarked "$store has no marker and holds $first"
}

# Under the registry's lock: no other store of this server is this directory, holds it or lies in it; then it is remembered.
register() {
  said=$(mkdir -p "$registry" 2>&1) || not_written "$registry" "$said"
  exec 8>"$registry/.lock" || refuse not-written "$registry/.lock cannot be opened"
  flock -w 30 8 || refuse busy "the lock $registry/.lock is held for more than 30 s"
  for other in "$registry"/*; do
    [ -e "$other" ] || continue
    name=$(sed -n 2p "$other")
    [ "$name" != "$store" ] && [ -e "$name/$marker" ] || continue
    set -- $(mount_of "$name")
    case "$location/" in "$2/") refuse same-directory "$store is the same directory as the store $name of $(head -n 1 "$other")" ;; esac
    case "$location/" in "$2/"*) refuse same-directory "$store lies in the store $name of $(head -n 1 "$other")" ;; esac
    case "$2/" in "$location/"*) refuse same-directory "$store holds the store $name of $(head -n 1 "$other")" ;; esac
  done
  check_record
  said=$(printf '%s\n%s\n%s\n' "$mark" "$store" "$mounted_at" | put "$(record_of "$store")" 2>&1) || not_written "$registry" "$said"
  has_marker || write_marker - || not_written "the marker of $store" "$said"
  exec 8>&-
}

forget() {
  record=$(record_of "$store")
  [ "$(head -n 1 "$record" 2>/dev/null)" != "$mark" ] || rm -f "$record"
}

wipe() {
  # -xdev sees another device, but not a second mount of the same one.
  below=$(mounts_below "$store")
  [ -z "$below" ] || refuse mounted-below "in $store another file system is mounted: $(echo $below)"
  # An interrupted wipe must not look finished. On a full disk the old text stays, which is not the wanted one either.
  write_marker - || true
  # Until its machines are off, a host's heartbeat or a VM may write in between: what came while it was emptied goes with the next pass.
  for pass in 1 2 3 4 5; do
    said=$(entries -delete 2>&1) && failed= || failed=yes
    left=$(first_entries)
    [ -n "$left" ] || return 0
  done
  [ -z "$failed" ] || refuse not-wiped "$store cannot be emptied: $(echo "$said" | head -n 3 | paste -sd ';' -)"
  refuse not-wiped "somebody writes into $store while it is emptied: $left"
}

locked() {
  exec 9<.
  flock -w 900 9 || refuse busy "$store is being worked on for more than 900 s"
}

absent_made() {
  created=no since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  [ ! -e "$store" ] || return 0
  said=$(mkdir "$store" 2>&1) || not_written "$store" "$said"
  created=yes
  # A directory that could not be marked was never there.
  trap 'has_marker || rmdir "$store" 2>/dev/null' EXIT
}

seeded() { # whether the template is in its place, whole
  folder=template/tmpl/1/$template_id
  grep -qx "$format.filename=$file" "$folder/template.properties" 2>/dev/null &&
    grep -qx "$format.size=$(stat -c %s "$folder/$file" 2>/dev/null)" "$folder/template.properties"
}

# The layout and the properties are those of cloud-install-sys-tmplt.
seed() {
  [ "$(cat "$staged/verified" 2>/dev/null)" = "$checksum $(stat -c '%s %y' "$staged/image" 2>/dev/null)" ] ||
    refuse not-staged "$staged/image is not there, or was changed after it was verified"
  bytes=$(stat -c %s "$staged/image") parent=template/tmpl/1
  for folder in template template/tmpl $parent; do [ ! -L $folder ] || refuse symlink "$store/$folder is a symbolic link"; done
  new=$parent/.$template_id.new old=$parent/.$template_id.old
  said=$(rm -rf "$new" "$old" && mkdir -p "$new" 2>&1) || not_written "$store/$new" "$said"
  if ! ln "$staged/image" "$new/$file" 2>/dev/null; then
    free=$(free_bytes)
    [ "$free" -gt "$bytes" ] || refuse full "$store has $free bytes free, and the template needs $bytes"
    said=$(cp "$staged/image" "$new/$file" 2>&1 && cmp "$staged/image" "$new/$file" 2>&1) || not_written "$store/$new/$file" "$said"
  fi
  chmod 644 "$new/$file"
  [ "$format" != ova ] || said=$(tar -xf "$new/$file" -C "$new" 2>&1) || not_written "$store/$new" "$said"
  said=$(printf '%s\n' "$format=true" "id=$template_id" public=true "$format.filename=$file" "uniquename=routing-$template_id" \
    "$format.virtualsize=$bytes" "virtualsize=$bytes" "$format.size=$bytes" | put "$new/template.properties" 2>&1) ||
    not_written "$store/$new/template.properties" "$said"
  folder=$parent/$template_id
  [ ! -e "$folder" ] || mv "$folder" "$old"
  mv "$new" "$folder"
  rm -rf "$old"
}

report() {
  echo "generation=$(marked generation)"
  echo "location=$location"
  [ -z "$template_id" ] || ! seeded || echo "template=$store/template/tmpl/1/$template_id/$file"
}

converge() {
  check_place "$store" "$mount" "$@"
  writable_place
  absent_made
  enter "$store"
  locked
  check_marker
  register
  if [ "$(marked generation)" != "$generation" ]; then
    wipe
    write_marker "$generation" || not_written "the marker of $store" "$said"
    echo wiped=yes
  fi
  [ -z "$template_id" ] || seeded || seed
  report
}

look() {
  check_place "$store" "$mount" "$@"
  if [ -d "$store" ]; then
    enter "$store"
    ! has_marker || check_name
  fi
  # A disk that is not mounted is not a store that is gone.
  check_record
  [ -d "$store" ] || return 0
  ! has_marker || [ "$(owner)" != "$mark" ] || report
}

# Absent is success, and what is not ours is left alone.
remove() { # remove ROOT…
  check_place "$store" "$mount" "$@"
  check_record
  [ -d "$store" ] || { forget; return; }
  enter "$store"
  locked
  if has_marker && [ "$(owner)" = "$mark" ] && named_here; then
    writable_place
    created=$(marked created) since=$(marked since)
    [ "$verb" != purge ] || wipe
    said=$(rm -f "./$marker" 2>&1) || not_written "the marker of $store" "$said"
    # rmdir leaves a directory alone that somebody has used since.
    [ "$created" != yes ] || rmdir "$store" 2>/dev/null || true
  elif has_marker && [ "$(owner)" != "$mark" ]; then
    echo "foreign=$(owner)"
  fi
  forget
}

# Whose the store is, for who takes it over on purpose. An empty directory without a marker is nobody's, and needs no taking.
holder() {
  check_place "$store" "$mount" "$@"
  [ -d "$store" ] || return 0
  enter "$store"
  if has_marker; then
    printf 'holder=%s\nsince=%s\n' "$(owner)" "$(marked since)"
  elif [ -n "$(first_entries)" ]; then
    echo holder=-
  fi
}

# Puts our mark on it and changes nothing else. `adopt` says whose it was when it was decided.
take() {
  holder=$(holder "$@") || exit
  [ "$(printf '%s\n' "$holder" | sed -n 's,^holder=,,p')" = "$adopt" ] || { printf '%s\n' "$holder"; return; }
  check_place "$store" "$mount" "$@"
  writable_place
  enter "$store"
  locked
  created=no since=$(date -u +%Y-%m-%dT%H:%M:%SZ) generation=-
  if has_marker; then
    [ "$(owner)" = "$adopt" ] || { echo "holder=$(owner)"; return; }
    check_name
    created=$(marked created)
    # Another stack's content is none of ours: the next run empties it.
    [ "${adopt%/*}" != "${mark%/*}" ] || generation=$(marked generation)
  fi
  register
  write_marker "$generation" || not_written "the marker of $store" "$said"
  echo taken=yes
}

case $verb in
  holder) holder "$@" ;;
  take) take "$@" ;;
  converge) converge "$@" ;;
  look) look "$@" ;;
  purge | release) remove "$@" ;;
esac
