import { type ClockComparison, type ClockOwner, clockFault, compareClocks } from "../../providers/site/index.ts";
import { connectSsh, type SshTarget } from "../../providers/transport/ssh.ts";
import type { Plan } from "../../stacks/plan.ts";
import type { Credentials } from "../pulumi.ts";
import type { ProvedHost } from "../suite.ts";
import { type Examined, examine } from "./examined.ts";

/** Default of the inventory's `driver.ntp.largestOffsetSeconds`, for sites that name no time servers. */
const LARGEST_OFFSET_SECONDS = 1;

/** A host's clock beside the driver's, and what is wrong with it. */
export function clockOf(
  host: ProvedHost,
  { ssh, address, ntp }: Plan["driver"],
  credentials: Credentials,
): Promise<{ seen: ClockComparison; fault: string | undefined }> {
  const { user = "root", privateKey = "" } = credentials.hosts ?? {};
  const theirs = { address, user: ssh.user, hostKey: ssh.hostKey, privateKey: credentials[ssh.credential]?.privateKey ?? "" };
  return withClock(`driver ${address}`, theirs, (driver) =>
    withClock(`host ${host.address}`, { address: host.address, user, privateKey, hostKey: host.hostKey }, async (own) => {
      const seen = await compareClocks(own, driver);
      return { seen, fault: clockFault(own.name, driver.name, seen, ntp?.largestOffsetSeconds ?? LARGEST_OFFSET_SECONDS) };
    }),
  );
}

/** The clock of a host that the stack has proved agrees with the driver's. */
export function examineClock(host: ProvedHost, driver: Plan["driver"], credentials: Credentials): Promise<Examined> {
  const remedy = "let it follow the driver's time (`driver.ntp` of the inventory), or raise `largestOffsetSeconds` there";
  return examine(`clock of ${host.name}, ${host.address}`, remedy, async () => {
    const { seen, fault } = await clockOf(host, driver, credentials);
    if (fault !== undefined) throw new Error(fault);
    return `${seen.offsetSeconds.toFixed(3)} s from the driver's, measured to ${seen.uncertainSeconds.toFixed(3)} s`;
  });
}

async function withClock<T>(name: string, target: SshTarget, use: (owner: ClockOwner) => Promise<T>): Promise<T> {
  const connection = await connectSsh(target);
  try {
    return await use({ name, exec: (command, options) => connection.exec(command, options) });
  } finally {
    connection.close();
  }
}
