# Where the CloudStack packages under test come from. No other source of them is on the machine: what is installed is what is tested.
#
# @param address Address of a package repository, or of a build: a web folder that lists package files
# @param kind What the address is: `repository` (default) or `build`
class testbed_packages (
  String[1] $address = $facts['testbed_packages'],
  Optional[Enum['repository', 'build', '']] $kind = $facts['testbed_packages_kind'],
) {
  unless $address =~ /\A(https?|ftp|file):\/\/[^\s'"]+\z/ {
    fail("testbed_packages: '${address}' is not the address of a package repository or build")
  }
  if $kind == 'build' {
    class { 'testbed_packages::build':
      address => $address,
    }
    contain testbed_packages::build
    $repository = 'file:///var/cache/testbed-packages'
    Class['testbed_packages::build'] -> File['testbed_packages: repository']
  } else {
    $repository = $address
  }

  case $facts['os']['family'] {
    'RedHat': {
      $file = '/etc/yum.repos.d/cloudstack-under-test.repo'
      $text = "[cloudstack-under-test]\nname=CloudStack under test\nbaseurl=${repository}\nenabled=1\ngpgcheck=0\nmetadata_expire=0\n"
      $refresh = 'yum --quiet --disablerepo="*" --enablerepo=cloudstack-under-test clean all'
    }
    'Debian': {
      $file = '/etc/apt/sources.list.d/cloudstack-under-test.list'
      $text = "deb [trusted=yes] ${repository} ./\n"
      $refresh = 'apt-get -q update'
    }
    default: {
      fail("testbed_packages: no packages of CloudStack are made for ${facts['os']['family']}")
    }
  }

  file { 'testbed_packages: repository':
    ensure  => file,
    path    => $file,
    content => $text,
  }
  ~> exec { 'testbed_packages: refresh':
    command     => $refresh,
    path        => ['/usr/bin', '/bin', '/usr/sbin', '/sbin'],
    refreshonly => true,
    timeout     => 600,
    provider    => shell,
  }
}
