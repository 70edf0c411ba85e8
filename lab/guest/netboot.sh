#!/bin/sh
# Network boot as iPXE does it: DHCP (marked as iPXE by option 175), the boot script over HTTP, then its kernel, initrd and command
# line. Exit status: that of the installer; 10 = the boot server said: local disk; 11 = nobody answered.
set -u
# No -T for wget anywhere: in Debian 12's busybox-static (1.35) that option is a segmentation fault.
ip link set lo up
ip link set eth0 up
echo "netboot: DHCP"
udhcpc -f -n -q -i eth0 -t 5 -T 1 -x 0xaf:b10101 -O bootfile -s /usr/share/udhcpc/default.script >/dev/null 2>&1 || { echo "netboot: no DHCP answer"; exit 11; }
mac=$(cat /sys/class/net/eth0/address)
url=$(sed "s/[$]{net0\/mac}/$mac/" /run/boot-file)
echo "netboot: boot script $url"
wget -q -O /run/boot.ipxe "$url" || { echo "netboot: no boot script"; exit 11; }
kernel=$(sed -n 's/^kernel *//p' /run/boot.ipxe | head -n 1)
initrd=$(sed -n 's/^initrd *//p' /run/boot.ipxe | head -n 1)
[ -n "$kernel" ] || { echo "netboot: local disk"; exit 10; }
server=$(echo "$url" | cut -d/ -f1-3)
absolute() { case $1 in http://*) echo "$1" ;; *) echo "$server/${1#/}" ;; esac; }
for file in "${kernel%% *}" "${initrd%% *}"; do
  wget -q -O /dev/null "$(absolute "$file")" || { echo "netboot: $file cannot be fetched"; exit 11; }
done
echo "netboot: starting the installer: ${kernel#* }"
exec testbed-install "${kernel#* }"
