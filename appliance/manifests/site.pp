# cloudstack-testbed: distributed by puppet:Modules; changes by hand are undone.
#
# What a machine is, it says itself: puppet:Run writes the external facts /etc/facter/facts.d/testbed.txt before the agent runs.
# A machine without the fact (one that somebody else manages) gets nothing.
case $facts['testbed_role'] {
  undef, '': {}
  'management-server': { include testbed_management }
  'kvm-host': { include testbed_kvm }
  'xenserver-host', 'base': { include testbed_base }
  default: { fail("No role is called '${facts['testbed_role']}'; see appliance/README.md of cloudstack-testbed") }
}
