#!/usr/bin/env bash
# Runs inside `unshare --net --mount`: lays the lab's software and data over the machine's folders, then starts the supervisor
# in a PID namespace of its own. This process stays as the holder of the namespaces, for `nsenter --target`.
set -euo pipefail
state=$1 cache=$2 checkout=$3 node=$4
shift 4
software=$(realpath "$cache/lab/current")
scratch=$state/scratch
mount --make-rprivate /

rm -rf --one-file-system "$scratch"
mkdir -p "$scratch"

# Whoever enters keeps the checkout, home, caches and temporary files, wherever they lie. They are held open by descriptor, not
# by a second mount of /: that would put the machine's own files below the state folder, where a `reset` from inside deletes them.
kept=() held=()
for folder in "$checkout" "$HOME" "$cache" "$state" "${TMPDIR:-/tmp}"; do
  [ -d "$folder" ] || continue
  folder=$(realpath "$folder")
  exec {descriptor}<"$folder"
  kept+=("$folder") held+=("$descriptor")
done
bring_back() { # bring_back FOLDER: what lay below FOLDER before it was covered
  local index
  for index in "${!kept[@]}"; do
    case ${kept[index]} in "$1"/*)
      mkdir -p "${kept[index]}"
      # Not canonicalised: the link's text is the covered path, only the link itself leads to the covered folder.
      mount --no-canonicalize --rbind "/proc/self/fd/${held[index]}" "${kept[index]}"
      ;;
    esac
  done
}

for folder in usr etc var; do
  mkdir -p "$scratch/$folder/upper" "$scratch/$folder/work"
  lower=/$folder
  # Not where the cache itself lies below the folder: overlayfs refuses a layer within a layer.
  case $software in "/$folder"/*) ;; *) [ -d "$software/$folder" ] && lower=$software/$folder:/$folder ;; esac
  mount -t overlay overlay -o "lowerdir=$lower,upperdir=$scratch/$folder/upper,workdir=$scratch/$folder/work" "/$folder"
  bring_back "/$folder"
  case $software in "/$folder"/*) [ -d "$software/$folder" ] && cp -a "$software/$folder/." "/$folder/" ;; esac
done
mkdir -p "$state/data/srv"
mount --bind "$state/data/srv" /srv
bring_back /srv
# What the supervisor mounts there (a full disk) is there for whoever enters, too.
mount --make-shared /srv
# What must outlive the lab: cobbler's objects, boot files, the stacks' leases, DHCP leases.
for folder in var/lib/cobbler var/lib/cloudstack-testbed var/www/cobbler var/lib/misc; do
  mkdir -p "$state/data/$folder" "/$folder"
  mount --bind "$state/data/$folder" "/$folder"
done
mkdir -p "$state/log" /var/log
mount --bind "$state/log" /var/log
mount -t tmpfs tmpfs /run
bring_back /run
mkdir -p /run/sshd /run/chrony /run/lock
for descriptor in "${held[@]}"; do exec {descriptor}<&-; done
mount -t sysfs sysfs /sys

# pdeathsig: the whole lab ends with its holder, even when that is killed.
setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc --propagation unchanged tini -s -- "$node" "$checkout/lab/supervisor.ts" "$@" &
supervisor=$!
trap 'kill -KILL $supervisor 2>/dev/null || true' TERM INT
wait $supervisor
