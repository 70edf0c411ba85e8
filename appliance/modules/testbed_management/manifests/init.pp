# A CloudStack management server with its database, from the packages under test.
#
# @param address The address that agents and system VMs use
# @param log_level Level of the server's own log
# @param syslog_host Where the log goes as well
# @param ports TCP ports that must be reached: interface and API, unauthenticated API, agents, database
class testbed_management (
  String[1] $address = $facts['testbed_management_address'],
  String $log_level = String($facts['testbed_log_level']),
  Optional[String] $syslog_host = $facts['testbed_syslog_host'],
  Array[String] $ports = ['8080', '8096', '8250', '9090', '3306'],
) {
  include testbed_base
  contain testbed_packages
  contain testbed_management::database
  contain testbed_management::install
  contain testbed_management::setup
  contain testbed_management::logging
  contain testbed_management::service

  testbed_base::port { $ports: }

  Class['testbed_base']
  -> Class['testbed_packages']
  -> Class['testbed_management::install']
  -> Class['testbed_management::setup']
  -> Class['testbed_management::logging']
  ~> Class['testbed_management::service']

  Class['testbed_management::database'] -> Class['testbed_management::setup']
}
