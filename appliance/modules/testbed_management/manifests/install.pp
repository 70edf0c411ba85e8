# The server's packages. `ensure => installed`: which release they are, the repository decides, and the machine is installed anew for another.
class testbed_management::install {
  package { ['cloudstack-common', 'cloudstack-management']:
    ensure  => installed,
    require => Class['testbed_packages'],
  }
}
