# The server's log at the wanted level, and to syslog, where the archive of a run takes it from.
class testbed_management::logging {
  $level = $testbed_management::log_level ? {
    ''        => 'INFO',
    'warning' => 'WARN',
    default   => upcase($testbed_management::log_level),
  }
  $syslog_host = $testbed_management::syslog_host ? {
    undef   => 'localhost',
    ''      => 'localhost',
    default => $testbed_management::syslog_host,
  }
  file { '/usr/local/sbin/testbed-log4j':
    ensure => file,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
    source => 'puppet:///modules/testbed_management/testbed-log4j',
  }
  -> exec { 'testbed_management: log4j':
    command  => "/usr/local/sbin/testbed-log4j write ${level} ${syslog_host}",
    unless   => "test -x /usr/local/sbin/testbed-log4j && /usr/local/sbin/testbed-log4j is-written ${level} ${syslog_host}",
    provider => shell,
  }
}
