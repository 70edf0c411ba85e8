// What holds for any input: nothing throws, every place is right, and the plan follows from the data alone.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { addressNumber, cidrOf, netmaskOf, networkBounds, overlap, unusable } from "../../../stacks/addresses.ts";
import { findingCodes } from "../../../stacks/findings.ts";
import { externalSiteSchema, inventorySchema } from "../../../stacks/inventory.ts";
import { loadInputs } from "../../../stacks/load.ts";
import { marvinSchema } from "../../../stacks/marvin.ts";
import { parseBySchema } from "../../../stacks/schema.ts";
import { parseMarvinSource, parseYamlSource } from "../../../stacks/sources/index.ts";
import { inFolder } from "./change.ts";

const files = ["environments/lab/inventory.yaml", "environments/lab/lab-kvm.cfg", "Pulumi.kvm.yaml"] as const;

/** Reads the three inputs after one of them became another text. */
function everyFindingHasItsPlace(folder: string, file: string, text: string): void {
  const before = readFileSync(join(folder, file), "utf8");
  writeFileSync(join(folder, file), text);
  try {
    const { findings, plan } = loadInputs(folder, { stack: "kvm" });
    const lines = text.split("\n").length;
    for (const one of findings) {
      expect(Object.keys(findingCodes)).toContain(one.code);
      expect(one.line >= 1 && one.column >= 1 && (one.file !== file || one.line <= lines)).toBe(true);
    }
    expect(plan === undefined).toBe(findings.some((one) => one.severity === "error"));
  } finally {
    writeFileSync(join(folder, file), before);
  }
}

describe("no text makes the reader throw", () => {
  test("any characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        for (const source of [parseYamlSource("f", text), parseMarvinSource("f", text)])
          for (const schema of [inventorySchema, externalSiteSchema, marvinSchema]) parseBySchema<unknown>(source, schema, "x");
      }),
      { numRuns: 500 },
    );
  });

  test("a shipped file from which something is cut, doubled or in which something stands", () => {
    const slip = fc.record({
      file: fc.constantFrom(...files),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.integer({ min: 0, max: 60 }),
      text: fc.oneof(
        fc.constant("cut"),
        fc.constant("doubled"),
        fc.string({ maxLength: 5 }),
        fc.constantFrom("\n", "{", "]", ": ", "\t", '"', "null", "- ", "*a", "__proto__: 1"),
      ),
    });
    inFolder((folder) => {
      fc.assert(
        fc.property(slip, ({ file, at, length, text }) => {
          const before = readFileSync(join(folder, file), "utf8");
          const start = Math.floor(at * before.length);
          const part = before.slice(start, start + length);
          const put = text === "cut" ? "" : text === "doubled" ? part + part : text;
          everyFindingHasItsPlace(folder, file, before.slice(0, start) + put + before.slice(start + length));
        }),
        { numRuns: 200 },
      );
    });
  });

  test("any value in place of another one", () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
    const value = fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(fc.string(), leaf, { maxKeys: 3 }));
    inFolder((folder) => {
      const marvin = JSON.parse(readFileSync(join(folder, files[1]), "utf8").replace(/^#.*$/gm, "")) as object;
      const places = pathsOf(marvin);
      fc.assert(
        fc.property(fc.constantFrom(...places), value, (path, other) => {
          everyFindingHasItsPlace(folder, files[1], JSON.stringify(replaced(marvin, path, other), undefined, 1));
        }),
        { numRuns: 200 },
      );
    });
  });
});

type Step = string | number;

function pathsOf(value: unknown, path: Step[] = []): Step[][] {
  if (typeof value !== "object" || value === null) return [path];
  const steps: Step[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [...(path.length > 0 ? [path] : []), ...steps.flatMap((step) => pathsOf((value as Record<Step, unknown>)[step], [...path, step]))];
}

function replaced(value: unknown, [step, ...rest]: Step[], other: unknown): unknown {
  if (step === undefined) return other;
  if (Array.isArray(value)) return value.map((one, index) => (index === step ? replaced(one, rest, other) : one));
  const group = value as Record<Step, unknown>;
  return { ...group, [step]: replaced(group[step], rest, other) };
}

test("the place of every value is where the value stands, in JSON and in YAML", () => {
  const key = fc.string({ minLength: 1, unit: fc.constantFrom(..."abcxyz_-") });
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      key,
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(
      fc.dictionary(key, tree, { minKeys: 1, maxKeys: 4 }),
      fc.constantFrom(undefined, 2),
      fc.boolean(),
      (value, indent, crlf) => {
        const json = `# first\n${JSON.stringify(value, undefined, indent)}\n`;
        const text = crlf ? json.replaceAll("\n", "\r\n") : json;
        for (const parse of [parseMarvinSource, parseYamlSource]) {
          const source = parse("f", text);
          expect(source.findings).toEqual([]);
          expect(source.value).toEqual(value);
          for (const path of pathsOf(value)) {
            const { line, column } = source.place(path);
            const there = json.split("\n")[line - 1]?.slice(column - 1) ?? "";
            const last = path.at(-1);
            const at = path.reduce<unknown>((inner, step) => (inner as Record<Step, unknown>)[step], value);
            const wanted =
              typeof last === "string"
                ? JSON.stringify(last)
                : typeof at === "object"
                  ? Array.isArray(at)
                    ? "["
                    : "{"
                  : JSON.stringify(at);
            expect(there.startsWith(wanted)).toBe(true);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

describe("addresses", () => {
  const address = fc.ipV4();
  const cidr = fc.tuple(address, fc.integer({ min: 8, max: 30 })).map(([base, length]) => `${base}/${length}`);

  test("a network's bounds hold exactly its addresses, whatever address names it", () => {
    fc.assert(
      fc.property(cidr, address, (network, any) => {
        const { first, last } = networkBounds(network);
        expect(last - first + 1).toBe(2 ** (32 - Number(network.split("/")[1])));
        expect(networkBounds(cidrOf(network.split("/")[0] as string, netmaskOf(network)))).toEqual({ first, last });
        const number = addressNumber(any);
        expect(unusable(any, network) === undefined).toBe(number > first && number < last);
      }),
    );
  });

  test("overlapping is mutual, and means a common address", () => {
    const range = fc.tuple(fc.nat(50), fc.nat(50)).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
    fc.assert(
      fc.property(range, range, (one, other) => {
        const common = Array.from({ length: 51 }, (_, number) => number).some(
          (number) => number >= one.first && number <= one.last && number >= other.first && number <= other.last,
        );
        expect(overlap(one, other)).toBe(common);
        expect(overlap(other, one)).toBe(common);
      }),
    );
  });
});
