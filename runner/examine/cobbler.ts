import { CobblerClient } from "../../providers/cobbler/client.ts";
import type { CobblerConnection } from "../../providers/cobbler/index.ts";
import type { Context } from "../../providers/kernel/index.ts";
import { amiss, type Examined, examine, well } from "./examined.ts";

type Owner = "dnsmasq" | "cobbler";

/** Cobbler answers, accepts the login, is of a version that is supported, and agrees with the inventory on who serves DHCP and DNS. */
export async function examineCobbler(
  context: Context,
  connection: CobblerConnection,
  site: { dhcp: Owner; dns: Owner },
): Promise<Examined[]> {
  const client = new CobblerClient(context, connection);
  const login = await examine(
    `cobbler ${connection.url}`,
    "is cobblerd running, its web service in front of it, the credential right?",
    async () => {
      await client.installStatus();
      return "a supported version answers and accepts the login";
    },
  );
  if (login.wrong !== undefined) return [login];
  const settings = await client.settings();
  return [login, owner("DHCP", "manage_dhcp", settings.manage_dhcp, site.dhcp), owner("DNS", "manage_dns", settings.manage_dns, site.dns)];
}

export function owner(service: string, setting: string, seen: unknown, wanted: Owner): Examined {
  const what = `who serves ${service}`;
  const [on, should] = [seen === true || seen === 1, wanted === "cobbler"];
  if (on === should) return well(what, `${wanted}, as the inventory says`);
  return amiss(
    what,
    `the inventory says ${wanted}, but cobbler's ${setting} is ${on ? "on" : "off"}`,
    `set ${setting}: ${should} in cobbler's settings.yaml and restart cobblerd, or correct driver.${service.toLowerCase()} in the inventory`,
  );
}
