import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SiteMachine } from "../site.ts";

/** The lab's BMC account, public by design. */
export const bmcAccount = { user: "lab", password: "labpass" };

export function lanConfiguration(machine: SiteMachine, chassisProgram: string, password: string): string {
  return `name "${machine.name}"
set_working_mc 0x20
  startlan 1
    addr ${machine.bmc.address} ${machine.bmc.port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid ${guid(machine)}
  endlan
  chassis_control "${chassisProgram} ${machine.name} 0x20"
  user 1 true "" "" user 10 none md2 md5 straight
  user 2 true "${bmcAccount.user}" "${password}" admin 10 none md2 md5 straight
`;
}

export const emulatorConfiguration = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`;

/** The system GUID: made of the MAC, so that two BMCs never share one. */
function guid(machine: SiteMachine): string {
  return machine.mac.replaceAll(":", "").padStart(32, "a");
}

/** Writes the configuration of one BMC and returns ipmi_sim's command line. The folder is fresh: saved users override the configuration. */
export function prepareBmc(machine: SiteMachine, folder: string, chassisProgram: string, password = bmcAccount.password): string[] {
  const state = join(folder, "state");
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  const lan = join(folder, "lan.conf");
  const emulator = join(folder, "bmc.emu");
  writeFileSync(lan, lanConfiguration(machine, chassisProgram, password));
  writeFileSync(emulator, emulatorConfiguration);
  return ["ipmi_sim", "-c", lan, "-f", emulator, "-s", state, "-n"];
}
