#!/bin/bash
# What cobblerd calls as `systemctl` and as `service` to restart dnsmasq: the lab's supervisor owns that process.
for word; do case $word in dnsmasq | dnsmasq.service) ;; restart) ;; *) echo "$0: only a restart of dnsmasq is known here, not: $*" >&2; exit 1 ;; esac; done
exec 3<>/dev/tcp/127.0.0.1/7900 || exit 255
echo "driver restart dnsmasq" >&3
while read -r -t 20 line <&3; do
  case $line in rc\ *) exit "${line#rc }" ;; *) echo "$line" ;; esac
done
exit 255
