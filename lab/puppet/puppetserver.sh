#!/bin/bash
# `puppetserver ca …` and, as `puppet`, `puppet cert …` of the lab's driver: what the running emulator says, on the two streams and with
# the status of the real command.
program=${0##*/}
faults=/run/testbed-puppet
if [ -e $faults/release-3 ]; then release=3.8.7; elif [ -e $faults/api-only ]; then release=; else release=7.23.0; fi
missing() { echo "$program: command not found" >&2; exit 127; }
[ -n "$release" ] || missing
if [ "$program" = puppet ]; then
  case $1 in
    --version) echo $release; exit ;;
    cert) [ $release = 3.8.7 ] || { echo "Error: Unknown Puppet subcommand 'cert'" >&2; echo "See 'puppet help' for help on available puppet subcommands" >&2; exit 1; } ;;
    *) echo "Error: Unknown Puppet subcommand '$1'" >&2; exit 1 ;;
  esac
  shift
  question="puppet-cert $*"
else
  [ $release = 7.23.0 ] || missing
  [ "$1" = ca ] || { echo "puppetserver: the lab knows \`puppetserver ca\` only" >&2; exit 1; }
  shift
  question="puppetserver-ca $*"
fi
# Only the commands that speak to the server need it.
case $question in "puppetserver-ca --help"*) echo "Usage: puppetserver ca <action> [options]"; exit 0 ;; esac
down() {
  printf '%s\n' "Fatal error when running action '$1'" "  Error: Failed connecting to https://$(hostname -f):8140/puppet-ca/v1/certificate_status" \
    "  Root cause: Failed to open TCP connection to $(hostname -f):8140 (Connection refused - connect(2))" >&2
  exit 1
}
{ exec 3<>/dev/tcp/127.0.0.1/7901; } 2>/dev/null || down "$1"
echo "$question" >&3
while IFS= read -r -t 60 line <&3; do
  case $line in
    rc\ *) exit "${line#rc }" ;;
    !*) printf '%s\n' "${line#!}" >&2 ;;
    *) printf '%s\n' "$line" ;;
  esac
done
down "$1"
