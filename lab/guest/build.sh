#!/usr/bin/env bash
# Builds what the lab's machines run: the installer (a tree for light hosts, an initrd for QEMU), and each of the two systems as an
# archive for light hosts and as a disk image for QEMU. Runs inside the lab's namespaces (the software of tools/setup/lab.sh lies
# over /usr there); prints their
# folder; builds nothing when nothing changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$1 public_key=$2 software=$3
kernel=$(basename "$(echo "$software"/boot/vmlinuz-*)")
version=${kernel#vmlinuz-}
# Named by content: labs of two checkouts share the cache, and a running lab must keep what it boots from.
out=$cache/$(cat "$here"/* "$public_key" <(echo "$version") | sha256sum | cut -c1-16)
mkdir -p "$out"
exec 9>"$out.lock"
flock 9
echo "$out"
touch "$out" "$out.lock"
find "$cache" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} +
[ ! -e "$out/complete" ] || exit 0
find "$out" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
tree=$out/tree
mkdir -p "$tree"/{bin,sbin,dev,proc,sys,run,tmp,target,root/.ssh,etc/dropbear,etc/acpi/PWRF,usr/bin,usr/sbin,usr/share/udhcpc,lib64}

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
install -m 755 "$here/system.sh" "$tree/sbin/system"
install -m 755 "$here/mount-nfs.sh" "$tree/sbin/mount-nfs"
install -m 755 "$here/puppet.sh" "$tree/usr/bin/puppet"
install -m 755 "$here/cloudstack-forward.sh" "$tree/sbin/cloudstack-forward"
install -m 755 "$here/systemctl.sh" "$tree/usr/bin/systemctl"

for system in os hv; do
  printf 'ID=lab-%s\nVERSION_ID="1"\nPRETTY_NAME="Lab system %s"\n' "$system" "$system" >"$tree/etc/os-release"
  tar -C "$tree" -cf "$out/$system.tar" .
done
rm "$tree/etc/os-release"

initramfs=$out/initramfs
cp -a "$tree" "$initramfs"
install -m 755 "$here/init.sh" "$initramfs/init"
modules_into() { # modules_into FOLDER MODULE…: with all that they need, and the order to load them in
  local folder=$1 module
  shift
  mkdir -p "$folder"
  for module; do modprobe --dirname "$software" --set-version "$version" --show-depends "$module"; done |
    sed -n 's/^insmod *//p' | awk '!seen[$1]++ { print $1 }' | while read -r file; do
    cp "$file" "$folder/"
    basename "$file" >>"$folder/order"
  done
}
modules_into "$initramfs/lib/modules" virtio_pci virtio_net virtio_blk button evdev
install -m 755 "$here/install.sh" "$initramfs/bin/testbed-install"
install -m 755 "$here/disk-image.sh" "$initramfs/bin/testbed-disk"
(cd "$initramfs" && find . | cpio -o -H newc --quiet | gzip -1) >"$out/initrd.img"
cp "$software/boot/$kernel" "$out/vmlinuz"
rm -rf "$initramfs"

# Only in the light hosts' tree: writing to a folder. The tree never holds the program that writes to a block device.
install -m 755 "$here/install.sh" "$tree/bin/testbed-install"
install -m 755 "$here/disk-folder.sh" "$tree/bin/testbed-disk"
install -m 755 "$here/netboot.sh" "$tree/bin/testbed-netboot"

# A disk of 56 MB: boot loader and kernel on FAT16 (BIOS through SYSLINUX's boot sector, UEFI through the removable-media path), the
# system on ext4, filled without a mount.
boot_start=2048 boot_sectors=51200 root_start=53248 root_sectors=61440
printf 'PROMPT 0\nDEFAULT disk\nLABEL disk\n  KERNEL /vmlinuz\n  INITRD /initrd.img\n  APPEND console=ttyS0 quiet panic=5 lab=disk\n' >"$out/syslinux.cfg"
boot="$out/boot.img"
truncate -s $(((boot_start + boot_sectors) * 512)) "$boot"
boot_at="$boot@@$((boot_start * 512))"
mformat -i "$boot_at" -T $boot_sectors -h 16 -s 63 -H $boot_start ::
syslinux --install --offset $((boot_start * 512)) "$boot"
mmd -i "$boot_at" ::/EFI ::/EFI/BOOT
mcopy -i "$boot_at" "$out/vmlinuz" "$out/initrd.img" "$out/syslinux.cfg" ::/
mcopy -i "$boot_at" /usr/lib/SYSLINUX.EFI/efi64/syslinux.efi ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$boot_at" /usr/lib/syslinux/modules/efi64/ldlinux.e64 "$out/syslinux.cfg" ::/EFI/BOOT/
for system in os hv; do
  image=$out/$system.img
  mkdir "$out/root"
  tar -C "$out/root" -xf "$out/$system.tar"
  ln -sf ../bin/busybox "$out/root/sbin/init"
  cp "$here/inittab" "$out/root/etc/inittab"
  install -m 755 "$here/power-button.sh" "$out/root/etc/acpi/PWRF/00000080"
  modules_into "$out/root/lib/modules/nfs" nfsv4
  cp "$boot" "$image"
  truncate -s $(((root_start + root_sectors) * 512)) "$image"
  printf '%s\n' "$boot_start,$boot_sectors,6,*" "$root_start,$root_sectors,83" | sfdisk --quiet "$image"
  dd if=/usr/lib/syslinux/mbr/mbr.bin of="$image" bs=440 count=1 conv=notrunc status=none
  # No journal: the machines are switched off hard, and nothing of theirs is precious.
  mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 -d "$out/root" -E offset=$((root_start * 512)) "$image" $((root_sectors / 2))k
  rm -rf "$out/root"
done
rm "$boot" "$out/syslinux.cfg"
touch "$out/complete"
