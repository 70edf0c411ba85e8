# The program that opens ports, whatever firewall the distribution has.
class testbed_base::firewall {
  file { '/usr/local/sbin/testbed-port':
    ensure => file,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
    source => 'puppet:///modules/testbed_base/testbed-port',
  }
}
