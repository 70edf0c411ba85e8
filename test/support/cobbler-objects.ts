import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { distro, profile, repo, snippet, system, template, templateDigest } from "../../providers/cobbler/index.ts";
import type { XmlRpcValue } from "../../providers/transport/xmlrpc.ts";
import { apply, drop } from "./context.ts";

/** The lab's cobbler, through the web server as machines and stacks see it. */
export const server = { url: "http://10.91.0.1/cobbler_api", credential: "cobbler" };

export const answers = 'token="$getVar("install_token", "")"\n';
const folder = mkdtempSync(join(tmpdir(), "cobbler-contract-"));
/** The file that the template and the snippet are made from. */
export const source = join(folder, "answers");
writeFileSync(source, answers);

/** Gives the source another text; the inputs that go with it. */
export function rewrite(text: string): { source: string; sha256: string } {
  writeFileSync(source, text);
  return { source, sha256: templateDigest(text) };
}

const boot = (image: "hv" | "os") => ({ kernel: `/srv/lab/distro/${image}/vmlinuz`, initrd: `/srv/lab/distro/${image}/initrd.img` });

export const aTemplate = { server, name: "contract.sh", source, sha256: templateDigest(answers), kind: "shell" as const };
export const aSnippet = { server, name: "contract/part", source, sha256: templateDigest(answers) };
export const aRepo = { server, name: "contract-repo", mirror: "http://10.91.0.1/repo" };
export const aDistro = { server, name: "contract-distro", breed: "redhat", osVersion: "rhel8", ...boot("hv") };
export const aProfile = {
  server,
  name: "contract-profile",
  distro: aDistro.name,
  autoinstall: aTemplate.name,
  autoinstallMeta: { image: "hv" },
};
const unbonded = { type: "na" as const, master: "", bondingOptions: "", bridgeOptions: "" };
export const nic = {
  ...unbonded,
  name: "eth0",
  mac: "52:54:00:91:99:01",
  address: "10.91.0.201",
  netmask: "255.255.255.0",
  dnsName: "c1.lab.test",
};
export const aSystem = {
  server,
  name: "contract-c1",
  profile: aProfile.name,
  hostname: "c1.lab.test",
  gateway: "10.91.0.1",
  nameServers: ["10.91.0.1"],
  interfaces: [nic],
};
/** What the objects may be changed to refer to. */
const others = {
  template: { ...aTemplate, name: "contract-2.sh" },
  distro: { ...aDistro, name: "contract-distro-2" },
  profile: { ...aProfile, name: "contract-profile-2" },
};

export async function makeObjects(): Promise<void> {
  rewrite(answers);
  for (const one of [aTemplate, others.template]) await apply(template, one);
  await apply(snippet, aSnippet);
  await apply(repo, aRepo);
  for (const one of [aDistro, others.distro]) await apply(distro, one);
  for (const one of [aProfile, others.profile]) await apply(profile, one);
  await apply(system, aSystem);
}

export async function removeObjects(): Promise<void> {
  await drop(system, aSystem);
  for (const one of [aProfile, others.profile]) await drop(profile, one);
  for (const one of [aDistro, others.distro]) await drop(distro, one);
  await drop(repo, aRepo);
  await drop(snippet, aSnippet);
  for (const one of [aTemplate, others.template]) await drop(template, one);
  rmSync(folder, { recursive: true });
}

/** One field: an input with another value, and the same as cobbler's attribute. */
export type Field = [input: string, value: unknown, attribute: string, there: XmlRpcValue];

const texts = { quiet: "", console: "ttyS0" };

