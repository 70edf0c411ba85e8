import { TestbedError } from "../kernel/index.ts";
import type { CloudStackClient } from "./client.ts";

/** A global setting as the server has it. */
export interface Setting {
  name: string;
  /** Absent when it was never set and has no default. */
  value?: string;
  /** False: read at start only. */
  isdynamic?: boolean;
}

/** The named settings as the server has them now. A name that the release does not know is an error that names it. */
export function readSettings(client: CloudStackClient, names: readonly string[]): Promise<Setting[]> {
  return Promise.all(
    names.map(async (name) => {
      // The name is compared again: some releases take it as the beginning of a name.
      const found = (await client.list<Setting>("listConfigurations", "configuration", { name })).find((one) => one.name === name);
      if (found) return found;
      throw new TestbedError({
        system: client.system,
        object: `setting ${name}`,
        kind: "invalid",
        code: "unknown-setting",
        message: "the server knows no setting of this name",
        remedy: "correct the name, or remove it from the global settings: names differ between releases",
      });
    }),
  );
}

/** Those of the settings whose value is not the wanted one. */
export function differing(wanted: Record<string, string>, seen: readonly Setting[]): Setting[] {
  return seen.filter((one) => (one.value ?? "") !== wanted[one.name]);
}

/** Sets one, and checks that the server stored it: it accepts nearly everything (facts 43). */
export async function applySetting(client: CloudStackClient, name: string, value: string): Promise<void> {
  const reply = await client.set("updateConfiguration", { name, value });
  const stored = (reply.configuration as Setting | undefined)?.value ?? "";
  if (stored === value) return;
  throw new TestbedError({
    system: client.system,
    object: `setting ${name}`,
    kind: "refused",
    code: "not-stored",
    message: `expected ${JSON.stringify(value)} to be stored, but the server stored ${JSON.stringify(stored)}`,
    remedy: "write the value as the server stores it",
  });
}
