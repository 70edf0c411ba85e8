# Fetches, unpacks and checks one template as one stream, in the directory it runs in. Descriptor 9 holds the lock that says: it runs.
# The bytes come from the address, or from stdin where another machine fetches. After guards.sh.
set -u
from=$1 url=$2 checksum=$3 compression=$4 expected=$5 unpacked=$6 format=$7
algorithm=${checksum%%:*}

say() { # say STATE CODE SENTENCE
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >status.new && mv -f status.new status
}
give_up() { say failed "$1" "$2"; exit 1; }

size_of() { stat -c %s "$1" 2>/dev/null || echo 0; }

# What an interrupted run has fetched is read again from here, the rest from the address; a cut transfer goes on where it was cut.
fetch() {
  cat download.part
  [ "$from" != stdin ] || { tee -a download.part || return 23; return; }
  lost=0
  while :; do
    at=$(size_of download.part)
    [ "$expected" -eq 0 ] || [ "$at" -lt "$expected" ] || return 0
    { curl --fail --silent --show-error --location --connect-timeout 10 --speed-limit 1 --speed-time 30 --continue-at "$at" "$url" 2>curl.said; echo $? >curl.status; } |
      tee -a download.part
    status=$(cat curl.status)
    [ "$status" -ne 0 ] || return 0
    # 22: an HTTP error; 23: nobody reads any more; 33: the address cannot go on in the middle. Trying again helps none of them.
    case $status in 22 | 23 | 33) return "$status" ;; esac
    if [ "$(size_of download.part)" -gt "$at" ]; then lost=0; else lost=$((lost + 1)); fi
    [ $lost -lt 5 ] || return "$status"
    sleep 1 # curl's own retries would send the first bytes again
  done
}

unpack() {
  case $compression in
    bzip2) bzip2 -dc >image.part ;;
    gzip) gzip -dc >image.part ;;
    none) cat >/dev/null ;; # the download is the image
  esac
}

# The stages' results are files: this shell may know no `pipefail`.
stream() {
  rm -f sum.pipe fetch.status unpack.status
  mkfifo sum.pipe
  [ -e download.part ] || : >download.part
  "${algorithm}sum" <sum.pipe >sum &
  hasher=$!
  { fetch; echo $? >fetch.status; } | tee sum.pipe | { unpack 2>unpack.said; echo $? >unpack.status; }
  wait $hasher
  read -r seen _ <sum
  fetched=$(cat fetch.status 2>/dev/null || echo ended)
  unpacking=$(cat unpack.status)
}

check_room() {
  free=$(free_bytes)
  packed=$((expected - $(size_of download.part)))
  [ $packed -gt 0 ] || packed=0
  # An image is at least as large as its packed form.
  [ "$unpacked" -gt 0 ] || unpacked=$expected
  [ "$compression" != none ] || unpacked=0
  rm -f image.part
  [ "$free" -gt $((packed + unpacked)) ] || give_up full "$free bytes are free, and $((packed + unpacked)) are needed"
}

check_full() {
  [ "$(free_bytes)" -gt 1048576 ] && return
  rm -f image.part
  give_up full "the file system filled up while the template was written; $(size_of download.part) bytes of the download are kept"
}

# A template of another format would be found only when no system VM starts.
check_format() { # check_format FILE
  case $format in
    qcow2) [ "$(head -c 3 "$1")" = QFI ] ;;
    vhd) { head -c 8 "$1"; tail -c 512 "$1" | head -c 8; } | grep -q conectix ;;
    ova) tar -tf "$1" >/dev/null 2>&1 ;;
    *) true ;;
  esac
}

not_unpacked() {
  check_full
  rm -f download.part image.part
  give_up unpack "it is no whole $compression file: $(tail -n 1 unpack.said)"
}

# The stream is not what it should be: a transfer to be resumed, a full disk, or the wrong file.
judge() {
  [ "$fetched" != 0 ] || [ "$(size_of download.part)" -ge "$expected" ] || fetched=short
  case $fetched in
    0 | 33) ;;
    22) check_full; rm -f image.part; give_up fetch "$(tail -n 1 curl.said)" ;;
    short) check_full; give_up cut "the transfer was cut after $(size_of download.part) of $expected bytes" ;;
    # When nothing unpacks any more, nothing is fetched either.
    ended | 23) [ "$unpacking" != 0 ] || { check_full; give_up cut "fetching was ended after $(size_of download.part) bytes"; } ;;
    *) check_full; give_up cut "$(tail -n 1 curl.said), after $(size_of download.part) bytes" ;;
  esac
  check_full
  # The file at the address may have changed since the interrupted run, or the address cannot go on in the middle.
  if [ "$resumed" -gt 0 ] || [ "$fetched" = 33 ]; then
    rm -f download.part image.part
    [ "$from" != stdin ] || give_up stale "what was kept of an interrupted transfer does not fit"
    restarts=$((restarts + 1))
    [ $restarts -gt 3 ] || { main; exit; }
    give_up cut "the transfer was cut $restarts times, and the address cannot go on in the middle"
  fi
  [ "$unpacking" = 0 ] || not_unpacked
  rm -f download.part image.part
  give_up checksum "expected $checksum, got $algorithm:$seen"
}

main() {
  say running "" ""
  resumed=$(size_of download.part)
  check_room
  stream
  [ "$seen" = "${checksum#*:}" ] || judge
  [ "$unpacking" = 0 ] || not_unpacked
  [ "$compression" != none ] || mv -f download.part image.part
  check_format image.part || { rm -f image.part download.part; give_up format "it holds no $format image"; }
  sync image.part 2>/dev/null || sync
  mv -f image.part image
  rm -f download.part sum sum.pipe curl.said curl.status fetch.status unpack.said unpack.status
  printf '%s %s\n' "$checksum" "$(stat -c '%s %y' image)" >verified.new && mv verified.new verified
  say done "" ""
}

restarts=0
main
