#!/bin/sh
# The lab's puppet agent: certificate, lock, report and exit codes of a real one; what it applies is only the role that the driver says.
state=/var/lib/puppet/state ssl=/var/lib/puppet/ssl
case ${1:-} in
  --version) echo 7.23.0; exit 0 ;;
  agent) shift ;;
  *) echo "Error: Unknown Puppet subcommand '${1:-}'" >&2; exit 1 ;;
esac
certname=$(hostname) server=puppet environment=production
while [ $# -gt 0 ]; do
  case $1 in
    --certname) certname=$2; shift ;;
    --server) server=$2; shift ;;
    --environment) environment=$2; shift ;;
    --waitforcert) shift ;;
  esac
  shift
done
mkdir -p $state $ssl/private_keys $ssl/certs
lock=$state/agent_catalog_run.lock
in_progress() { echo "Notice: Run of Puppet configuration client already in progress; skipping  ($lock exists)"; exit 1; }
[ ! -e $state/agent_disabled.lock ] || { echo "Notice: Skipping run of Puppet configuration client; administratively disabled (Reason: 'reason not specified');"; echo "Use 'puppet agent --enable' to re-enable."; exit 1; }
pid=$(cat $lock 2>/dev/null) && kill -0 "$pid" 2>/dev/null && in_progress
# busybox's own look-up: a static program has no name service.
case $server in
  *[!0-9.]*) address=$(nslookup "$server" 2>/dev/null | awk '/^Name:/ { found = 1 } found && /^Address/ { print $NF; exit }') ;;
  *) address=$server ;;
esac
ask() { wget -q -O - "http://$address:8141/$1" 2>/dev/null; }
unreachable() { echo "Error: Could not run: Failed to open TCP connection to $server:8140 ($1)"; exit 1; }
[ -n "$address" ] || unreachable "getaddrinfo: Name or service not known"
key=$ssl/private_keys/$certname.pem
[ -s "$key" ] || { echo "Info: Creating a new RSA SSL key for $certname"; head -c 16 /dev/urandom | md5sum | cut -d' ' -f1 >"$key"; }
mine=$(cat "$key")
answer=$(ask "certificate?certname=$certname&key=$mine") || unreachable "Connection refused - connect(2) for \"$server\" port 8140"
case $answer in
  "signed $mine" | "revoked $mine") echo "$answer" >"$ssl/certs/$certname.pem" ;;
  requested*)
    echo "Info: Certificate for $certname has not been signed yet"
    echo "Couldn't fetch certificate from CA server; you might still need to sign this agent's certificate ($certname)."
    echo "Exiting now because the waitforcert setting is set to 0."
    exit 1
    ;;
  *) echo "Error: Could not run: The certificate for 'CN=$certname' does not match its private key"; exit 1 ;;
esac
echo $$ >$lock
trap 'rm -f $lock' EXIT
trap 'echo "Notice: Caught TERM; exiting"; exit 1' TERM
echo "Info: Using environment '$environment'"
role=$(sed -n 's/^testbed_role=//p' /etc/facter/facts.d/testbed.txt 2>/dev/null)
catalog=/var/lib/puppet/catalog
ask "catalog?certname=$certname&key=$mine&role=$role&environment=$environment" >$catalog || unreachable "Connection refused - connect(2) for \"$server\" port 8140"
report=$state/last_run_report.yaml
begin_report() { # begin_report STATUS
  printf '%s\n' '--- !ruby/object:Puppet::Transaction::Report' "host: $certname" "time: '$(date -u +%Y-%m-%dT%H:%M:%S).000000000+00:00'" \
    "transaction_uuid: $(cat /proc/sys/kernel/random/uuid)" 'report_format: 12' 'puppet_version: 7.23.0' "status: $1" 'transaction_completed: true' 'noop: false' "environment: $environment" >$report.new
}
# The machine's name must not be read as a part of a line: titles are quoted.
resource() { # resource TITLE FAILED CHANGED MESSAGE FILE LINE
  printf '%s\n' "  $1: !ruby/object:Puppet::Resource::Status" "    title: \"${1#*[}" "    file: \"$5\"" "    line: $6" "    resource: \"$1\"" \
    "    changed: $3" "    failed: $2" "    failed_to_restart: false" "    skipped: false" "    events:" | sed 's/\(title: ".*\)\]$/\1"/' >>$report.new
  printf '%s\n' '    - !ruby/object:Puppet::Transaction::Event' "      message: \"$4\"" "      status: $([ "$2" = true ] && echo failure || echo success)" >>$report.new
}
end_report() { mv $report.new $report; }
sed -n 's/^busy //p' $catalog | grep -q . && {
  sh -c 'echo $$ >"$1"; exec sleep "$2"' another-run $lock "$(sed -n 's/^busy //p' $catalog)" >/dev/null 2>&1 &
  trap - EXIT
  in_progress
}
error=$(sed -n 's/^error //p' $catalog)
if [ -n "$error" ]; then
  echo "Error: $error"
  echo "Warning: Not using cache on failed catalog"
  echo "Error: Could not retrieve catalog; skipping run"
  begin_report failed
  echo 'resource_statuses: {}' >>$report.new
  end_report
  exit 1
fi
echo "Info: Caching catalog for $certname"
echo "Info: Applying configuration version '$(date +%s)'"
if grep -q '^hang' $catalog; then
  echo "Notice: /Stage[main]/Testbed_packages/Exec[testbed_packages: refresh]: running"
  while :; do sleep 1; done
fi
changed=$(sed -n 's/^changed //p' $catalog)
status=unchanged code=0
[ "$changed" = 0 ] || { status=changed code=2; }
if grep -q '^failed' $catalog; then status=failed code=$((code + 4)); fi
begin_report $status
echo 'resource_statuses:' >>$report.new
resource 'File[/etc/testbed-role]' false true 'defined content' /srv/puppet/manifests/site.pp 4
number=1
while [ $number -lt "$changed" ]; do
  resource "File[/etc/testbed/$number]" false true 'created' /srv/puppet/manifests/site.pp 4
  number=$((number + 1))
done
sed -n 's/^failed //p' $catalog | while IFS='|' read -r title message place; do
  echo "Error: /Stage[main]/$title/ensure: change from 'absent' to 'present' failed: $message"
  resource "$title" true false "change from 'absent' to 'present' failed: $message" "${place%:*}" "${place##*:}"
done
[ "$changed" != 0 ] || begin_report unchanged
[ "$changed" != 0 ] || echo 'resource_statuses: {}' >>$report.new
role=$(sed -n 's/^role //p' $catalog)
if [ -n "$role" ]; then
  echo "Notice: /Stage[main]/Main/File[/etc/testbed-role]/ensure: defined content as '{md5}$(echo "$role" | md5sum | cut -d' ' -f1)'"
  echo "$role" >/etc/.testbed-role.new
  mv /etc/.testbed-role.new /etc/testbed-role
fi
echo "Notice: Applied catalog in 0.12 seconds"
end_report
exit $code
