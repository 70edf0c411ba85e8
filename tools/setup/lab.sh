#!/usr/bin/env bash
# Gets what the embedded lab runs, unpacked below the cache: nothing on the machine is installed, started or replaced.
# The lab lays the unpacked tree over /usr and /etc inside its own mount namespace.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloudstack-testbed
lab=$cache/lab
log=$cache/log/lab.log
packages=(
  qemu-system-x86 ipxe-qemu seabios ovmf dnsmasq-base busybox-static curl dropbear-bin linux-image-cloud-amd64 cpio iproute2 kmod
  openssh-client openssh-server pxelinux syslinux-common syslinux syslinux-efi mtools fdisk e2fsprogs ipmitool openipmi chrony rsync tini
  util-linux openssl puppet-agent puppet-lint python3 python3-cheetah python3-netaddr python3-yaml python3-schema python3-distro python3-requests gunicorn
  nfs-ganesha nfs-ganesha-vfs libnfs-utils bzip2
)
stamp=$(printf '%s\n' "${packages[@]}" | cat - "$here"/lab-*requirements.txt "$0" | sha256sum | cut -d' ' -f1)
# Named by content: labs of two checkouts share the cache, and a running lab has its own tree laid under /usr.
software=$lab/software/${stamp:0:16}
ready() {
  [ -e "$software/complete" ] || return 1
  touch "$software"
  ln -sfn "software/${stamp:0:16}" "$lab/current"
}
ready && exit 0

mkdir -p "$cache/log" "$lab"
: >"$log"
step() { # step NAME COMMAND…
  echo "set-up of the lab: $1"
  local name=$1
  shift
  "$@" >>"$log" 2>&1 || { echo "set-up of the lab failed: $name: $* — see $log" >&2; tail -n 5 "$log" >&2; exit 1; }
}

[ -r /etc/debian_version ] || { echo "the embedded lab needs Debian 12 or a close relative (apt and dpkg)" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "the embedded lab needs root: its namespaces are made with unshare" >&2; exit 1; }
exec 9>"$lab/lock"
flock 9
ready && exit 0 # another set-up has just done it
find "$lab/software" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} + 2>/dev/null || true

apt=$lab/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives" \
    -o Debug::NoLocking=true -o APT::Sandbox::User=root -o APT::Install-Recommends=false -y "$@"
}
step "package lists" apt_get update
# --reinstall: what the machine has already must be in the tree as well, in the version its neighbours there ask for.
step "download of the packages" apt_get install --reinstall --download-only "${packages[@]}"

rm -rf "$software"
mkdir -p "$software/usr"
unpack() {
  local deb
  # The directories that Debian 12 has merged into /usr; the packages still name them.
  for deb in bin sbin lib lib64; do mkdir -p "$software/usr/$deb"; ln -s "usr/$deb" "$software/$deb"; done
  for deb in "$apt"/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$software"; done
}
step "unpacking" unpack
kernel=$(basename "$(echo "$software"/boot/vmlinuz-*-cloud-amd64)" | sed 's/^vmlinuz-//')
libraries=$(echo "$software"/usr/lib/*-linux-gnu)
# depmod is kmod under another name, through a link that is right only where the tree is /.
step "kernel modules" env LD_LIBRARY_PATH="$libraries" bash -c 'exec -a depmod "$0" "$@"' "$software/usr/bin/kmod" -b "$software" "$kernel"
pip_install() { # pip_install TARGET REQUIREMENTS [OPTION…]
  PYTHONPATH=$lab/build python3 -m pip install --quiet --no-deps --no-compile --require-hashes --target "$1" -r "$here/$2" "${@:3}"
}
rm -rf "$lab/build"
# pykickstart is published as source only; what builds it is pinned like everything else.
step "build tool" pip_install "$lab/build" lab-build-requirements.txt
step "cobbler and pykickstart" pip_install "$software/usr/lib/cloudstack-testbed/cobbler" lab-requirements.txt --no-build-isolation
rm -rf "$lab/build"
# pip writes the path of the machine's own python into the command.
cat >"$software/usr/bin/ksvalidator" <<'EOF'
#!/bin/sh
PYTHONPATH=/usr/lib/cloudstack-testbed/cobbler exec /usr/bin/python3 /usr/lib/cloudstack-testbed/cobbler/bin/ksvalidator "$@"
EOF
chmod 755 "$software/usr/bin/ksvalidator"
rm -rf "$apt/archives"
touch "$software/complete"
ready
