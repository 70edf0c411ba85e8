# The database server, with the settings that CloudStack's installation guide asks for, reachable for marvin.
class testbed_management::database {
  $major = $facts['os']['release']['major']
  # MariaDB of RHEL 8 is older than 10.6, which CloudStack needs from 4.20 on.
  case [$facts['os']['family'], $facts['os']['name']] {
    ['RedHat', default]: {
      $package = 'mysql-server'
      $service = 'mysqld'
      $configuration = '/etc/my.cnf.d/cloudstack.cnf'
    }
    [default, 'Ubuntu']: {
      $package = 'mysql-server'
      $service = 'mysql'
      $configuration = '/etc/mysql/mysql.conf.d/zz-cloudstack.cnf'
    }
    default: {
      $package = 'mariadb-server'
      $service = 'mariadb'
      $configuration = '/etc/mysql/mariadb.conf.d/99-cloudstack.cnf'
    }
  }
  package { $package:
    ensure => installed,
  }
  if $facts['os']['family'] == 'RedHat' and $major == '6' {
    # MySQL 5.1 of RHEL 6 reads no folder until its configuration says so.
    exec { 'testbed_management: folder of my.cnf':
      command  => 'mkdir -p /etc/my.cnf.d && printf "\n!includedir /etc/my.cnf.d\n" >>/etc/my.cnf',
      unless   => 'grep -q "^!includedir /etc/my.cnf.d" /etc/my.cnf',
      path     => ['/usr/bin', '/bin'],
      provider => shell,
      require  => Package[$package],
      before   => File[$configuration],
    }
  }
  file { $configuration:
    ensure  => file,
    source  => 'puppet:///modules/testbed_management/cloudstack.cnf',
    require => Package[$package],
  }
  ~> service { $service:
    ensure => running,
    enable => true,
  }
}
