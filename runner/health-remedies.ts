/** What to do about a verdict of the gate, by its text: the gate says what it sees (providers/cloudstack/health-look.ts). */
export const remedies: readonly { verdict: string; pattern: RegExp; remedy: string }[] = [
  {
    verdict: "the zone does not exist",
    pattern: /^the zone does not exist/,
    remedy: "`testbed run` makes it; if it was deleted by hand, `pulumi up --refresh`",
  },
  {
    verdict: "the zone is Disabled",
    pattern: /^the zone is /,
    remedy: '`pulumi up --refresh` enables it again; if it is meant to be off, say `"enabled": "False"` in the marvin configuration',
  },
  {
    verdict: "host … is gone, storage pool … is gone",
    pattern: /^(host|storage pool) \S+ is gone/,
    remedy: "it was removed by hand: `pulumi up --refresh` adds it again",
  },
  {
    verdict: "no host is there, no storage pool is there",
    pattern: /^no (host|storage pool) is there/,
    remedy: "`testbed run` adds those of the marvin configuration; see the last lines of up.log for why they are missing",
  },
  {
    verdict: "host … is in resource state …",
    pattern: / is in resource state /,
    remedy: "a maintenance by hand: end it, or let `pulumi up --refresh` do so",
  },
  {
    verdict: "host … is Alert, Down, Disconnected, Connecting …",
    pattern: /^host .* is (?!gone)/,
    remedy:
      "see its agent (KVM: /var/log/cloudstack/agent/agent.log) and the management server's log; Disconnected heals within a minute after a restart of the server; " +
      "one that stays so is added anew by `pulumi up --refresh`, a broken machine by a new generation",
  },
  {
    verdict: "storage pool … is Maintenance, ErrorInMaintenance …",
    pattern: /^storage pool .* is (?!gone)/,
    remedy: "see whether its server answers (`showmount -e`); `pulumi up --refresh` ends a maintenance",
  },
  {
    verdict: "no console proxy is Running, no secondary storage VM is Running",
    pattern: /^no .* is Running/,
    remedy:
      "they start within minutes after the zone is enabled, once a host, a pool and the system VM template are there; see the alerts and the server's log",
  },
  {
    verdict: "no agent of a … is Up",
    pattern: /^no agent of a /,
    remedy: "the VM cannot reach the server: see the setting `host`, port 8250, and the VM's /var/log/cloud.log (SSH to port 3922 of it)",
  },
  {
    verdict: "a system VM failed to start … times",
    pattern: /^a system VM failed to start/,
    remedy: "the alert says why: addresses of the pod used up, no capacity, no template of this hypervisor on the secondary store",
  },
  {
    verdict: "no built-in template is ready",
    pattern: /^no built-in template is ready/,
    remedy:
      "it is downloaded by the secondary storage VM: see whether that reaches its address (setting `secstorage.allowed.internal.sites` for servers of your own); after an error destroy the VM, a new one tries again",
  },
];

export function remedyOf(verdict: string): string {
  return remedies.find(({ pattern }) => pattern.test(verdict))?.remedy ?? "see the management server's log";
}
