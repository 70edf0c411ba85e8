// The kernel from outside: Pulumi's real dynamic-provider process, driven over gRPC.
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ProviderProcess, partialState, providerText } from "../../support/provider-process.ts";

const fixture = join(import.meta.dirname, "../../fixtures/kernel-project");
const checkout = join(import.meta.dirname, "../../..");
const password = "correct horse battery staple";
const owner = "cloudstack-testbed/kvm/0123456789abcdef";

let text: string;
let folder: string;
let provider: ProviderProcess;

async function start(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), "kernel-"));
  symlinkSync(join(fixture, "providers"), join(folder, "providers"));
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
  provider = await ProviderProcess.start(folder);
  await provider.configure({
    "cloudstack-testbed:credentials": JSON.stringify({ server: { password } }),
    "cloudstack-testbed:limits": "{}",
  });
}

beforeAll(async () => {
  text = providerText();
  await start();
});

afterAll(stop);

async function stop(): Promise<void> {
  await provider.stop();
  rmSync(folder, { recursive: true });
}

/** A process of its own, for tests that end it or read its journal from the start. */
async function restart(): Promise<void> {
  await stop();
  await start();
}

const properties = (name: string, more: Record<string, unknown> = {}) => ({
  path: join(folder, name),
  text: "hello",
  behaviour: "ok",
  __provider: text,
  __urn: `urn:pulumi:kvm::cloudstack-testbed::pulumi-nodejs:dynamic/test:File::${name}`,
  __owner: owner,
  ...more,
});

const journal = () => readFileSync(join(folder, ".testbed/kvm/journal.jsonl"), "utf8");

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected a failure");
}

test("what the state holds of the provider is under 2.5 KB and names no path of this machine", () => {
  expect(text.length).toBeLessThan(2500);
  expect(text).not.toContain(checkout);
});

describe("create", () => {
  test("returns inputs and outputs under a deterministic id", async () => {
    const created = await provider.create(properties("a"));
    expect(created.id).toBe(`file${join(folder, "a")}`);
    expect(created.properties).toMatchObject({ bytes: 5, owner: `cloudstack-testbed:${owner}`, text: "hello" });
  });

  test("drops an undefined output instead of losing the object", async () => {
    const created = await provider.create(properties("a", { behaviour: "undefined-output" }));
    expect(created.properties).toMatchObject({ bytes: 5 });
    expect(created.properties).not.toHaveProperty("owner");
  });

  test("that fails before anything was touched leaves nothing in the state", async () => {
    const error = await failureOf(provider.create(properties("a", { behaviour: "fails" })));
    expect(error.message).toContain("on disk: no,");
    expect(partialState(error)).toBeUndefined();
  });

  test("that fails half-way keeps the resource, with its provider, so that it can be finished or deleted", async () => {
    const error = await failureOf(provider.create(properties("a", { behaviour: "fails-touched" })));
    const partial = partialState(error);
    expect(partial?.id).toBe(`file${join(folder, "a")}`);
    expect(partial?.properties.__provider).toBe(text);
    expect(partial?.reasons[0]).toContain("half done");
    await provider.remove(partial?.id as string, partial?.properties as Record<string, unknown>);
    expect(existsSync(join(folder, "a"))).toBe(false);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("interrupted by %s answers with the partial resource", async (signal) => {
    await restart();
    const creating = failureOf(provider.create(properties("a", { behaviour: "slow" })));
    const deadline = Date.now() + 20_000;
    while (!existsSync(join(folder, "a"))) {
      if (Date.now() > deadline) throw new Error("the create did not begin");
      await new Promise((resolve) => setImmediate(resolve));
    }
    provider.process.kill(signal);
    const error = await creating;
    expect(partialState(error)?.id).toBe(`file${join(folder, "a")}`);
    expect(journal()).toContain('"verdict":"interrupted"');
    await restart();
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s ends an idle provider by itself: the engine would wait 5 s for it", async (signal) => {
    await restart();
    await provider.create(properties("a"));
    const ended = once(provider.process, "exit", { signal: AbortSignal.timeout(4500) });
    provider.process.kill(signal);
    expect(await ended).toEqual([0, null]);
    await restart();
  });

  test("20 equal resources at once need one login", async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) => provider.create(properties(`r${index}`, { behaviour: "login" }))),
    );
    expect(all.map((one) => one.properties.bytes)).toEqual(Array(20).fill(1));
  });
});

describe("check", () => {
  test("fills in defaults", async () => {
    const { behaviour: _, ...given } = properties("a");
    const checked = await provider.check(given);
    expect(checked.failures).toEqual([]);
    expect(checked.inputs).toMatchObject({ behaviour: "ok" });
  });

  test("reports every fault at once", async () => {
    const checked = await provider.check(properties("a", { path: "relative", behaviour: "nonsense" }));
    expect(checked.failures.map((failure) => failure.property).sort()).toEqual(["behaviour", "path"]);
  });

  test("refuses an input that the resource does not know", async () => {
    const checked = await provider.check(properties("a", { colour: "red" }));
    expect(checked.failures).toHaveLength(1);
    expect(checked.failures[0]?.reason).toContain("colour");
  });

  test("passes what is not yet known at preview", async () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const checked = await provider.check(properties("a", { path: unknown }));
    expect(checked.failures).toEqual([]);
    expect(checked.inputs.path).toBe(unknown);
  });
});

test("a changed replaceOn input replaces, any other does not", async () => {
  expect((await provider.diff(properties("a"), properties("b"))).replaces).toEqual(["path"]);
  expect((await provider.diff(properties("a"), properties("a", { text: "other" }))).replaces).toEqual([]);
});

describe("read", () => {
  test("returns what is there now as inputs, so that drift shows", async () => {
    const created = await provider.create(properties("a"));
    writeFileSync(join(folder, "a"), "changed by hand");
    const seen = await provider.read(created.id, created.properties);
    expect(seen.inputs).toMatchObject({ text: "changed by hand", path: join(folder, "a") });
    expect(seen.properties).toMatchObject({ bytes: 15 });
  });

  test("of an absent object returns no id", async () => {
    const created = await provider.create(properties("a"));
    await provider.remove(created.id, created.properties);
    expect((await provider.read(created.id, created.properties)).id).toBe("");
  });
});

test("delete of what is already gone succeeds", async () => {
  await provider.remove("file", properties("never-made"));
});

test("a missing credential is named together with those that are set", async () => {
  await provider.stop();
  provider = await ProviderProcess.start(folder);
  await provider.configure({ "cloudstack-testbed:credentials": JSON.stringify({ other: { password: "x" } }) });
  const error = await failureOf(provider.create(properties("a")));
  expect(error.message).toContain("credential server");
  expect(error.message).toContain("set are: other");
  await restart();
});

test("a secret reaches neither the journal nor an error text", async () => {
  const error = await failureOf(provider.create(properties("a", { behaviour: "fails" })));
  expect(error.message).toContain("[secret]");
  expect(error.message).not.toContain(password);
  expect(journal()).not.toContain(password);
  expect(journal()).toContain("writing with [secret]");
});

test("every journal line is one JSON object with type, operation and event", async () => {
  await restart();
  await provider.create(properties("a"));
  const entries = journal()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(entries.map((entry) => entry.event)).toEqual(["start", "phase", "end"]);
  expect(entries[2]).toMatchObject({ type: "test:File", name: "a", operation: "create", verdict: "ok", queuedSeconds: 0 });
});
