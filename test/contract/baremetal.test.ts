// baremetal:Host with a light host of the lab: what the operator is told for every way in which an installation can fail, and that the
// next attempt heals it.
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { host } from "../../providers/baremetal/index.ts";
import type { HostInputs, HostOutputs } from "../../providers/baremetal/machine.ts";
import { CobblerClient } from "../../providers/cobbler/client.ts";
import { endInstall, installState } from "../../providers/cobbler/index.ts";
import { tokenFingerprint } from "../../providers/installation/index.ts";
import { closeSharedSsh, connectSsh, sshExec } from "../../providers/transport/ssh.ts";
import { apply, drop, failure, labCredentials, ours, testContext } from "../support/context.ts";
import { fault, powerOf, switchPower } from "../support/lab.ts";
import { driver, LightHost } from "../support/light-host.ts";

const machine = new LightHost("h14");
const given = machine.inputs as HostInputs;
const folder = mkdtempSync(join(tmpdir(), "baremetal-"));
let generation = 0;
let state: HostInputs & HostOutputs;

/** One `up` with a new generation. */
async function install(change: Partial<HostInputs> = {}, context = testContext(ours)) {
  const inputs = { ...given, generation: `${++generation}`, ...change };
  const { outputs, phases } = await apply(host, inputs, context);
  state = { ...(host.inputs.parse(inputs) as unknown as HostInputs), ...outputs };
  return { outputs, phases };
}

/** The next `up` after a failed one: the same generation once more. */
async function heals(change: Partial<HostInputs> = {}): Promise<void> {
  const again = { ...given, generation: `${generation}`, ...change };
  const { outputs } = await apply(host, again, testContext(ours));
  state = { ...(host.inputs.parse(again) as unknown as HostInputs), ...outputs };
  expect(outputs.installed).toBe(`${generation} hosts-hv contract`);
}

const shell = async (...command: string[]) => {
  const open = await connectSsh({ address: given.address, user: "root", privateKey: labCredentials.hosts?.privateKey ?? "" });
  try {
    return await open.exec(command);
  } finally {
    open.close();
  }
};

beforeAll(async () => {
  await fault("h14", "clear");
  await machine.prepare();
});

afterEach(() => fault("h14", "clear"));

afterAll(async () => {
  await switchPower("h14", "off");
  await endInstall(testContext(), given.cobbler, given.system);
  await machine.remove();
  await closeSharedSsh();
  rmSync(folder, { recursive: true });
});

test("an installation goes through its phases and is proved with its own token", async () => {
  const context = testContext();
  const { outputs, phases } = await install({}, context);
  const wanted = ["arming cobbler", "powering off", "arming PXE", "powering on", "network boot", "proving", "SSH ok, lab-hv 1, token ok"];
  expect(phases.filter((phase) => wanted.includes(phase))).toEqual(wanted);
  expect(outputs.phases.map((one) => one.phase)).toEqual(phases.slice(0, -1));
  const token = (await installState(context, given.cobbler, given.system))?.token ?? "";
  expect(outputs.tokenFingerprint).toBe(tokenFingerprint(token));
  expect(JSON.stringify([outputs, phases])).not.toContain(token);
});

