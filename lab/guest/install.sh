#!/bin/sh
# The lab's installer: fetches the answer file named on the kernel command line, writes the image, gives the system its identity,
# reports to cobbler. Exit status 0 = reboot into the disk, 1 = failed (the machine powers off).
set -u
fail() { echo "FAIL $*"; exit 1; }
cmdline=$1
echo "LAB installer start"
url=
for word in $cmdline; do
  case $word in url=* | inst.ks=* | ks=*) url=${word#*=} ;; esac
done
[ -n "$url" ] || fail "the command line names no answer file: $cmdline"
tries=10
until wget -q -O /run/answer "$url"; do
  tries=$((tries - 1))
  [ $tries -gt 0 ] || fail "no answer file at $url"
  sleep 1 # busybox has no other bounded wait; the machine is not the product
done
# A template with an error is answered by a comment: nothing but a missing variable tells.
. /run/answer || fail "the answer file is not a script"
[ -n "${lab_system:-}" ] && [ -n "${lab_image:-}" ] || fail "the answer file sets no lab_system or lab_image"
lab_pre
echo "LAB image $lab_image"
for old in /target/* /target/.[!.]*; do rm -rf "$old"; done
wget -q -O - "$lab_image" | tar -x -C /target || fail "the image cannot be written"
echo "$lab_hostname" >/target/etc/hostname
printf 'address=%s\nnetmask=%s\ngateway=%s\n' "$lab_ip" "$lab_netmask" "$lab_gateway" >/target/etc/lab-net
printf 'nameserver %s\n' $lab_dns >/target/etc/resolv.conf
printf 'system=%s\nprofile=%s\ndistro=%s\ngeneration=%s\ntoken=%s\n' "$lab_system" "$lab_profile" "$lab_distro" "$lab_generation" "$lab_token" >/target/etc/testbed-install
chroot /target dropbearkey -t ed25519 -f /etc/dropbear/dropbear_ed25519_host_key >/dev/null 2>&1 || fail "no host key"
lab_late /target
sync
lab_post
echo "LAB installer end"
exit 0
