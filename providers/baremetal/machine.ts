import type { InstallationInputs, InstallationOutputs, PowerControl } from "../installation/index.ts";
import type { Context } from "../kernel/index.ts";
import { type Driver, driverTarget } from "../site/index.ts";
import { ipmiPower } from "./power.ts";

export interface HostInputs extends InstallationInputs {
  bmc: {
    address: string;
    port: number;
    credential: string;
    cipherSuite: number;
    pacingSeconds: number;
    via?: Driver | undefined;
  };
  onDelete: "off" | "leave";
  powerSeconds: number;
}

export type HostOutputs = InstallationOutputs;

export function powerOf(context: Context, { bmc, powerSeconds }: Pick<HostInputs, "bmc" | "powerSeconds">): PowerControl {
  const { user = "", password = "" } = context.credential(bmc.credential);
  const { address, port, cipherSuite, pacingSeconds } = bmc;
  const via = bmc.via ? { via: driverTarget(context, bmc.via) } : {};
  return ipmiPower(context, { address, port, user, password, cipherSuite, pacingSeconds, ...via }, powerSeconds);
}
