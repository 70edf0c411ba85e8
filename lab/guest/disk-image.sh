#!/bin/sh
# Writes a system to the machine's first disk and leaves it mounted at /target: testbed-disk URL (without its suffix).
set -uo pipefail
wget -q -O - "$1.img" | dd of=/dev/vda bs=1M 2>/dev/null || exit 1
blockdev --rereadpt /dev/vda || exit 1
mount -t ext4 /dev/vda2 /target