/** Each kind of object with another value for every input that cobbler has as an attribute. */
export const subjects = [
  {
    title: "Distro",
    kind: "distro" as const,
    definition: distro,
    inputs: aDistro,
    copy: { ...aDistro, name: "contract-copy" },
    refused: { ...aDistro, name: "contract-broken", kernel: "/nonexistent/vmlinuz" },
    refusal: "boot-file-missing",
    fields: [
      ["breed", "suse", "breed", "suse"],
      ["osVersion", "rhel9", "os_version", "rhel9"],
      ["arch", "aarch64", "arch", "aarch64"],
      ["kernel", boot("os").kernel, "kernel", boot("os").kernel],
      ["initrd", boot("os").initrd, "initrd", boot("os").initrd],
      ["bootLoaders", ["pxe"], "boot_loaders", ["pxe"]],
      ["kernelOptions", texts, "kernel_options", texts],
    ] as Field[],
  },
  {
    title: "Profile",
    kind: "profile" as const,
    definition: profile,
    inputs: aProfile,
    copy: { ...aProfile, name: "contract-copy" },
    refused: { ...aProfile, name: "contract-broken", distro: "never-made" },
    refusal: "missing",
    fields: [
      ["distro", others.distro.name, "distro", others.distro.name],
      ["autoinstall", others.template.name, "autoinstall", others.template.name],
      ["kernelOptions", texts, "kernel_options", texts],
      ["autoinstallMeta", { image: "os" }, "autoinstall_meta", { image: "os" }],
      ["repos", [aRepo.name], "repos", [aRepo.name]],
    ] as Field[],
  },
  {
    title: "System",
    kind: "system" as const,
    definition: system,
    inputs: aSystem,
    copy: {
      ...aSystem,
      name: "contract-copy",
      hostname: "copy.lab.test",
      interfaces: [{ ...nic, mac: "52:54:00:91:99:0c", address: "10.91.0.212", dnsName: "copy.lab.test" }],
    },
    refused: {
      ...aSystem,
      name: "contract-broken",
      profile: "never-made",
      hostname: "broken.lab.test",
      interfaces: [{ ...nic, mac: "52:54:00:91:99:0b", address: "10.91.0.211", dnsName: "broken.lab.test" }],
    },
    refusal: "missing",
    fields: [
      ["profile", others.profile.name, "profile", others.profile.name],
      ["hostname", "other.lab.test", "hostname", "other.lab.test"],
      ["gateway", "10.91.0.2", "gateway", "10.91.0.2"],
      ["nameServers", ["10.91.0.2", "10.91.0.3"], "name_servers", ["10.91.0.2", "10.91.0.3"]],
      ["kernelOptions", texts, "kernel_options", texts],
      ["autoinstallMeta", { motd: "hello" }, "autoinstall_meta", { motd: "hello" }],
      ["interfaces", [{ ...nic, mac: "52:54:00:91:99:02" }], "modify_interface", { "macaddress-eth0": "52:54:00:91:99:02" }],
      ["interfaces", [{ ...nic, address: "10.91.0.202" }], "modify_interface", { "ipaddress-eth0": "10.91.0.202" }],
      ["interfaces", [{ ...nic, netmask: "255.255.0.0" }], "modify_interface", { "netmask-eth0": "255.255.0.0" }],
      ["interfaces", [{ ...nic, dnsName: "c2.lab.test" }], "modify_interface", { "dnsname-eth0": "c2.lab.test" }],
    ] as Field[],
  },
  {
    title: "Repo",
    kind: "repo" as const,
    definition: repo,
    inputs: aRepo,
    copy: { ...aRepo, name: "contract-copy" },
    fields: [
      ["breed", "apt", "breed", "apt"],
      ["arch", "noarch", "arch", "noarch"],
      ["mirror", "http://10.91.0.1/other", "mirror", "http://10.91.0.1/other"],
      ["mirrorType", "metalink", "mirror_type", "metalink"],
      ["mirrorLocally", true, "mirror_locally", true],
      ["keepUpdated", true, "keep_updated", true],
      ["priority", 7, "priority", 7],
      ["proxy", "http://proxy:3128", "proxy", "http://proxy:3128"],
      ["packages", ["bash", "vim"], "rpm_list", ["bash", "vim"]],
      ["aptComponents", ["main"], "apt_components", ["main"]],
      ["aptDists", ["bookworm"], "apt_dists", ["bookworm"]],
      ["yumOptions", { gpgcheck: "0" }, "yumopts", { gpgcheck: "0" }],
      ["rsyncOptions", { "--bwlimit": "100" }, "rsyncopts", { "--bwlimit": "100" }],
      ["environment", { http_proxy: "none" }, "environment", { http_proxy: "none" }],
      ["createrepoFlags", "-c cache", "createrepo_flags", "-c cache"],
    ] as Field[],
  },
];
