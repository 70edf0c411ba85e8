# A TCP port, or a range of them, that the machine's own firewall lets in.
#
# @param ports `8080`, or `5900-6100`
define testbed_base::port (
  Pattern[/\A\d+(-\d+)?\z/] $ports = $title,
) {
  include testbed_base::firewall
  exec { "testbed_base: port ${ports}":
    command  => "/usr/local/sbin/testbed-port open ${ports}",
    unless   => "test -x /usr/local/sbin/testbed-port && /usr/local/sbin/testbed-port is-open ${ports}",
    provider => shell,
    require  => Class['testbed_base::firewall'],
  }
}
