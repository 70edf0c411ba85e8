#!/bin/sh
# The bare installs: machines of the lab, all at once, each until its new system shows its token over SSH.
# usage: install.sh KEY NUMBER…   machine h11 has number 11, address 10.91.0.11 and BMC 10.91.1.11
set -eu
here=$(dirname "$0")
key=$1
shift
export IPMI_PASSWORD=labpass

bmc() {
  number=$1
  shift
  ipmitool -I lanplus -C 3 -E -U lab -H "10.91.1.$number" chassis "$@"
}

shows() {
  ssh -i "$key" -o BatchMode=yes -o ConnectTimeout=2 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=QUIET \
    "root@10.91.0.$1" "grep -qx token=$2 /etc/testbed-install"
}

install() {
  token=$(python3 "$here/install.py" "h$1")
  bmc "$1" power off
  until bmc "$1" power status | grep -q 'is off'; do sleep 0.2; done
  bmc "$1" bootdev pxe
  bmc "$1" power on
  until shows "$1" "$token"; do sleep 0.2; done
}

running=
for number in "$@"; do
  install "$number" &
  running="$running $!"
done
for one in $running; do wait "$one"; done
