# The server itself, started last: a change of its logging or of its integration port restarts it.
class testbed_management::service {
  service { 'cloudstack-management':
    ensure => running,
    enable => true,
  }
}
