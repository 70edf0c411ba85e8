#!/bin/sh
# The bare writes: one file per host in each of dnsmasq's folders, and one HUP. Reads lines "name mac address".
# usage: dnsmasq.sh add|remove
set -eu
while read -r name mac address; do
  if [ "$1" = add ]; then
    printf '%s %s.lab.test %s\n' "$address" "$name" "$name" >"/srv/testbed/hosts.d/$name"
    printf '%s,%s,%s\n' "$mac" "$address" "$name" >"/srv/testbed/dhcp.d/$name"
  else
    rm "/srv/testbed/hosts.d/$name" "/srv/testbed/dhcp.d/$name"
  fi
done
kill -HUP "$(cat /run/dnsmasq.pid)"
