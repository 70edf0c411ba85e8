#!/usr/bin/env bash
# One start of a light machine, as PID 1 of its own namespaces: boots from `network` and `disk` in the order given. Ends when the
# machine powers off.
set -uo pipefail
targets=$1 disk=$2 tree=$3 fault=$4
root=/run/light
mkdir -p $root
mount -t tmpfs tmpfs $root

enter() { # enter ROOT PROGRAM…: the basic file systems of a booted machine, then the program
  local at=$1 node
  shift
  mount -t proc proc "$at/proc"
  mount -t sysfs sysfs "$at/sys"
  # Only what programs need: the machine's own disks must not be in reach of an installer.
  mount -t tmpfs tmpfs "$at/dev"
  for node in null zero full random urandom tty; do
    : >"$at/dev/$node"
    mount --bind "/dev/$node" "$at/dev/$node"
  done
  mkdir "$at/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$at/dev/pts"
  ln -s pts/ptmx "$at/dev/ptmx"
  mount -t tmpfs tmpfs "$at/run"
  echo "$fault" >"$at/run/lab-fault"
  PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root chroot "$at" "$@"
}

boot_network() {
  mkdir -p $root/{upper,work,installer}
  mount -t overlay overlay -o "lowerdir=$tree,upperdir=$root/upper,workdir=$root/work" $root/installer
  mount --bind "$disk" $root/installer/target
  enter $root/installer testbed-netboot
  local status=$?
  case $status in
    0) exec busybox reboot -f ;; # installed
    10 | 11) ;; # the firmware goes on
    *) echo "machine powers off after a failed installation ($status)"; exit 0 ;;
  esac
}

boot_disk() {
  [ -x "$disk/sbin/system" ] || { echo "no bootable disk"; return; }
  ip addr flush dev eth0
  enter "$disk" system
  exit
}

for target in $targets; do "boot_$target"; done
exec sleep infinity
