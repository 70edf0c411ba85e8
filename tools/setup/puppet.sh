#!/usr/bin/env bash
# Gets the real puppetserver and agent of Debian 12 for the suite test/puppet (`make test-long`), unpacked below the cache: 250 MB that
# nothing else needs. The suite lays the tree over /usr and /etc inside the lab's namespaces.
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloudstack-testbed
folder=$cache/puppet
log=$cache/log/puppet.log
packages=(puppetserver puppet-agent openjdk-17-jre-headless libcommons-io-java openssh-server)
stamp=$(printf '%s\n' "${packages[@]}" | cat - "$0" | sha256sum | cut -c1-16)
software=$folder/software/$stamp
[ ! -e "$software/complete" ] || { ln -sfn "software/$stamp" "$folder/current"; exit 0; }

[ -r /etc/debian_version ] || { echo "the real puppetserver is had from Debian 12 (apt and dpkg)" >&2; exit 1; }
mkdir -p "$cache/log" "$folder"
: >"$log"
exec 9>"$folder/lock"
flock 9
[ ! -e "$software/complete" ] || exit 0

step() { # step NAME COMMAND…
  echo "set-up of puppetserver: $1"
  local name=$1
  shift
  "$@" >>"$log" 2>&1 || { echo "set-up of puppetserver failed: $name: $* — see $log" >&2; tail -n 5 "$log" >&2; exit 1; }
}
apt=$folder/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives" \
    -o Debug::NoLocking=true -o APT::Sandbox::User=root -o APT::Install-Recommends=false -y "$@"
}
step "package lists" apt_get update
step "download of the packages" apt_get install --reinstall --download-only "${packages[@]}"
rm -rf "$software"
mkdir -p "$software/usr"
unpack() {
  local deb java
  # The directories that Debian 12 has merged into /usr; the packages still name them.
  for deb in bin sbin lib lib64; do mkdir -p "$software/usr/$deb"; ln -s "usr/$deb" "$software/$deb"; done
  for deb in "$apt"/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$software"; done
  # What the packages' installation scripts do with update-alternatives.
  java=$(echo "$software"/usr/lib/jvm/java-17-openjdk-*/bin/java)
  ln -sfn "../lib${java#"$software/usr/lib"}" "$software/usr/bin/java"
  ln -sfn clojure-1.11.jar "$software/usr/share/java/clojure.jar"
}
step "unpacking" unpack
rm -rf "$apt/archives"
ln -sfn "software/$stamp" "$folder/current"
touch "$software/complete"
