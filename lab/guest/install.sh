#!/bin/sh
# The lab's installer: fetches the answer file named on the kernel command line, writes the image, gives the system its identity,
# reports to cobbler. Exit status 0 = reboot into the disk, 1 = failed (the machine powers off).
set -u
fail() { echo "FAIL $*"; exit 1; }
cmdline=$1
fault=$(cat /run/lab-fault 2>/dev/null)
echo "LAB installer start $cmdline"
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
case $fault in
  install-hangs)
    echo "LAB installer hangs"
    while :; do sleep 3600; done
    ;;
  install-powers-off)
    echo "LAB installer powers off"
    sleep 3 # as long as a short installation: the BMC must have seen the machine on
    exit 1
    ;;
  wrong-image)
    case $lab_image in */os) lab_image=${lab_image%/os}/hv ;; *) lab_image=${lab_image%/*}/os ;; esac
    ;;
  wrong-token) lab_token=spoiled ;;
esac
echo "LAB image $lab_image"
testbed-disk "$lab_image" || fail "the image cannot be written"
echo "$lab_hostname" >/target/etc/hostname
printf 'address=%s\nnetmask=%s\ngateway=%s\n' "$lab_ip" "$lab_netmask" "$lab_gateway" >/target/etc/lab-net
printf 'root:%s:19000:0:99999:7:::\n' "${lab_password:-*}" >/target/etc/shadow
printf 'nameserver %s\n' $lab_dns >/target/etc/resolv.conf
printf 'system=%s\nprofile=%s\ndistro=%s\ngeneration=%s\ntoken=%s\n' "$lab_system" "$lab_profile" "$lab_distro" "$lab_generation" "$lab_token" >/target/etc/testbed-install
[ "$fault" != ssh-refuses ] || : >/target/etc/no-ssh
if [ "$fault" = clock-off ]; then
  # Only what it says: a light host has the clock of the machine that the lab runs on, which nobody may set. A function of root's
  # shell: busybox takes its own date before any program of that name.
  printf '%s\n' '#!/bin/sh' 'date() { busybox date -u -d "@$(($(busybox date +%s) + 3600))" "${2:-$1}"; }' 'eval "$2"' >/target/bin/clock-off
  chmod 755 /target/bin/clock-off
  echo /bin/clock-off >>/target/etc/shells
  sed -i 's#:/bin/sh$#:/bin/clock-off#' /target/etc/passwd
fi
chroot /target dropbearkey -t ed25519 -f /etc/dropbear/dropbear_ed25519_host_key >/dev/null 2>&1 || fail "no host key"
lab_late /target
sync
lab_post
echo "LAB installer end"
exit 0
