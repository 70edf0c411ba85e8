# One key that root accepts. Other keys in the file stay.
#
# @param line The public key line
class testbed_base::ssh_key (
  String[1] $line,
) {
  file { '/root/.ssh':
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0700',
  }
  # The line travels by the environment: as a part of the command it would be read by the shell.
  -> exec { 'testbed_base: ssh key of root':
    command     => 'umask 077 && printf "%s\n" "$LINE" >>/root/.ssh/authorized_keys',
    unless      => 'grep -qxF "$LINE" /root/.ssh/authorized_keys',
    environment => ["LINE=${line}"],
    path        => ['/usr/bin', '/bin'],
    provider    => shell,
  }
}
