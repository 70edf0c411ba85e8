# A KVM host: libvirt and CloudStack's agent from the packages under test. The agent is configured by the management server when it adds
# the host.
#
# @param ports TCP ports: SSH, CloudStack's agent, libvirt (TLS and plain), consoles, live migration
class testbed_kvm (
  Array[String] $ports = ['22', '1798', '16509', '16514', '5900-6100', '49152-49216'],
) {
  include testbed_base
  contain testbed_packages
  contain testbed_kvm::system
  contain testbed_kvm::agent

  testbed_base::port { $ports: }

  Class['testbed_base']
  -> Class['testbed_kvm::system']
  -> Class['testbed_packages']
  -> Class['testbed_kvm::agent']
}
