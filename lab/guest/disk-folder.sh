#!/bin/sh
# Writes a system to the folder that is a light host's disk: testbed-disk URL (without its suffix).
set -uo pipefail
for old in /target/* /target/.[!.]*; do rm -rf "$old"; done
wget -q -O - "$1.tar" | tar -x -C /target
