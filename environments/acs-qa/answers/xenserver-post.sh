#!/bin/sh
# Belongs into /var/lib/cobbler/scripts/testbed-xenserver on the driver; cobbler renders it for each system. XenServer's installer calls it
# with the new system's root as its argument, before the first boot.
set -e
root=\$1
mkdir -p -m 700 "\$root/root/.ssh"
wget -q -O "\$root/root/.ssh/authorized_keys" http://$http_server/testbed/authorized_keys
printf 'system=%s\nprofile=%s\ndistro=%s\n' '$system_name' '$profile_name' '$distro_name' >"\$root/etc/testbed-install"
printf 'generation=%s\ntoken=%s\n' '$getVar('install_generation', 'none')' '$getVar('install_token', '')' >>"\$root/etc/testbed-install"
# This release has no /etc/os-release; what the installed one says of itself is put into its form.
sed -n 's/^XenServer release \([0-9.]*[0-9]\).*/ID=xenserver\nVERSION_ID=\1/p' "\$root/etc/redhat-release" >"\$root/etc/os-release"
wget -q -O /dev/null http://$http_server/cblr/svc/op/nopxe/system/$system_name
wget -q -O /dev/null http://$http_server/cblr/svc/op/trig/mode/post/system/$system_name
