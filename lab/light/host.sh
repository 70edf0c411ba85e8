#!/usr/bin/env bash
# One power-on of a light machine, as PID 1 of its own namespaces. Ends when the machine powers off.
set -uo pipefail
mode=$1 disk=$2 tree=$3 fault=$4
root=/run/light
mkdir -p $root
mount -t tmpfs tmpfs $root

enter() { # enter ROOT PROGRAM…: the basic file systems of a booted machine, then the program
  local at=$1
  shift
  mount -t proc proc "$at/proc"
  mount -t sysfs sysfs "$at/sys"
  mount --bind /dev "$at/dev"
  mount -t devpts devpts "$at/dev/pts"
  mount -t tmpfs tmpfs "$at/run"
  PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root chroot "$at" "$@"
}

if [ "$mode" = pxe ]; then
  mkdir -p $root/{upper,work,installer}
  mount -t overlay overlay -o "lowerdir=$tree,upperdir=$root/upper,workdir=$root/work" $root/installer
  if [ "$fault" = hang ]; then echo "installer hangs"; exec sleep infinity; fi
  if [ "$fault" = off ]; then 
    # As long as a short installation: the BMC must have seen the machine on.
    echo "installer powers off"
    exec sleep 3
  fi
  mount --bind "$disk" $root/installer/target
  enter $root/installer testbed-netboot
  status=$?
  case $status in
    0) ;; # installed
    10 | 11) ;; # the firmware goes on with the disk
    *) echo "machine powers off after a failed installation ($status)"; exit 0 ;;
  esac
fi
[ -x "$disk/sbin/system" ] || { echo "no bootable disk"; exec sleep infinity; }
ip addr flush dev eth0
enter "$disk" system
