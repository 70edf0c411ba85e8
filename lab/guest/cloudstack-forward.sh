#!/bin/sh
# A machine whose role is management-server: what answers on its ports runs beside it (lab/cloudstack/relay.ts, which has the protocol).
# `cloudstack-forward` runs while the machine does; the other words are its own ways of calling itself through nc.
set -u
beside=$(sed -n 's/^nameserver //p' /etc/resolv.conf | head -n 1)
port=7901
token=$(sed -n 's/^token=//p' /etc/testbed-install)
name=$(hostname | cut -d. -f1)
log=/var/log/cloudstack/management/management-server.log
case ${1:-} in
  '')
    mkdir -p "${log%/*}"
    # The role comes with the first puppet run, and busybox has nothing that waits for a file.
    until grep -qx management-server /etc/testbed-role 2>/dev/null; do sleep 1; done
    while :; do
      nc "$beside" "$port" -e /sbin/cloudstack-forward service
      sleep 1
    done
    ;;
  service)
    echo "$token $name service"
    while read -r verb text; do
      case $verb in
        open)
          nc -ll -p "$text" -e /sbin/cloudstack-forward client "$text" </dev/null >/dev/null 2>&1 &
          echo $! >"/run/forward-$text"
          ;;
        close)
          kill "$(cat "/run/forward-$text")"
          rm "/run/forward-$text"
          ;;
        log) echo "$text" >>"$log" ;;
      esac
    done
    for listener in /run/forward-*; do [ ! -e "$listener" ] || kill "$(cat "$listener")"; done
    rm -f /run/forward-*
    ;;
  client)
    # The client is standard input and output here; nc gives those to the connection that it makes.
    exec 3<&0 4>&1
    exec nc "$beside" "$port" -e /sbin/cloudstack-forward pipe "$2"
    ;;
  pipe)
    echo "$token $name $2"
    cat <&3 >&1 3<&- 4>&- &
    cat >&4 3<&-
    kill $!
    ;;
  systemctl)
    echo "$token $name systemctl $2"
    # The last line is `rc STATUS`; standard error is the caller's.
    while read -r line; do
      case $line in 'rc '*) exit "${line#rc }" ;; *) echo "$line" >&2 ;; esac
    done
    exit 1
    ;;
esac
