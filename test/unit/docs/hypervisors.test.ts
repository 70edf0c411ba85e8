// The page about a third hypervisor names files and roles of the checkout; what it says of them must stay true.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { systemVmSeeding } from "../../../providers/nfs/index.ts";
import { hypervisorOf } from "../../../stacks/hypervisor.ts";

const checkout = join(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(join(checkout, file), "utf8");
const page = read("docs/hypervisors.md");

test("every file and folder that the page names exists, but the one that it tells to make", () => {
  const named = [...page.matchAll(/`((?:stacks|appliance|providers|environments|test)\/[\w./-]+)`/g)].map((match) => match[1] as string);
  expect(named.length).toBeGreaterThan(10);
  expect(new Set(named.filter((file) => !existsSync(join(checkout, file))))).toEqual(new Set(["stacks/vmware.ts"]));
});

test.each(["KVM", "XenServer"])("the page tells %s's name, role, format and id as the code has them", (name) => {
  const seeding = systemVmSeeding("4.15.0.0", name, true);
  expect(page).toContain(`\`${name}\` and \`${hypervisorOf(name).role}\``);
  expect(page).toContain(seeding.seed ? `${seeding.format} and ${seeding.id}` : "never");
});

test("every hypervisor of stacks/ has a role that puppet's manifest knows", () => {
  const files = readdirSync(join(checkout, "stacks")).filter(
    (file) => file.endsWith(".ts") && / Hypervisor = \{ name:/.test(read(`stacks/${file}`)),
  );
  expect(files.length).toBeGreaterThanOrEqual(2);
  const roles = files.map((file) => /role: "([\w-]+)"/.exec(read(`stacks/${file}`))?.[1]);
  for (const role of roles) expect(read("appliance/manifests/site.pp")).toContain(`'${role}'`);
});

test("a hypervisor that nobody has listed gets time and keys, and no template that is not known", () => {
  expect(hypervisorOf("Hyperion")).toEqual({ name: "Hyperion", role: "base" });
  expect(systemVmSeeding("4.15.0.0", "Hyperion", true)).toMatchObject({ seed: false });
  expect(systemVmSeeding("4.15.0.0", "VMware", true)).toEqual({ seed: true, format: "ova", id: 8 });
});
