#!/usr/bin/env bash
# One machine with the real puppet of Debian 12, as PID 1 of namespaces of its own inside the lab: machine.sh SOFTWARE NAME ADDRESS
# MASTER MASTER_ADDRESS KEYS. The master runs puppetserver beside its SSH server; a node has the agent alone.
set -euo pipefail
software=$1 name=$2 address=$3 master=$4 master_address=$5 keys=$6
mount --make-rprivate /
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
for folder in usr etc var; do
  mkdir -p "$work/$folder/upper" "$work/$folder/work"
  lower=/$folder
  [ ! -d "$software/$folder" ] || lower=$software/$folder:/$folder
  mount -t overlay overlay -o "lowerdir=$lower,upperdir=$work/$folder/upper,workdir=$work/$folder/work" "/$folder"
done
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /srv
hostname "$name"
printf '127.0.0.1 localhost\n%s %s\n%s %s\n' "$master_address" "$master" "$address" "$name" >/etc/hosts
# The lab's emulator of the command lines, and what the lab's own master left.
rm -rf /usr/local/bin/puppet /usr/local/bin/puppetserver /var/lib/puppet /etc/puppet/puppet.conf /etc/facter
# What the packages' installation scripts do.
getent group puppet >/dev/null || echo 'puppet:x:992:' >>/etc/group
getent passwd puppet >/dev/null || echo 'puppet:x:992:992::/var/lib/puppetserver:/usr/sbin/nologin' >>/etc/passwd
mkdir -p /run/sshd /run/lock /run/puppetserver /var/lib/puppet /var/cache/puppet /var/log/puppet /var/log/puppetserver /var/lib/puppetserver /etc/puppet/code/environments/production/{modules,manifests}
printf '[main]\ncertname = %s\nserver = %s\n[server]\nautosign = true\n' "$name" "$master" >/etc/puppet/puppet.conf
install -m 600 "$keys/driver_host_ed25519" /run/host_key
install -m 600 "$keys/id_ed25519.pub" /run/authorized_keys
cat >/run/sshd_config <<CONF
ListenAddress $address
HostKey /run/host_key
AuthorizedKeysFile /run/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile none
Subsystem sftp internal-sftp
CONF
# Last, since the checkout and the cache may lie below it: what a run writes to root's home must not reach the machine's own.
mount -t tmpfs tmpfs /root
cd /
/usr/sbin/sshd -D -e -f /run/sshd_config &
if [ "$name" = "$master" ]; then
  puppetserver ca setup
  chown -R puppet:puppet /etc/puppet/puppetserver /var/lib/puppetserver /var/log/puppetserver /var/lib/puppet /var/cache/puppet
  # Debian's default of 1 GB is more than the suite's master needs; its life is too short for the second compiler.
  sed -i 's/-Xms1g -Xmx1g/-Xms256m -Xmx768m -XX:TieredStopAtLevel=1/' /etc/default/puppetserver
  # The lab's own master has the port on the driver's address.
  sed -i "s/0\.0\.0\.0/$address/" /etc/puppet/puppetserver/conf.d/webserver.conf
  puppetserver foreground &
fi
wait -n
