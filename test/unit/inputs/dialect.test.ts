// Every form of upstream's marvin configurations, as their keys are: accepted, planned, and told of what nothing reads.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Loaded, loadInputs } from "../../../stacks/load.ts";
import { checkout } from "./change.ts";

const fixtures = join(checkout, "test/fixtures/marvin");
const names = readdirSync(fixtures).sort();
const simulators = ["advanced", "advancedsg", "advdualzone", "basic"];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "testbed-dialect-"));
  mkdirSync(join(folder, "environments"));
  cpSync(fixtures, join(folder, "environments/cloud"), { recursive: true });
  writeFileSync(join(folder, "environments/cloud/inventory.yaml"), "site: cloud\nmanagementServer: { address: 10.1.0.2 }\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A stack of a site that only names a management server, with one of the fixtures. */
function load(name: string, change: (text: string) => string = (text) => text): Loaded {
  const keys = { site: "cloud", marvin: name, hypervisor: "KVM", generation: '"1"', cloudstack: "{ release: 4.20.3.0 }" };
  const lines = Object.entries(keys).map(([key, value]) => `  cloudstack-testbed:${key}: ${value}\n`);
  const credentials = "  cloudstack-testbed:credentials: { swift: { username: { secure: x } } }\n";
  writeFileSync(join(folder, "Pulumi.cloud.yaml"), `config:\n${lines.join("")}${credentials}`);
  writeFileSync(join(folder, "environments/cloud", name), change(readFileSync(join(fixtures, name), "utf8")));
  return loadInputs(folder, { stack: "cloud" });
}

const of = ({ findings }: Loaded, code: string) => findings.filter((one) => one.code === code).map((one) => one.what);

describe.each(names)("%s", (name) => {
  const loaded = () => load(name);

  test("is accepted: no finding is an error", () => {
    expect(loaded().findings.filter((one) => one.severity === "error")).toEqual([]);
  });

  test("has the plan that was looked at last", () => {
    expect(loaded().external?.cloud).toMatchSnapshot();
  });

  test("is told of every key that nothing reads", () => {
    expect(of(loaded(), "TB104")).toMatchSnapshot();
  });
});

describe.each(simulators)("the simulator site's %s", (name) => {
  const loaded = loadInputs(checkout, { stack: `simulator-${name}` });

  test("is accepted, and told only of clear text and of what nothing reads", () => {
    expect(new Set(loaded.findings.map((one) => `${one.severity} ${one.code}`))).toEqual(new Set(["warning TB104", "warning TB131"]));
  });

  test("has the plan that was looked at last", () => {
    expect(loaded.external?.cloud).toMatchSnapshot();
  });
});

test("two zones on one secondary store give it a name each", () => {
  const cloud = loadInputs(checkout, { stack: "simulator-advdualzone" }).external?.cloud;
  expect(cloud?.zones.map((zone) => zone.imageStores.map((store) => store.called))).toEqual([[undefined], [undefined]]);
  const wide = load("wide.cfg", (text) =>
    text.replace('"cifs://10.1.0.5/export/smb"', '"http://10.1.0.6:8080/v1"').replace('"name": "swift",', ""),
  );
  expect(wide.external?.cloud.zones.map((zone) => zone.imageStores.map((store) => store.called))).toEqual([
    [undefined],
    ["http://10.1.0.6:8080/v1 for wide-smb"],
  ]);
});

test("no secret of a marvin file stands in the plan", () => {
  for (const name of names) {
    const text = JSON.stringify(load(name).external?.cloud);
    for (const secret of ["password", "SECRET_KEY", "ACCESS_KEY", "devicepass"])
      expect([name, secret, text.includes(`"${secret}"`)]).toEqual([name, secret, false]);
  }
});

test("a host whose password stands in clear text needs the credential all the same, and is told so", () => {
  const missing = load("release-4.0.cfg").findings.filter((one) => one.code === "TB130");
  expect(missing.map((one) => [one.severity, one.what])).toEqual([["warning", "the secret credentials.hosts.password is missing"]]);
  expect(missing[0]?.why).toContain("clear text of a marvin file is not used");
});
