// One object of every kind that the stacks of a site hold together, as a test makes, changes and reads it in the lab.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { distro, profile, repo, snippet, template } from "../../providers/cobbler/index.ts";
import { host } from "../../providers/dnsmasq/index.ts";
import type { Definition } from "../../providers/kernel/index.ts";
import { modules, modulesDigest } from "../../providers/puppet/index.ts";
import { SITE_MANIFEST } from "../../providers/puppet/module-files.ts";
import { SITE_LINE } from "../../providers/puppet/module-scripts.ts";
import { aDistro, answers, aProfile, aRepo, aSnippet, aTemplate, makeObjects, removeObjects, rewrite, server } from "./cobbler-objects.ts";
import { byHand } from "./cobblerd.ts";
import { onDriver } from "./driver-shell.ts";
import { dnsmasq, driver } from "./light-host.ts";

export type Any = Definition<Record<string, unknown>, Record<string, unknown>>;
export type Inputs = Record<string, unknown>;

/** One kind of object that stacks share. */
export interface Subject {
  title: string;
  definition: Any;
  given: Inputs;
  /** Inputs of another content; made just before they are used, since some write a file. */
  changed(): Inputs;
  /** The inputs as before, where `changed` wrote a file. */
  restored?(): void;
  /** What stands there, marks and all; empty where there is nothing. */
  there(): Promise<string>;
  /** A piece of what stands there only after `changed`. */
  proof: string;
}

/** The lab's cobbler as a person at its command line; there once `makeSubjects` has ended. */
export let hand: Awaited<ReturnType<typeof byHand>>;
const item = (kind: string, name: string) => async () => {
  const found = await hand.call(`get_${kind}`, name);
  return found === "~" ? "" : JSON.stringify(found);
};
const text = (kind: string, name: string) => async () =>
  ((await hand.withToken(`get_autoinstall_${kind}s`)) as string[]).includes(name)
    ? String(await hand.withToken(`read_autoinstall_${kind}`, name))
    : "";
const general = (definition: unknown) => definition as Any;

const appliance = mkdtempSync(join(tmpdir(), "shared-appliance-"));
const manifest = join(appliance, "modules/sharedrole/manifests/init.pp");
const modulesDirectory = "/srv/puppet-shared/modules";
const writeModule = (body: string) => {
  writeFileSync(manifest, body);
  return { server: driver, source: appliance, digest: modulesDigest(appliance), modulesDirectory };
};
export const anEntry = { ...dnsmasq, name: "s1", mac: "52:54:00:91:96:01", address: "10.91.0.231" };
const entryFiles = [join(anEntry.hostsDirectory, "s1"), join(anEntry.dhcpHostsDirectory, "s1")] as const;
export const entryText = async () => entryFiles.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : "")).join("");

const textSubject = (title: string, kind: string, definition: unknown, inputs: { name: string }): Subject => ({
  title,
  definition: general(definition),
  given: { ...inputs, name: `shared-${kind}` },
  changed: () => ({ ...inputs, name: `shared-${kind}`, ...rewrite("changed=yes\n") }),
  restored: () => void rewrite(answers),
  there: text(kind, `shared-${kind}`),
  proof: "changed=yes",
});
const itemSubject = (
  title: string,
  kind: string,
  definition: unknown,
  inputs: { name: string },
  change: Inputs,
  proof: string,
): Subject => {
  const given = { ...inputs, name: `shared-${kind}` };
  return { title, definition: general(definition), given, changed: () => ({ ...given, ...change }), there: item(kind, given.name), proof };
};

export const subjects: Subject[] = [
  textSubject("cobbler:Template", "template", template, aTemplate),
  textSubject("cobbler:Snippet", "snippet", snippet, aSnippet),
  itemSubject("cobbler:Repo", "repo", repo, aRepo, { priority: 7 }, '"priority":7'),
  itemSubject("cobbler:Distro", "distro", distro, aDistro, { kernelOptions: { shared: "yes" } }, '"shared":"yes"'),
  itemSubject("cobbler:Profile", "profile", profile, aProfile, { autoinstallMeta: { shared: "yes" } }, '"shared":"yes"'),
  {
    title: "dnsmasq:Host",
    definition: general(host),
    given: anEntry,
    changed: () => ({ ...anEntry, address: "10.91.0.232" }),
    there: entryText,
    proof: "10.91.0.232",
  },
  {
    title: "puppet:Modules",
    definition: general(modules),
    get given() {
      return writeModule("class sharedrole { }\n");
    },
    changed: () => writeModule("class sharedrole { notify { 'changed': } }\n"),
    there: () =>
      onDriver(
        'cd "$1" 2>/dev/null && [ -d sharedrole ] && cat sharedrole/.cloudstack-testbed sharedrole/manifests/init.pp; exit 0',
        modulesDirectory,
      ),
    proof: "notify",
  },
];

/** What the subjects need around them. */
export async function makeSubjects(): Promise<void> {
  await onDriver('mkdir -p "$1"', modulesDirectory);
  for (const folder of ["modules/sharedrole/manifests", "manifests"]) mkdirSync(join(appliance, folder), { recursive: true });
  writeFileSync(join(appliance, SITE_MANIFEST), `${SITE_LINE}\nnode default { }\n`);
  hand = await byHand(server.url);
  await makeObjects();
}

export async function removeSubjects(): Promise<void> {
  await removeObjects();
  await onDriver("rm -rf /srv/puppet-shared");
  rmSync(appliance, { recursive: true, force: true });
}