test("a BMC that only the driver reaches is spoken to there, and its password is in no argument", async () => {
  const seen: string[] = [];
  let done = false;
  const watching = (async () => {
    while (!done) {
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        try {
          const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
          if (line.startsWith("ipmitool\0") || line.includes("IPMITOOL_PASSWORD")) seen.push(line);
        } catch {
          // The process ended between the listing and the reading.
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const { outputs } = await install({ bmc: { ...given.bmc, via: driver } }).finally(() => (done = true));
  await watching;
  expect(outputs.osRelease).toBe("lab-hv 1");
  expect(seen.some((line) => line.includes("10.91.1.14"))).toBe(true);
  expect(seen.filter((line) => line.includes("labpass"))).toEqual([]);
});

describe("a running installation whose state was lost", () => {
  test("is adopted without touching the machine", async () => {
    const { outputs, phases } = await apply(host, { ...given, generation: `${generation}` });
    expect(phases).toEqual([]);
    expect(outputs.tokenFingerprint).toBe(state.tokenFingerprint);
  });

  test("is not adopted with another release of the system", async () => {
    const error = await failure(apply(host, { ...given, generation: `${generation}`, os: { id: "lab-hv", version: "2" } }));
    expect(error.message).toContain("operating system: expected lab-hv 2, seen lab-hv 1");
    await heals();
  });

  test("is not adopted under another host name, and is installed afresh", async () => {
    const before = state.tokenFingerprint;
    await shell("hostname", "somebody");
    const { outputs, phases } = await apply(host, { ...given, generation: `${generation}` });
    expect(phases[0]).toContain("host name: expected h14, seen somebody");
    expect(outputs.tokenFingerprint).not.toBe(before);
    await heals();
  });
});

describe("a look at a proved host", () => {
  const look = async (previous: HostOutputs) => {
    const context = { ...testContext(), operation: "read" as const };
    return { seen: await host.observe(context, state, previous), phases: context.phases };
  };

  test("shows no drift", async () => {
    expect((await look(state)).seen).toMatchObject({ inputs: {}, outputs: { installed: state.installed } });
  });

  test("shows another host key as drift of the generation", async () => {
    const { seen } = await look({ ...state, hostKey: driver.hostKey });
    expect(seen).toMatchObject({ inputs: { generation: "not proved (another host key)" }, outputs: { installed: "" } });
  });

  test("shows another installation as drift of the generation", async () => {
    const { seen } = await look({ ...state, tokenFingerprint: "0123456789abcdef" });
    expect(seen?.inputs).toEqual({ generation: `not proved (${generation})` });
  });

  test("that is off warns and keeps the proof", async () => {
    await switchPower("h14", "off");
    const { seen, phases } = await look(state);
    expect(seen).toMatchObject({ inputs: {}, outputs: { installed: state.installed } });
    expect(phases.join()).toContain("cannot be looked at");
  });
});

describe("a BMC", () => {
  test("that is busy is told as that, in its own words", async () => {
    await fault("h14", "bmc-busy");
    const error = await failure(install());
    expect(error.message).toContain("BMC 10.91.1.14");
    expect(error.message).toContain("Unspecified error");
    await fault("h14", "clear");
    await heals();
  });

  test("that does not switch off is told as that, with what to do", async () => {
    await fault("h14", "stays-on");
    const error = await failure(install());
    expect([error.kind, error.object, error.system]).toEqual(["timeout", "power", "BMC 10.91.1.14"]);
    expect(error.message).toContain("for power off; last seen: power is on");
    expect(error.remedy).toContain("mc reset cold");
    await fault("h14", "clear");
    await heals();
  });

  test("that accepts power on and ignores it is told as that", async () => {
    await switchPower("h14", "off");
    await fault("h14", "ignores");
    const error = await failure(install());
    expect(error.message).toContain("for power on; last seen: power is off");
    await fault("h14", "clear");
    await heals();
  });

  test("that forgets the boot device only warns; what follows is the old system's error", async () => {
    await fault("h14", "forgets-boot-device");
    const context = testContext();
    const error = await failure(install({}, context));
    expect(context.phases.join()).toMatch(/BMC 10\.91\.1\.14 accepted PXE as next boot device but shows "/);
    expect(error.code).toBe("old-system");
    await fault("h14", "clear");
    await heals();
  });

  test("that is deaf is unreachable, by its address", async () => {
    await fault("h14", "deaf");
    const error = await failure(install());
    expect([error.kind, error.code]).toEqual(["unreachable", "no-answer"]);
    expect(error.message).toContain("BMC 10.91.1.14: the BMC does not answer");
    await fault("h14", "clear");
    await heals();
  });

  test.each([
    ["here", {}],
    ["through the driver", { via: driver }],
  ])("that refuses the password, asked %s, is told as that, without the password", async (_, via) => {
    const wrong = testContext(ours, { ...labCredentials, bmc: { user: "lab", password: "wrong-password" } });
    const error = await failure(install({ bmc: { ...given.bmc, ...via } }, wrong));
    expect([error.kind, error.code]).toEqual(["refused", "password"]);
    expect(error.message).not.toContain("wrong-password");
    await heals();
  });
});

describe("a network boot", () => {
  test("that gets lost once is tried once more", async () => {
    await fault("h14", "pxe-lost", "1");
    const { phases } = await install();
    expect(phases).toContain("warning: the network boot got lost; it is tried once more");
  });

  test("that gets lost is noticed although cobbler's clock is an hour ahead of ours", async () => {
    const file = "/var/log/cobbler/install.log";
    const before = readFileSync(file, "utf8");
    writeFileSync(file, `${before}system\th14\t10.91.0.14\tstart\t${Date.now() / 1000 + 3600}\n`);
    try {
      await fault("h14", "pxe-lost", "1");
      const { phases } = await install({ installSeconds: 20 });
      expect(phases).toContain("warning: the network boot got lost; it is tried once more");
    } finally {
      writeFileSync(file, before);
    }
  });

  test("whose old disk boots instead ends as the old system's, with its evidence", async () => {
    await fault("h14", "old-disk-boots");
    const error = await failure(install());
    expect(error.code).toBe("old-system");
    expect(error.message).toMatch(/netboot on, DHCP silent, answer file not fetched.*SSH: lab-hv 1, profile hosts-hv/);
    await fault("h14", "clear");
    await heals();
  });

  test("that never asks DHCP is told as that, naming the MAC", async () => {
    await switchPower("h14", "off");
    machine.blankDisk();
    await fault("h14", "pxe-lost");
    const error = await failure(install({ installSeconds: 3 }));
    expect(error.code).toBe("no-dhcp-request");
    expect(error.message).toContain("no request from 52:54:00:91:00:14");
    await fault("h14", "clear");
    await heals();
  });

  test("that DHCP does not answer is told as that", async () => {
    await switchPower("h14", "off");
    machine.blankDisk();
    await machine.useEntry(false);
    const error = await failure(install({ installSeconds: 6 }));
    expect(error.code).toBe("no-dhcp-answer");
    await machine.useEntry(true);
    await heals();
  });

  test("that ends before the answer file is told as that", async () => {
    await switchPower("h14", "off");
    machine.blankDisk();
    const kernel = "/srv/tftpboot/images/hosts-hv/vmlinuz";
    const context = testContext();
    const phase = context.phase;
    // Not before: cobbler itself needs the file to save the system.
    context.phase = (text) => {
      if (text === "powering on") renameSync(kernel, `${kernel}.away`);
      if (text === "powering off" && existsSync(`${kernel}.away`)) renameSync(`${kernel}.away`, kernel);
      phase(text);
    };
    try {
      const error = await failure(install({ installSeconds: 6 }, context));
      expect(error.code).toBe("no-answer-file");
      expect(error.message).toContain("DHCP answered, answer file not fetched");
    } finally {
      renameSync(`${kernel}.away`, kernel);
    }
    await heals();
  });

  test("of which no log can be read is told without guessing", async () => {
    await switchPower("h14", "off");
    machine.blankDisk();
    await fault("h14", "pxe-lost");
    const context = testContext();
    const error = await failure(
      install({ installSeconds: 3, logs: { server: driver, dnsmasq: "/nonexistent/log", web: "/nonexistent/log" } }, context),
    );
    expect(error.code).toBe("no-network-boot");
    expect(context.phases.join()).toContain("the driver's logs cannot be read");
    await fault("h14", "clear");
    await heals();
  });
});

describe("an installer", () => {
  const late = (line: string) => (text: string) => text.replace("lab_late() {", `lab_late() {\n${line}`);
  afterEach(() => machine.useAnswerFile((text) => text));

  test("that hangs after it reported is told as that", async () => {
    await fault("h14", "install-hangs");
    const error = await failure(install({ installSeconds: 12 }));
    expect(error.code).toBe("installer-hangs");
    expect(error.message).toContain("raise limits.installSeconds (now 12)");
    await fault("h14", "clear");
    await heals();
  });

  test("that never reports is told from one that hangs", async () => {
    await machine.useAnswerFile((text) => text.replace("$SNIPPET('autoinstall_start')", "sleep 1000"));
    const error = await failure(install({ installSeconds: 12 }));
    expect(error.code).toBe("installer-silent");
    await machine.useAnswerFile((text) => text);
    await heals();
  });

  test("that powers the machine off is told as that, long before the limit", async () => {
    await fault("h14", "install-powers-off");
    const error = await failure(install());
    expect(error.code).toBe("powered-off");
    expect(error.message).toContain("powered itself off while it installed");
    await fault("h14", "clear");
    await heals();
  });

  test("that powers the machine off before it reported is told as that", async () => {
    await machine.useAnswerFile((text) => text.replace("$SNIPPET('autoinstall_start')", "exit 1"));
    const error = await failure(install());
    expect(error.code).toBe("powered-off");
    expect(error.message).toContain("before an installer reported");
    await machine.useAnswerFile((text) => text);
    await heals();
  });

  test("is not given up for one wrong reading of its power", async () => {
    const flag = join(folder, "misreport");
    // The BMC's real answer, but once "off".
    const program = `#!/bin/sh\ncase "$*" in *status*) rm "${flag}" 2>/dev/null && echo "Chassis Power is off" && exit;; esac\nexec /usr/bin/ipmitool "$@"\n`;
    writeFileSync(join(folder, "ipmitool"), program);
    chmodSync(join(folder, "ipmitool"), 0o755);
    const path = process.env.PATH;
    process.env.PATH = `${folder}${delimiter}${path}`;
    try {
      await machine.useAnswerFile(late("sleep 4"));
      const context = testContext();
      const phase = context.phase;
      context.phase = (text) => {
        if (text === "installing") writeFileSync(flag, "");
        phase(text);
      };
      const { outputs } = await install({}, context);
      expect(outputs.osRelease).toBe("lab-hv 1");
      expect(() => readFileSync(flag)).toThrow("ENOENT");
    } finally {
      process.env.PATH = path;
    }
  });

  test("whose answer file has no token is refused before the machine is touched", async () => {
    await machine.useAnswerFile((text) => text.replace(/^lab_token=.*$/m, 'lab_token="none"'));
    const context = testContext();
    const error = await failure(install({}, context));
    expect(error.code).toBe("token-missing");
    expect(context.phases).toEqual(["arming cobbler"]);
    await machine.useAnswerFile((text) => text);
    await heals();
  });

  test("that writes another token proves nothing", async () => {
    await fault("h14", "wrong-token");
    const error = await failure(install({ installSeconds: 6 }));
    expect(error.code).toBe("wrong-token");
    expect(error.message).toMatch(/another token \(fingerprint [0-9a-f]{16}\)/);
    await fault("h14", "clear");
    await heals();
  });

  test("that writes another image is refused by what is different", async () => {
    await fault("h14", "wrong-image");
    const error = await failure(install());
    expect(error.code).toBe("wrong-system");
    expect(error.message).toContain("operating system: expected lab-hv 1, seen lab-os 1");
    await fault("h14", "clear");
    await heals();
  });

  test("that is given a broken answer file powers off, and that is told", async () => {
    await fault("h14", "answer-broken");
    const error = await failure(install());
    expect(error.code).toBe("powered-off");
    await fault("h14", "clear");
    await heals();
  });
});

describe("the new system", () => {
  test("that refuses our SSH key is told as that", async () => {
    const stranger = { ...labCredentials, hosts: { user: "root", privateKey: readFileSync(join(folder, "stranger"), "utf8") } };
    const error = await failure(install({ installSeconds: 6 }, testContext(ours, stranger)));
    expect(error.code).toBe("ssh-refused");
    expect(error.message).toContain("credentials.hosts");
    await heals();
  });

  test("that does not start sshd is told as that", async () => {
    await fault("h14", "ssh-refuses");
    const error = await failure(install({ installSeconds: 6 }));
    expect(error.code).toBe("ssh-silent");
    await fault("h14", "clear");
    await heals();
  });

  beforeEach(async () => {
    const target = { address: driver.address, user: "root", hostKey: driver.hostKey, privateKey: labCredentials.driver?.privateKey ?? "" };
    await sshExec(target, ["sh", "-c", `rm -f "$1"; ssh-keygen -q -t ed25519 -N "" -f "$1"`, "sh", join(folder, "stranger")]);
  });
});

describe("deleting", () => {
  test("leaves the machine on where the inventory says so, and off otherwise", async () => {
    await drop(host, { ...given, generation: `${generation}`, onDelete: "leave" });
    expect(await powerOf("h14")).toBe("on");
    await drop(host, { ...given, generation: `${generation}` });
    expect(await powerOf("h14")).toBe("off");
  });

  test("an absent one succeeds", async () => {
    expect(await drop(host, { ...given, system: "never-made" })).toEqual(["powering off"]);
  });

  test("leaves a machine alone that another stack has by now", async () => {
    await switchPower("h14", "on");
    const client = new CobblerClient(testContext(), given.cobbler);
    const comment = String((await client.get("system", "h14"))?.comment);
    await client.save("system", "h14", [["comment", comment.replace(/aa$/, "bb")]], "edit");
    expect((await drop(host, given)).join()).toContain("belongs to another stack by now");
    expect(await powerOf("h14")).toBe("on");
    await client.save("system", "h14", [["comment", comment]], "edit");
  });
});
