# What of the distribution is in the agent's way: NetworkManager, which does not leave its bridges alone, and SELinux, which keeps
# libvirt from the mounted stores.
class testbed_kvm::system {
  if $facts['os']['family'] == 'RedHat' {
    # Up to RHEL 7 the old network scripts are there without it; from RHEL 8 on it is the only way to have a network after a boot.
    if versioncmp($facts['os']['release']['major'], '8') < 0 {
      package { 'NetworkManager':
        ensure => absent,
      }
      -> service { 'network':
        ensure => running,
        enable => true,
      }
    }
    exec { 'testbed_kvm: SELinux off at the next boot':
      command  => 'sed -i "s/^SELINUX=.*/SELINUX=permissive/" /etc/selinux/config',
      onlyif   => 'grep -q "^SELINUX=enforcing" /etc/selinux/config',
      path     => ['/usr/bin', '/bin'],
      provider => shell,
    }
    exec { 'testbed_kvm: SELinux off now':
      command  => 'setenforce 0',
      onlyif   => 'test "$(getenforce)" = Enforcing',
      path     => ['/usr/sbin', '/sbin', '/usr/bin', '/bin'],
      provider => shell,
    }
  }
}
