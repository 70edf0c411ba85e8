import { sshExec } from "../../providers/transport/ssh.ts";
import { labCredentials } from "./context.ts";
import { driver } from "./light-host.ts";

/** Runs a shell script on the lab's driver, whose mounts are not those of this process. */
export async function onDriver(script: string, ...args: string[]): Promise<string> {
  const target = { address: driver.address, user: "root", hostKey: driver.hostKey, privateKey: labCredentials.driver?.privateKey ?? "" };
  const { status, stdout, stderr } = await sshExec(target, ["sh", "-c", script, "sh", ...args]);
  if (status !== 0) throw new Error(`status ${status}: ${stderr}`);
  return stdout;
}

/** Mounts a folder of the driver that has no room left but for what `prepare` puts there first. */
export async function fullFolder(folder: string, prepare = "true"): Promise<void> {
  const script = 'mkdir -p "$1"; mount -t tmpfs -o size=32k tmpfs "$1"; cd "$1"; eval "$2"; cat /dev/zero >.filler 2>/dev/null || true';
  await onDriver(script, folder, prepare);
}

export async function removeFullFolder(folder: string): Promise<void> {
  await onDriver('umount "$1" && rmdir "$1"', folder);
}
