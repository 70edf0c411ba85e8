import { onDriver } from "./driver-shell.ts";
import { Pool } from "./xen-server.ts";

// Names that begin with a dot are locks, which stay.
const LOOK = `
PATH=/usr/local/bin:$PATH
list() { for one in "$@"; do if [ -e "$one" ]; then echo "$one"; fi; done; }
for kind in systems profiles distros repos; do list /var/lib/cobbler/collections/$kind/*; done
list /var/lib/cobbler/templates/testbed-lab.sh
list /srv/testbed/hosts.d/* /srv/testbed/dhcp.d/*
list /srv/puppet/environments/production/modules/* /srv/puppet/environments/production/manifests/*
list /var/lib/cloudstack-testbed/leases/* /var/lib/cloudstack-testbed/stores/* /var/lib/cloudstack-testbed/puppet/*
find /srv/nfs -mindepth 1
puppetserver ca list --all | grep -o '[a-z0-9-]*\\.lab\\.test' | sed 's/^/certificate /'
exit 0`;

/**
 * Everything that somebody put on the lab's site, as its own tools and an independent client of XenServer show it: to be compared with
 * what was there before, since other tests of the lab leave certificates.
 */
export async function remains(): Promise<string[]> {
  const pool = new Pool();
  await pool.api.connect();
  try {
    const machines = (await pool.all("VM")).filter((one) => !one.is_a_template && !one.is_control_domain);
    const disks = await pool.disks();
    return [
      ...(await onDriver(LOOK)).split("\n").filter(Boolean),
      ...machines.map((one) => `VM ${one.name_label}`),
      ...disks.map((one) => `disk ${one.name_label}`),
    ];
  } finally {
    await pool.api.disconnect();
  }
}
