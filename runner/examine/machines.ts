import { ipmitool } from "../../providers/transport/ipmitool.ts";
import { connectSsh } from "../../providers/transport/ssh.ts";
import type { Plan, PlannedMachine } from "../../stacks/plan.ts";
import type { Credentials } from "../pulumi.ts";
import type { ProvedHost, SiteProbe } from "../suite.ts";
import { type Examined, examine } from "./examined.ts";

/** The BMC answers with the credential, from where the inventory says that it is reached. */
export function examineBmc(machine: PlannedMachine, driver: Plan["driver"], credentials: Credentials): Promise<Examined> {
  const { via, ...bmc } = machine.bmc;
  return examine(
    `BMC of ${machine.name}, ${bmc.address}`,
    "is it powered and cabled, is IPMI over LAN on, is the credential right?",
    async () => {
      const login = credentials[bmc.credential];
      if (!login?.user || !login.password) throw new Error(`credential ${bmc.credential} has no user and password`);
      const { ssh, address } = driver;
      const there = { address, user: ssh.user, hostKey: ssh.hostKey, privateKey: credentials[ssh.credential]?.privateKey ?? "" };
      const target = { ...bmc, user: login.user, password: login.password, ...(via === "driver" ? { via: there } : {}) };
      return (await ipmitool(target, ["chassis", "power", "status"])).trim();
    },
  );
}

/** A host that the stack has proved still shows the pinned key and accepts the credential. */
export function examineHost(host: ProvedHost, credentials: Credentials): Promise<Examined> {
  return examine(
    `SSH of ${host.name}, ${host.address}`,
    "`testbed test` says what answers there; a new generation of the host installs it again",
    async () => {
      const { user = "root", privateKey = "" } = credentials.hosts ?? {};
      (await connectSsh({ address: host.address, user, privateKey, hostKey: host.hostKey })).close();
      return "shows the pinned key and accepts ours";
    },
  );
}

/** The site's DNS knows the machine. */
export function examineName(machine: PlannedMachine, probe: Pick<SiteProbe, "addresses">): Promise<Examined> {
  return examine(`name ${machine.fqdn}`, "`pulumi refresh` and `pulumi up` put it back", async () => {
    const addresses = await probe.addresses(machine.fqdn);
    if (addresses.join() !== machine.address) throw new Error(`should be ${machine.address}, and is ${addresses.join(", ") || "unknown"}`);
    return machine.address;
  });
}
