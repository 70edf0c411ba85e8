#!/bin/sh
# The installed system: its name, its static address, SSH in the foreground.
set -u
hostname "$(cat /etc/hostname)"
. /etc/lab-net
ip link set lo up
ip link set eth0 up
ip addr flush dev eth0
ip addr add "$address/$netmask" dev eth0
ip route replace default via "$gateway"
cloudstack-forward &
echo "LAB disk system up"
if [ -e /etc/no-ssh ]; then exec sleep 1000000; fi
exec dropbear -F -E -R
