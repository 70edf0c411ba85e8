// Two stacks on one site: kvm and xen, each from a checkout and a state of its own, on light hosts of the lab.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { listClaims } from "../../providers/site/index.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { testContext } from "../support/context.ts";
import { onDriver } from "../support/driver-shell.ts";
import { driver } from "../support/light-host.ts";
import { green, halfOfLab, Project } from "../support/project.ts";

const rowMilliseconds = 400_000;
let kvm: Project;
let xen: Project;

/** An `up` that has nothing to do: no operation reaches a provider. */
async function unchanged(project: Project): Promise<void> {
  const before = project.journal().length;
  await green(project.preview("--expect-no-changes"));
  expect(await green(project.up())).not.toMatch(/ (created|updated|deleted)/);
  expect(project.journal()).toHaveLength(before);
}

const marksOn = (file: string) => onDriver('sed -n 1p "$1" | grep -o "cloudstack-testbed/[a-z]*" | sort | tr "\\n" " "', file);
const held = async () => (await listClaims(testContext(), driver)).map(({ claim, holder }) => `${claim} ${holder?.stack}`);
const systems = async () => (await (await fetch("http://10.91.0.1/cblr/svc/op/list/what/systems")).text()).trim().split(/\s+/).sort();

beforeAll(async () => {
  kvm = await halfOfLab("kvm");
  xen = await halfOfLab("xen");
}, rowMilliseconds);

afterAll(async () => {
  for (const project of [kvm, xen]) {
    await project.destroy();
    project.remove();
  }
  await closeSharedSsh();
}, rowMilliseconds);

describe("the two halves of the site", () => {
  test(
    "come up one beside the other, and the second says what it shares with the first",
    async () => {
      await green(kvm.up());
      await green(xen.up());
      const phases = xen.journal().map((entry) => `${entry.type} ${entry.name} ${entry.phase}`);
      for (const shared of ["cobbler:Template testbed-lab.sh", "cobbler:Distro lab-os", "cobbler:Profile lab-management"])
        expect(phases).toContain(`${shared} shared from now on with stack kvm`);
      expect(phases.join("\n")).not.toContain("warning: stack kvm");
      expect(await marksOn("/srv/testbed/hosts.d/h11")).toBe("cloudstack-testbed/kvm cloudstack-testbed/xen ");
      expect(await systems()).toEqual(["h11", "h12", "h13", "h14", "management", "management-2"]);
    },
    2 * rowMilliseconds,
  );

  test(
    "are both unchanged after that",
    async () => {
      for (const project of [kvm, xen]) await unchanged(project);
    },
    rowMilliseconds,
  );

  test("hold each its own machines, and none together", async () => {
    const claims = await held();
    for (const name of ["h11", "h12", "management"]) expect(claims).toContain(`machine/${name} kvm`);
    for (const name of ["h13", "h14", "management-2"]) expect(claims).toContain(`machine/${name} xen`);
    expect(Object.keys(await kvm.hosts())).toEqual(["h11", "h12"]);
    expect(Object.keys(await xen.hosts())).toEqual(["h13", "h14"]);
  });

  test(
    "destroying one leaves the other as it is, with its hosts proved",
    async () => {
      const before = await xen.hosts();
      await green(kvm.destroy());
      await unchanged(xen);
      expect(await green(xen.refresh("--expect-no-changes"))).not.toMatch(/ (updated|deleted)/);
      expect(await xen.hosts()).toEqual(before);
      expect(await systems()).toEqual(["h13", "h14", "management-2"]);
      expect((await held()).filter((claim) => claim.endsWith(" kvm"))).toEqual([]);
      expect(await marksOn("/srv/testbed/hosts.d/h11")).toBe("cloudstack-testbed/xen ");
    },
    rowMilliseconds,
  );

  test(
    "the one that comes back joins what the other kept",
    async () => {
      await green(kvm.up());
      await unchanged(xen);
    },
    rowMilliseconds,
  );
});

describe("the whole xen stack while kvm holds hosts", () => {
  let whole: Project;
  beforeAll(async () => {
    await green(xen.destroy());
    // The other file has the same hosts in another zone: a cloud that lives has them already.
    await green(kvm.destroy());
    kvm.edit(kvm.stackFile, (text) => text.replace("half-kvm.cfg", "lab-kvm.cfg"));
    await green(kvm.up());
    whole = new Project({ stack: "xen" });
    await whole.init();
  }, rowMilliseconds);
  afterAll(async () => {
    await whole.destroy();
    whole.remove();
  }, rowMilliseconds);

  test(
    "is refused by the lease, naming holder, since when and remedy, before anything is touched",
    async () => {
      const entries = () => onDriver("ls -l --time-style=full-iso /srv/testbed/hosts.d /srv/testbed/dhcp.d");
      const before = [await held(), await entries()];
      const { status, output } = await whole.up();
      expect(status).not.toBe(0);
      expect(output).toMatch(/machine\/h11 is held by cloudstack-testbed:cloudstack-testbed\/kvm\/[0-9a-f]{16} since \d{4}-\d\d-\d\dT/);
      for (const name of ["h12", "h13", "h14"]) expect(output).toContain(`machine/${name}`);
      expect(output).toContain("run `pulumi destroy --stack kvm` where that stack is run from");
      expect(new Set(whole.journal().map((entry) => entry.type))).toEqual(new Set(["site:Lease"]));
      expect([await held(), await entries()]).toEqual(before);
    },
    rowMilliseconds,
  );

  test(
    "leaves the holder as it is",
    async () => {
      await unchanged(kvm);
    },
    rowMilliseconds,
  );
});
