// Which resource becomes another one when its server does.
import { expect, test } from "@jest/globals";
import { changedReplacements } from "../../../providers/kernel/check.ts";
import { allDefinitions } from "../../../providers/kernel/index.ts";
import { loadEverySystem } from "../../../providers/runtime.ts";

await loadEverySystem();

/** What stays itself when the address of its server changes, and why. */
const stays: Record<string, string> = {
  "site:Lease": "moves by itself: its deletion removes strays, and in the middle of a run all that a stack has would be one",
  "puppet:Certificate": "is an action: replacing it would revoke the certificate of a living machine",
  "puppet:Run": "is an action on the machine; the server is only whom the agent asks",
  "xenserver:VirtualMachine": "is found on every host of its pool",
};

const onServer = allDefinitions().filter(({ inputs }) => "server" in inputs.shape);

test.each(onServer.map((definition) => [definition.type, definition] as const))("%s on another server", (type, definition) => {
  const at = (place: string) => ({ server: { address: place, url: `http://${place}/` } });
  const replaced = changedReplacements(definition, at("10.0.0.1"), at("10.0.0.2"));
  expect(replaced).toEqual(type in stays ? [] : ["server"]);
});

test("every exception is a resource with a server", () => {
  const known = onServer.map(({ type }) => type);
  expect(Object.keys(stays).filter((type) => !known.includes(type))).toEqual([]);
});
