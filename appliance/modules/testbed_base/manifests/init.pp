# What every machine gets: the site's time, and the key by which it is reached.
#
# @param ntp_servers Addresses of the time servers, separated by commas
# @param ssh_key Public key line that root accepts
class testbed_base (
  Optional[String] $ntp_servers = $facts['testbed_ntp_servers'],
  Optional[String] $ssh_key = $facts['testbed_ssh_key'],
) {
  if $ntp_servers {
    class { 'testbed_base::time':
      servers => split($ntp_servers, ','),
    }
    contain testbed_base::time
  }
  if $ssh_key {
    class { 'testbed_base::ssh_key':
      line => $ssh_key,
    }
    contain testbed_base::ssh_key
  }
}
