#!/usr/bin/env bash
# Installs the dependencies of package-lock.json, the pinned Node among them. Nothing to do when they are those already.
set -euo pipefail
cd "$(dirname "$0")/../.."
stamp=node_modules/.cloudstack-testbed
if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then exit 0; fi

command -v npm >/dev/null || {
  echo "set-up of Node failed: npm is not on PATH. Install Node with npm (Debian: apt install npm); the pinned Node 24 then comes from package-lock.json." >&2
  exit 1
}
log=${XDG_CACHE_HOME:-$HOME/.cache}/cloudstack-testbed/log/node.log
mkdir -p "$(dirname "$log")"
began=$SECONDS
echo "set-up of Node: npm ci"
# The system's Node may be older than package.json asks for: it only unpacks the pinned one.
npm ci --no-audit --no-fund --loglevel=error --engine-strict=false >"$log" 2>&1 || {
  echo "set-up of Node failed: npm ci — see $log" >&2
  tail -n 5 "$log" >&2
  exit 1
}
cp package-lock.json "$stamp"
echo "set-up of Node: done in $((SECONDS - began)) s"
