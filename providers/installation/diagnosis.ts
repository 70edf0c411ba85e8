import { TestbedError } from "../kernel/index.ts";
import { reachedInstaller, type Sight } from "./sight.ts";
import { type InstallationInputs, tokenFingerprint } from "./wanted.ts";

interface Diagnosis {
  code: string;
  message: string;
  remedy: string;
}

/** Why an installation failed, from the last that was seen of it. */
export function diagnose(inputs: InstallationInputs, sight: Sight, seconds: number): TestbedError {
  const { code, message, remedy } = diagnosis(inputs, sight);
  return failure(inputs, code, `${message}, after ${Math.round(seconds)} s; ${evidence(sight)}`, remedy);
}

export function failure(inputs: InstallationInputs, code: string, message: string, remedy: string): TestbedError {
  return new TestbedError({ system: `host ${inputs.address}`, object: inputs.name, kind: "refused", code, message, remedy });
}

function diagnosis(inputs: InstallationInputs, sight: Sight): Diagnosis {
  if (sight.off) return poweredOff(sight);
  if (!reachedInstaller(sight)) return sight.identity ? oldSystem : noNetworkBoot(inputs, sight);
  if (!sight.netboot) return sight.identity ? wrongToken(sight.identity.token) : noLogin(inputs, sight);
  if (sight.reported) {
    return {
      code: "installer-hangs",
      message: "the installer began and did not end",
      remedy: `see the machine's console; if it only needs longer, raise limits.installSeconds (now ${inputs.installSeconds}) in the inventory`,
    };
  }
  return {
    code: "installer-silent",
    message: "the answer file was fetched, and no installer told cobbler that it began",
    remedy: "see the machine's console; does the answer file call $SNIPPET('autoinstall_start') or its kind's equivalent?",
  };
}

function poweredOff(sight: Sight): Diagnosis {
  if (!sight.netboot)
    return {
      code: "powered-off",
      message: "the machine powered itself off at the end of its installation instead of rebooting",
      remedy: "let the answer file reboot the machine",
    };
  return {
    code: "powered-off",
    message: `the machine powered itself off ${sight.reported ? "while it installed" : "before an installer reported"}`,
    remedy: "see its console: the answer file or the image is broken",
  };
}

const oldSystem: Diagnosis = {
  code: "old-system",
  message: "the old system answers instead of the new one: the machine started twice from its disk although PXE was asked for",
  remedy: "check the firmware's boot order and its network boot, and that the BMC honours one-time PXE",
};

function noNetworkBoot(inputs: InstallationInputs, sight: Sight): Diagnosis {
  switch (sight.boot.dhcp) {
    case "silent":
      return {
        code: "no-dhcp-request",
        message: `the machine never asked DHCP: dnsmasq's log has no request from ${inputs.mac}, twice`,
        remedy: "check the MAC in the inventory, the cable and its VLAN, and network boot in the firmware",
      };
    case "asked":
      return {
        code: "no-dhcp-answer",
        message: `DHCP did not answer the requests of ${inputs.mac}, twice`,
        remedy: "see dnsmasq's log: is the address leased to another MAC, or outside every dhcp-range?",
      };
    case "answered":
      return {
        code: "no-answer-file",
        message: "the machine got an address, and its answer file was never fetched, twice",
        remedy: "see its console: boot file, kernel or initrd cannot be loaded, or the installer has no network",
      };
    default:
      return {
        code: "no-network-boot",
        message: "no installer reported, twice",
        remedy: "check DHCP, cabling and the firmware's network boot; name the driver's logs in the inventory to learn more",
      };
  }
}

function wrongToken(token: string): Diagnosis {
  return {
    code: "wrong-token",
    message: `the installation ended, and the system that answers has ${token ? `another token (fingerprint ${tokenFingerprint(token)})` : "no install token"}`,
    remedy: "does the answer file write /etc/testbed-install? is another machine at this address?",
  };
}

function noLogin(inputs: InstallationInputs, sight: Sight): Diagnosis {
  if (sight.refusal?.code === "authentication")
    return {
      code: "ssh-refused",
      message: `the installation ended, and the new system refuses the SSH login of ${inputs.ssh.user}`,
      remedy: `does the answer file install the public key of credentials.${inputs.ssh.credential}?`,
    };
  return {
    code: "ssh-silent",
    message: "the installation ended, and the new system does not answer SSH",
    remedy: "see its console: does it boot from its disk, with this address, and start sshd?",
  };
}

function evidence(sight: Sight): string {
  const { identity: seen } = sight;
  const ssh = seen
    ? `${seen.osId} ${seen.osVersion}, profile ${seen.profile || "none"}, generation ${seen.generation || "none"}`
    : (sight.refusal?.text ?? "not tried");
  const facts = [
    `netboot ${sight.netboot ? "on" : "off"}`,
    `DHCP ${sight.boot.dhcp}`,
    `answer file ${sight.boot.answerFile}`,
    `installer ${sight.reported ? "reported" : "did not report"}`,
    `power ${sight.off ? "off" : "on"}`,
  ];
  return `seen: ${facts.join(", ")}; SSH: ${ssh}`;
}
