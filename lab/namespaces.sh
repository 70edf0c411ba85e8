#!/usr/bin/env bash
# Runs inside `unshare --net --mount`: lays the lab's software and data over the machine's folders, then starts the supervisor
# in a PID namespace of its own. This process stays as the holder of the namespaces, for `nsenter --target`.
set -euo pipefail
state=$1 cache=$2 checkout=$3 node=$4
shift 4
software=$cache/lab/root
scratch=$state/scratch
mount --make-rprivate /

rm -rf "$scratch"
mkdir -p "$scratch/machine"
mount --rbind / "$scratch/machine"

for folder in usr etc var; do
  mkdir -p "$scratch/$folder/upper" "$scratch/$folder/work"
  lower=/$folder
  [ -d "$software/$folder" ] && lower=$software/$folder:/$folder
  mount -t overlay overlay -o "lowerdir=$lower,upperdir=$scratch/$folder/upper,workdir=$scratch/$folder/work" "/$folder"
done
mkdir -p "$state/data/srv"
mount --bind "$state/data/srv" /srv
# What must outlive the lab: cobbler's objects, boot files, the stacks' leases, DHCP leases.
for folder in var/lib/cobbler var/lib/cloudstack-testbed var/www/cobbler var/lib/misc; do
  mkdir -p "$state/data/$folder" "/$folder"
  mount --bind "$state/data/$folder" "/$folder"
done
mkdir -p "$state/log" /var/log
mount --bind "$state/log" /var/log
# Whoever enters keeps the checkout, home, caches and temporary files, wherever they lie.
for folder in "$checkout" "$HOME" "$cache" "$state" "${TMPDIR:-/tmp}"; do
  case $folder in
    /usr/* | /etc/* | /var/* | /srv/*)
      mkdir -p "$folder"
      mount --bind "$scratch/machine$folder" "$folder"
      ;;
  esac
done
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/chrony /run/lock
mount -t sysfs sysfs /sys

# pdeathsig: the whole lab ends with its holder, even when that is killed.
setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc tini -s -- "$node" "$checkout/lab/supervisor.ts" "$@" &
supervisor=$!
trap 'kill -KILL $supervisor 2>/dev/null || true' TERM INT
wait $supervisor
