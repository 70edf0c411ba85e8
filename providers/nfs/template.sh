# One template beside the stores: verb, place, whose it is; then the roots. After guards.sh.
set -u
verb=$1 directory=$2 mount=$3 mark=$4 name=$5 worker=$6
shift 6
from=$1 url=$2 checksum=$3 compression=$4 expected=$5 unpacked=$6 format=$7 restart=$8
shift 8
folder=$directory/$name

place() {
  check_place "$directory" "$mount" "$@"
}

make_folder() {
  writable_place
  for one in "$directory" "$folder"; do
    [ ! -L "$one" ] || refuse symlink "$one is a symbolic link"
    said=$(mkdir -p "$one" 2>&1) || not_written "$one" "$said"
  done
  enter "$folder"
  [ ! -e owner ] || [ "$(cat owner)" = "$mark" ] || refuse foreign "$folder belongs to $(cat owner)"
  said=$(echo "$mark" | put owner 2>&1) || not_written "$folder/owner" "$said"
}

is_verified() { [ "$(cat verified 2>/dev/null)" = "$checksum $(stat -c '%s %y' image 2>/dev/null)" ]; }

# Holds the lock from before the worker starts: nobody can start a second one in between.
begin() {
  exec 9>lock
  # Whoever only looks has it for a moment.
  flock -w 1 9 || { echo state=running; return 1; }
  is_verified && { echo state=done; return 1; }
  rm -f image verified status
  [ "$restart" != yes ] || rm -f download.part
}

start() {
  make_folder
  begin || return 0
  setsid sh -c "$worker" fetch address "$url" "$checksum" "$compression" "$expected" "$unpacked" "$format" </dev/null >/dev/null 2>worker.said &
  echo $! >pid
}

# In this session: stdin is the stream.
push() {
  make_folder
  begin || return 0
  echo $$ >pid
  sh -c "$worker" fetch stdin "" "$checksum" "$compression" "$expected" "$unpacked" "$format" 2>worker.said
}

look() {
  [ -d "$folder" ] || return 0
  enter "$folder"
  [ "$(cat owner 2>/dev/null)" = "$mark" ] || return 0
  exec 9>>lock
  # The lock first: a worker may end in between.
  if ! flock -s -n 9; then echo state=running; elif is_verified; then echo state=done; else echo state=stopped; fi
  printf 'said=%s\n' "$(cat status 2>/dev/null)"
  echo "fetched=$(stat -c %s download.part 2>/dev/null || echo 0)"
  echo "bytes=$(stat -c %s image 2>/dev/null || stat -c %s image.part 2>/dev/null || echo 0)"
}

# Of the last answer: those before it were redirections.
content_length() {
  awk -F ': *' '
    /^HTTP\// { bytes = 0 }
    tolower($1) == "content-length" { bytes = $2 }
    END { print "length=" bytes }'
}

# Whether this server reaches the address, and how long the file is; the reason goes to stdout, since it is no failure.
reach() {
  command -v curl >/dev/null || { echo "unreached=the NFS server has no curl"; return 0; }
  said=$(curl --fail --silent --show-error --location --head --connect-timeout 10 --max-time 20 "$url" 2>&1)
  case $? in
    0) printf '%s\n' "$said" | tr -d '\r' | content_length ;;
    22) echo length=0 ;; # it answers, only not to HEAD: the transfer itself will tell
    *) echo "unreached=$(printf '%s\n' "$said" | grep '^curl:' | tail -n 1)" ;;
  esac
}

remove() {
  [ -d "$folder" ] || return 0
  enter "$folder"
  [ "$(cat owner 2>/dev/null)" = "$mark" ] || { echo "foreign=$(cat owner 2>/dev/null)"; return 0; }
  exec 9>>lock
  if ! flock -n 9; then
    kill -TERM "-$(cat pid)" 2>/dev/null || kill -TERM "$(cat pid)" 2>/dev/null || true
    flock -w 10 9 || refuse busy "the worker $(cat pid) in $folder does not end"
  fi
  cd "$directory" && said=$(rm -rf "$folder" 2>&1) || not_written "$folder" "$said"
  rmdir "$directory" 2>/dev/null || true # another template may be there
}

holder() {
  [ ! -f "$folder/owner" ] || printf 'holder=%s\n' "$(cat "$folder/owner")"
}

# Puts our mark on it and changes nothing else. `from` says whose it was when it was decided.
take() {
  [ -d "$folder" ] && enter "$folder" || return 0
  exec 9>>lock
  flock -w 1 9 || refuse busy "a worker fetches into $folder"
  [ "$(cat owner 2>/dev/null)" = "$from" ] || { printf 'holder=%s\n' "$(cat owner 2>/dev/null)"; return 0; }
  said=$(echo "$mark" | put owner 2>&1) || not_written "$folder/owner" "$said"
  echo taken=yes
}

place "$@"
case $verb in
  holder) holder ;;
  take) take ;;
  start) start ;;
  push) push ;;
  look) look ;;
  reach) reach ;;
  remove) remove ;;
esac
