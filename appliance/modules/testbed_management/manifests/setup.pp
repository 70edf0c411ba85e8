# Databases and server set up, once: what was set up is recognised by the database itself.
class testbed_management::setup {
  file { '/usr/local/sbin/testbed-setup-management':
    ensure => file,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
    source => 'puppet:///modules/testbed_management/testbed-setup-management',
  }
  -> exec { 'testbed_management: databases':
    command     => '/usr/local/sbin/testbed-setup-management databases',
    unless      => 'test -x /usr/local/sbin/testbed-setup-management && /usr/local/sbin/testbed-setup-management has-databases',
    environment => ["MANAGEMENT_ADDRESS=${testbed_management::address}"],
    provider    => shell,
    timeout     => 1200,
  }
  -> exec { 'testbed_management: integration port':
    command  => '/usr/local/sbin/testbed-setup-management integration-port',
    unless   => 'test -x /usr/local/sbin/testbed-setup-management && /usr/local/sbin/testbed-setup-management has-integration-port',
    provider => shell,
    notify   => Class['testbed_management::service'],
  }
  -> exec { 'testbed_management: server':
    command  => '/usr/local/sbin/testbed-setup-management server',
    unless   => 'test -x /usr/local/sbin/testbed-setup-management && /usr/local/sbin/testbed-setup-management has-server',
    provider => shell,
    timeout  => 600,
  }
}
