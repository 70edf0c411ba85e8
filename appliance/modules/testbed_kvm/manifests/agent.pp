# The packages of a KVM host. `expect` is what the management server's old set-up scripts speak to the agent with.
class testbed_kvm::agent {
  $qemu = $facts['os']['family'] ? {
    'RedHat' => 'qemu-kvm',
    default  => 'qemu-system-x86',
  }
  $libvirt = $facts['os']['family'] ? {
    'RedHat' => 'libvirt',
    default  => 'libvirt-daemon-system',
  }
  package { [$qemu, $libvirt, 'expect']:
    ensure => installed,
  }
  -> package { 'cloudstack-agent':
    ensure  => installed,
    require => Class['testbed_packages'],
  }
  -> service { 'libvirtd':
    ensure => running,
    enable => true,
  }
  # Started by the management server, which tells it where to go: only what starts at boot is decided here.
  -> service { 'cloudstack-agent':
    enable => true,
  }
}
