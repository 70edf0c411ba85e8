// Both stacks as they are shipped, with all four hosts: from nothing to a management server that answers, and back to nothing.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { powerOf } from "../support/lab.ts";
import { green, operations, Project } from "../support/project.ts";
import { remains } from "../support/remains.ts";

const rowMilliseconds = 600_000;
let clean: string[];
const hosts = ["h11", "h12", "h13", "h14"];

afterAll(closeSharedSsh);

describe.each(["kvm", "xen"])("stack %s", (stack) => {
  const project = new Project({ stack });
  const answers = async () => {
    const { url, release } = await project.output<{ url: string; release: string }>("managementServer");
    return [(await fetch(url)).status, release.startsWith("4.20.3.0")];
  };
  beforeAll(async () => {
    clean = await remains();
    await green(project.init());
  });
  afterAll(async () => {
    await project.destroy();
    project.remove();
  }, rowMilliseconds);

  // Twice: what the first time leaves behind would show.
  test.each(["the first", "a second"])(
    "comes from nothing to a ready management server, and goes back to nothing, for %s time",
    async () => {
      await green(project.up());
      expect([Object.keys(await project.hosts()), await answers()]).toEqual([hosts, [401, true]]);
      await green(project.preview("--expect-no-changes"));
      await green(project.destroy());
      expect(await remains()).toEqual(clean);
      expect(await Promise.all(hosts.map(powerOf))).toEqual(hosts.map(() => "off"));
    },
    rowMilliseconds,
  );

  test(
    "of a new generation is a new whole: every machine is installed once, no store is added or removed",
    async () => {
      await green(project.up());
      const before = await project.hosts();
      project.edit(project.stackFile, (text) => text.replace('cloudstack-testbed:generation: "1"', 'cloudstack-testbed:generation: "2"'));
      const done = operations(await green(project.up()));
      const after = await project.hosts();
      for (const name of hosts) expect(after[name]?.tokenFingerprint).not.toBe(before[name]?.tokenFingerprint);
      expect(done.filter((row) => !row.endsWith(" updated"))).toEqual([]);
      expect(done.filter((row) => row.startsWith("nfs:Store"))).toHaveLength(5);
      expect(await answers()).toEqual([401, true]);
    },
    rowMilliseconds,
  );
});
