# A build is a folder of package files without an index: they are fetched, and made a repository on the machine itself.
#
# @param address Address of the folder
class testbed_packages::build (
  String[1] $address,
) {
  $tools = $facts['os']['family'] ? {
    'RedHat' => ['wget', 'createrepo'],
    default  => ['wget', 'dpkg-dev'],
  }
  package { $tools:
    ensure => installed,
  }
  -> file { '/usr/local/sbin/testbed-fetch-build':
    ensure => file,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
    source => 'puppet:///modules/testbed_packages/testbed-fetch-build',
  }
  -> exec { 'testbed_packages: fetch the build':
    command     => '/usr/local/sbin/testbed-fetch-build "$ADDRESS"',
    unless      => 'test "$(cat /var/cache/testbed-packages/.address)" = "$ADDRESS"',
    environment => ["ADDRESS=${address}"],
    path        => ['/usr/bin', '/bin', '/usr/sbin', '/sbin'],
    provider    => shell,
    timeout     => 1800,
  }
}
