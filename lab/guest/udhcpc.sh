#!/bin/sh
# What busybox udhcpc calls: sets the address, and notes where to boot from.
case $1 in
  bound | renew)
    ip addr flush dev "$interface"
    ip addr add "$ip/$mask" dev "$interface"
    [ -z "$router" ] || ip route replace default via "${router%% *}"
    # The header's `file` field, or option 67 where the server used that.
    echo "${bootfile:-$boot_file}" >/run/boot-file
    ;;
esac
