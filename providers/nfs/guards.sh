# Functions of every script that writes below an NFS server's roots. A refusal is one line on stderr: a code, a tab, a sentence.
umask 022
LC_ALL=C
export LC_ALL

registry=/var/lib/cloudstack-testbed/stores
marker=.cloudstack-testbed-store

refuse() { # refuse CODE SENTENCE
  printf '%s\t%s\n' "$1" "$2" >&2
  exit 77
}

# Why a write failed decides what the operator can do.
not_written() { # not_written WHAT WHAT-THE-SYSTEM-SAID
  case $2 in
    *"No space left"* | *"Disk quota"*) refuse full "$1 cannot be written: $2" ;;
    *"Read-only file system"*) refuse read-only "$1 cannot be written: $2" ;;
    *) refuse not-written "$1 cannot be written: $2" ;;
  esac
}

# Replaces a file by stdin, whole or not at all. tee says why not; a shell's own printf may only say that it cannot.
put() { # put FILE
  tee "$1.new" >/dev/null && mv -f "$1.new" "$1" || { rm -f "$1.new"; return 1; }
}

# What holds a path, as the kernel has it now: mount point, place on the device, options. Of two mounts at one point the later counts.
mount_of() { # mount_of PATH
  awk -v path="$1" '
    { point = $5 == "/" ? "" : $5 }
    index(path "/", point "/") == 1 && length(point) >= best { best = length(point); at = $5; device = $3; root = $4 == "/" ? "" : $4; options = $6 }
    END { print at, device ":" root substr(path, best + 1), options }' /proc/self/mountinfo
}

mounts_below() { # mounts_below PATH
  awk -v path="$1/" 'index($5, path) == 1 { print $5 }' /proc/self/mountinfo
}

# A mount point of fstab on the way to a path that nothing is mounted at.
unmounted_on_the_way() { # unmounted_on_the_way PATH MOUNT-POINT
  [ -r /etc/fstab ] || return 0
  awk -v path="$1/" -v mounted="${2%/}/" '
    $1 !~ /^#/ && $2 ~ /^\// {
      point = $2; sub("/*$", "/", point)
      if (index(path, point) == 1 && length(point) > length(mounted)) { print $2; exit }
    }' /etc/fstab
}

record_of() { # record_of PATH: the file in which this server remembers the store
  printf '%s/%s' "$registry" "$(printf %s "$1" | tr / %)"
}

# Refuses a path that is no place for us, whatever lies there. Sets mounted_at and location.
check_place() { # check_place PATH EXPECTED-MOUNT-POINT ROOT…
  path=$1 wanted_mount=$2
  shift 2
  case $path in *[!A-Za-z0-9._@+=,:/-]*) refuse path "$path holds characters that no store's path has" ;; esac
  case "$path/" in /*//* | */./* | */../* | [!/]*) refuse path "$path is not an absolute path without \`.\`, \`..\` and empty parts" ;; esac
  case $path in
    /*/*) ;;
    *) refuse denied "$path is a directory of the system" ;;
  esac
  case $path/ in
    /bin/* | /boot/* | /dev/* | /etc/* | /lib/* | /lib32/* | /lib64/* | /proc/* | /root/* | /run/* | /sbin/* | /sys/* | /usr/* | /var/*)
      refuse denied "$path belongs to the system" ;;
  esac
  allowed=
  for root; do case $path in "$root"/*) allowed=$root ;; esac; done
  [ -n "$allowed" ] || refuse outside-roots "$path is below none of the allowed roots: $*"
  real=$(readlink -f "$path") || real="nowhere: a directory on the way is missing"
  [ "$real" = "$path" ] || refuse symlink "$path leads to $real"
  set -- $(mount_of "$path")
  mounted_at=$1 location=$2
  check_mount "$3"
}

check_mount() { # check_mount OPTIONS
  [ -z "$wanted_mount" ] || [ "$wanted_mount" = "$mounted_at" ] ||
    refuse not-mounted "$path should lie on what is mounted at $wanted_mount, and lies on what is mounted at $mounted_at"
  missing=$(unmounted_on_the_way "$path" "$mounted_at")
  [ -z "$missing" ] || refuse not-mounted "nothing is mounted at $missing, which /etc/fstab names; $path would be a directory of $mounted_at"
  options=$1
}

# A disk that is missing without a word in fstab.
check_record() {
  record=$(record_of "$path")
  known=$(sed -n 3p "$record" 2>/dev/null) || known=
  [ -z "$known" ] || [ "$known" = "$mounted_at" ] ||
    refuse not-mounted "$path was adopted on what is mounted at $known, and lies on what is mounted at $mounted_at now ($record)"
}

writable_place() {
  case ",$options," in *,ro,*) refuse read-only "$mounted_at is mounted read-only" ;; esac
}

# From here on everything works on the directory itself, whatever happens to its name.
enter() { # enter DIRECTORY
  cd -P "$1" 2>/dev/null || refuse missing "$1 is not a directory that can be entered"
  [ "$(pwd -P)" = "$1" ] || refuse symlink "$1 leads to $(pwd -P)"
}

free_bytes() { df -P -B1 . | awk 'NR == 2 { print $4 }'; }
