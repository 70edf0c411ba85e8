#!/usr/bin/env bash
# Builds what the lab's machines run: the installer's tree, and one image for each of the two systems. Runs inside the lab's
# namespaces (the software of tools/setup/lab.sh lies over /usr there); does nothing when nothing changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1 public_key=$2
stamp=$(cat "$here"/* "$public_key" | sha256sum | cut -d' ' -f1)
[ "$(cat "$out/stamp" 2>/dev/null)" != "$stamp" ] || exit 0
rm -rf "$out"
tree=$out/tree
mkdir -p "$tree"/{bin,sbin,dev,proc,sys,run,tmp,target,root/.ssh,etc/dropbear,usr/bin,usr/sbin,usr/share/udhcpc,lib64}

cp /usr/bin/busybox "$tree/bin/busybox"
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -sf busybox "$tree/bin/$applet"; done
for program in /usr/sbin/dropbear /usr/bin/dropbearkey; do
  cp "$program" "$tree$program"
  for library in $(ldd "$program" | grep -o '/[^ ]*'); do cp -L --parents "$library" "$tree"; done
done

echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
echo 'root:*:19000:0:99999:7:::' >"$tree/etc/shadow"
echo 'root:x:0:' >"$tree/etc/group"
echo /bin/sh >"$tree/etc/shells"
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' >"$tree/etc/nsswitch.conf"
cp "$public_key" "$tree/root/.ssh/authorized_keys"
chmod 700 "$tree/root" "$tree/root/.ssh"
chmod 600 "$tree/root/.ssh/authorized_keys" "$tree/etc/shadow"
install -m 755 "$here/udhcpc.sh" "$tree/usr/share/udhcpc/default.script"
install -m 755 "$here/curl.sh" "$tree/usr/bin/curl"
install -m 755 "$here/install.sh" "$tree/bin/testbed-install"
install -m 755 "$here/netboot.sh" "$tree/bin/testbed-netboot"
install -m 755 "$here/system.sh" "$tree/sbin/system"

for system in os hv; do
  printf 'ID=lab-%s\nVERSION_ID="1"\nPRETTY_NAME="Lab system %s"\n' "$system" "$system" >"$tree/etc/os-release"
  tar -C "$tree" -cf "$out/$system.tar" .
done
rm "$tree/etc/os-release"
(cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$out/initrd.img"
cp "$(echo "$3"/boot/vmlinuz-*)" "$out/vmlinuz"
echo "$stamp" >"$out/stamp"
