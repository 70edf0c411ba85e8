# The clock, by chrony where the distribution has it, else by ntpd (XenServer 6 and 7, RHEL 6).
#
# @param servers Addresses of the time servers
class testbed_base::time (
  Array[String[1], 1] $servers,
) {
  $release = $facts['os']['release']['major']
  $ntpd = $facts['os']['name'] == 'XenServer' or ($facts['os']['family'] == 'RedHat' and $release == '6')
  if $ntpd {
    $package = 'ntp'
    $service = 'ntpd'
    $configuration = '/etc/ntp.conf'
    $lines = ['driftfile /var/lib/ntp/drift', 'restrict default nomodify notrap nopeer noquery', 'restrict 127.0.0.1']
  } else {
    $package = 'chrony'
    $service = $facts['os']['family'] ? {
      'RedHat' => 'chronyd',
      default  => 'chrony',
    }
    $configuration = $facts['os']['family'] ? {
      'RedHat' => '/etc/chrony.conf',
      default  => '/etc/chrony/chrony.conf',
    }
    # Stepped in the first three updates: a machine fresh from its installer may be hours off.
    $lines = ['driftfile /var/lib/chrony/drift', 'makestep 1 3', 'rtcsync']
  }
  $sources = $servers.map |$server| { "server ${server} iburst" }
  $text = join($sources + $lines, "\n")

  package { $package:
    ensure => installed,
  }
  -> file { $configuration:
    ensure  => file,
    content => "# Written by puppet (testbed_base).\n${text}\n",
  }
  ~> service { $service:
    ensure => running,
    enable => true,
  }
}
