#!/usr/bin/env bash
# Gets the Pulumi engine: the one on PATH, else the cache, else the ordinary download, else built from Go modules.
# `testbed` takes the cached one when there is one, else the one on PATH.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
# The one of the SDK.
version=$(sed -n 's|.*"@pulumi/pulumi": "\([0-9.]*\)".*|\1|p' "$project/package.json")
[ -n "$version" ] || { echo "set-up of the engine failed: package.json names no exact release of @pulumi/pulumi" >&2; exit 1; }
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cloudstack-testbed
bin=$cache/pulumi/$version/bin
log=$cache/log/engine.log

complete() { [ -x "$1/pulumi" ] && [ -x "$1/pulumi-language-nodejs" ] && [ -x "$1/pulumi-resource-pulumi-nodejs" ]; }
if complete "$bin"; then exit 0; fi

on_path() {
  command -v pulumi >/dev/null && command -v pulumi-language-nodejs >/dev/null && command -v pulumi-resource-pulumi-nodejs >/dev/null || return 1
  local found
  found=$(pulumi version 2>/dev/null) || return 1
  [ "$(printf '%s\n' "$version" "${found#v}" | sort -V | head -n 1)" = "$version" ]
}
if on_path; then exit 0; fi

mkdir -p "$cache/log" "$cache/pulumi/$version"
: >"$log"
exec 9>"$cache/pulumi/$version/lock"
flock 9
if complete "$bin"; then exit 0; fi # another set-up got it meanwhile
new=$(mktemp -d "$cache/pulumi/$version/new.XXXXXX")
trap 'rm -rf "$new"' EXIT

step() { # step NAME COMMAND…: shows that it lives, and names step, command and log when it fails
  local name=$1 began=$SECONDS
  shift
  echo "set-up of the engine: $name"
  echo "+ $*" >>"$log"
  { while sleep 15 >/dev/null 2>&1 9>&-; do echo "set-up of the engine: $name … $((SECONDS - began)) s"; done; } &
  local heartbeat=$! status=0
  "$@" >>"$log" 2>&1 || status=$?
  kill "$heartbeat" 2>/dev/null || true
  wait "$heartbeat" 2>/dev/null || true
  [ "$status" = 0 ] || {
    echo "set-up of the engine failed: $name: $* — see $log" >&2
    tail -n 5 "$log" >&2
    exit 1
  }
}

download() {
  local os arch
  os=$(uname -s | tr '[:upper:]' '[:lower:]')
  case $(uname -m) in x86_64) arch=x64 ;; aarch64 | arm64) arch=arm64 ;; *) return 1 ;; esac
  command -v curl >/dev/null || return 1
  curl --fail --silent --show-error --location --connect-timeout 5 --speed-limit 20000 --speed-time 20 --max-time 600 \
    "https://get.pulumi.com/releases/sdk/pulumi-v$version-$os-$arch.tar.gz" --output "$new/pulumi.tar.gz" >>"$log" 2>&1 || return 1
  tar -xzf "$new/pulumi.tar.gz" -C "$new" --strip-components=1 >>"$log" 2>&1 && rm "$new/pulumi.tar.gz"
}

# The engine learns its version from the linker; without it `pulumi version` is empty.
flags="-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$version"
build() { # build MODULE BINARY PACKAGE
  (cd "$project/tools/pulumi/$1" && go build -mod=readonly -ldflags "$flags" -o "$new/$2" "$3")
}

echo "set-up of the engine: download of Pulumi $version"
if download; then
  echo "set-up of the engine: downloaded"
else
  echo "set-up of the engine: the download is not reachable from here; building from Go modules (about 5 minutes, once)"
  command -v go >/dev/null || {
    echo "set-up of the engine failed: no Go on PATH. Install Go 1.25.11 or newer, or put Pulumi $version or newer on PATH; the failed download is in $log" >&2
    exit 1
  }
  step "build of pulumi" build engine pulumi github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
  step "build of pulumi-language-nodejs" build language-nodejs pulumi-language-nodejs github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs
fi
# The provider host is a script inside the npm package; the one of the installed SDK is the one that fits.
step "copy of the provider host" install -m 755 "$project/node_modules/@pulumi/pulumi/pulumi-resource-pulumi-nodejs" "$new/"
step "look at the result" "$new/pulumi" version
chmod 755 "$new"
rm -rf "$bin"
mv "$new" "$bin"
trap - EXIT
echo "set-up of the engine: Pulumi $version is in $bin"
