// What only a real boot can prove: firmware, boot loader, kernel, disk. One machine of QEMU per row, in a lab of its own.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { type Lab, labCommand, labExecArguments, labStatus, startLab, stopLab } from "../../lab/index.ts";
import type { LabSettings } from "../../lab/settings.ts";
import { Project } from "../support/project.ts";

const checkout = join(import.meta.dirname, "../..");
/** A boot under TCG takes 10 to 20 s on a quiet machine. */
const rowMilliseconds = 360_000;
let lab: Lab;
let project: Project;

/** A lab that serves the inventory of a project which has only the first host, both with a change. */
async function begin(settings: Partial<LabSettings>, change: (inventory: string) => string = (text) => `${text}\n`): Promise<void> {
  lab = { checkout, state: mkdtempSync(join(tmpdir(), "testbed-qemu-")), site: "" };
  project = new Project({ lab });
  lab.site = join(project.folder, "environments/lab");
  project.edit("environments/lab/inventory.yaml", change);
  project.edit("environments/lab/lab-kvm.cfg", onlyFirstHost);
  project.edit("Pulumi.kvm.yaml", (text) => text.replace("  cloudstack-testbed:managementServer:\n    profile: lab-management\n", ""));
  await startLab(lab, { machines: "qemu", hostCount: 1, ...settings });
  await project.init();
}

function onlyFirstHost(marvin: string): string {
  const configuration = JSON.parse(marvin.replace(/^#.*$/gm, "")) as { zones: { pods: { clusters: { hosts: unknown[] }[] }[] }[] };
  configuration.zones.length = 1;
  for (const { pods } of configuration.zones) {
    pods.length = 1;
    for (const { clusters } of pods) {
      clusters.length = 1;
      for (const cluster of clusters) cluster.hosts.length = 1;
    }
  }
  return JSON.stringify(configuration);
}

afterEach(async () => {
  await stopLab(lab);
  rmSync(lab.state, { recursive: true });
  project.remove();
});

const driverLog = (name: string) => readFileSync(join(lab.state, "log", name), "utf8");

function inside(...command: string[]) {
  const [program, ...args] = labExecArguments(lab, checkout, command) as [string, ...string[]];
  return spawnSync(program, args, { encoding: "utf8" });
}

const ipmi = (...words: string[]) =>
  inside("ipmitool", "-I", "lanplus", "-C", "3", "-H", "10.91.1.11", "-U", "lab", "-P", "labpass", ...words);

/** Runs a command on the installed machine. */
function onMachine(command: string): string {
  const options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
  const key = join(lab.state, "id_ed25519");
  // Git keeps no mode 600, and ssh wants it.
  inside("install", "-m", "600", join(checkout, "lab/keys/id_ed25519"), key);
  const { status, stdout, stderr } = inside("ssh", "-i", key, ...options, "root@10.91.0.11", command);
  if (status !== 0) throw new Error(`status ${status}: ${stderr}`);
  return stdout;
}

async function until(what: string, state: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await state())) {
    if (performance.now() > deadline) throw new Error(`waited 120 s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const host = async () => (await labStatus(lab)).hosts[0];

describe("boot paths", () => {
  test(
    "iPXE over HTTP installs a machine; it reboots, obeys its power button, and comes back with the lab as what it was",
    async () => {
      await begin({});
      const up = await project.up();
      expect([up.status, up.status === 0 || up.output]).toEqual([0, true]);
      const proved = (await project.hosts()).h11;
      expect(driverLog("web-access.log")).toMatch(/10\.91\.0\.11 .*GET \/images\/lab-hv\/vmlinuz.* 200/);
      expect(readFileSync(join(lab.state, "log/console-h11.log"), "latin1")).toContain("SYSLINUX");
      expect(await host()).toMatchObject({ power: "on", runs: "disk system up", installed: { profile: "lab-kvm", generation: "1" } });

      await stopLab(lab);
      await startLab(lab);
      expect(await host()).toMatchObject({ power: "on", runs: "disk system up" });
      const preview = await project.preview("--expect-no-changes");
      expect([preview.status, preview.status === 0 || preview.output]).toEqual([0, true]);

      ipmi("chassis", "power", "soft");
      await until("the system to switch itself off", async () => (await host())?.power === "off");
      ipmi("chassis", "power", "on");
      await until("the disk to boot", async () => (await host())?.runs === "disk system up");
      const refresh = await project.refresh("--expect-no-changes");
      expect([refresh.status, refresh.status === 0 || refresh.output]).toEqual([0, true]);
      expect((await project.hosts()).h11).toEqual(proved);

      const gone = await project.destroy();
      expect([gone.status, gone.status === 0 || gone.output]).toEqual([0, true]);
      expect(await host()).toMatchObject({ power: "off" });
    },
    rowMilliseconds,
  );

  test(
    "pxelinux over TFTP installs a machine, whose kernel mounts a directory of the NFS server",
    async () => {
      await begin({ netboot: "pxelinux" });
      const up = await project.up();
      expect([up.status, up.status === 0 || up.output]).toEqual([0, true]);
      expect(driverLog("tftp.log")).toMatch(/sent \/srv\/tftpboot\/pxelinux\.0 to 10\.91\.0\.11/);
      inside("mkdir", "/srv/nfs/primary");
      onMachine("mount-nfs 10.91.0.1:/srv/nfs/primary /mnt && echo image >/mnt/volume && ln -s volume /mnt/link && umount /mnt");
      expect(inside("cat", "/srv/nfs/primary/link").stdout).toBe("image\n");
    },
    rowMilliseconds,
  );

  test(
    "a UEFI machine is installed and boots its disk through the removable-media path",
    async () => {
      await begin({}, (text) => text.replace("firmware: bios", "firmware: uefi"));
      const up = await project.up();
      expect([up.status, up.status === 0 || up.output]).toEqual([0, true]);
      expect((await project.hosts()).h11?.generation).toBe("1");
    },
    rowMilliseconds,
  );

  test(
    "where cobbler owns DHCP and DNS, its dnsmasq is rewritten and the machine installs",
    async () => {
      await begin({}, (text) => text.replace("dhcp: dnsmasq", "dhcp: cobbler").replace("dns: dnsmasq", "dns: cobbler"));
      const up = await project.up();
      expect([up.status, up.status === 0 || up.output]).toEqual([0, true]);
      expect(inside("cat", "/etc/dnsmasq.conf").stdout).toMatch(/dhcp-host=.*52:54:00:91:00:11.*10\.91\.0\.11/);
      expect(inside("getent", "hosts", "h11.lab.test").stdout).toContain("10.91.0.11");
    },
    rowMilliseconds,
  );
});

test(
  "an installer that fails switches the machine off, is told as that with its evidence, and the next up heals it",
  async () => {
    await begin({});
    await labCommand(lab, ["fault", "h11", "install-powers-off", "1"]);
    const red = await project.up();
    expect(red.status).not.toBe(0);
    expect(red.output).toContain("powered itself off");
    const healed = await project.up();
    expect([healed.status, healed.status === 0 || healed.output]).toEqual([0, true]);
  },
  rowMilliseconds,
);
