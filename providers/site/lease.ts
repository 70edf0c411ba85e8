import { hostname, userInfo } from "node:os";
import { z } from "zod";
import { defineResource, markText } from "../kernel/index.ts";
import { type Driver, driverSchema, FOREIGN, runOnDriver } from "./driver.ts";

export interface LeaseInputs {
  server: Driver;
  directory: string;
  claims: string[];
}

export interface LeaseOutputs {
  since: string;
}

// One file per claim, first line the holder's mark, second line since when and from where. All claims or none, under one lock.
const CLAIM = `
set -eu
directory=$1 mark=$2 note=$3
shift 3
mkdir -p "$directory"
exec 9>"$directory/.lock"
flock -w 30 9 || { echo "the lock $directory/.lock is held for more than 30 s" >&2; exit 1; }
for claim; do
  file=$directory/$(printf %s "$claim" | tr / _)
  if [ -e "$file" ] && [ "$(head -n 1 "$file")" != "$mark" ]; then
    echo "$claim is held by $(head -n 1 "$file") since $(sed -n 2p "$file")" >&2
    exit ${FOREIGN}
  fi
done
for claim; do
  file=$directory/$(printf %s "$claim" | tr / _)
  [ -e "$file" ] || { printf '%s\\n%s\\n%s\\n' "$mark" "$note" "$claim" >"$directory/.new"; mv "$directory/.new" "$file"; }
done
for file in "$directory"/*; do
  [ -e "$file" ] || continue
  [ "$(head -n 1 "$file")" = "$mark" ] || continue
  held=$(sed -n 3p "$file")
  keep=
  for claim; do [ "$claim" != "$held" ] || keep=yes; done
  [ -n "$keep" ] || rm "$file"
done
`;

const HELD = `
directory=$1 mark=$2
for file in "$directory"/*; do
  [ -e "$file" ] && [ "$(head -n 1 "$file")" = "$mark" ] && sed -n 3p "$file"
done
exit 0
`;

export const lease = defineResource<LeaseInputs, LeaseOutputs>({
  type: "site:Lease",
  summary: "The claim on everything a stack will touch: all of it at once, on the driver, before anything is touched.",
  inputs: z.object({
    server: driverSchema.describe("The driver."),
    directory: z
      .string()
      .startsWith("/")
      .default("/var/lib/cloudstack-testbed/leases")
      .describe("Where the driver keeps the claims of all stacks."),
    claims: z
      .array(z.string().regex(/^[a-z]+\/[A-Za-z0-9_.:-]+$/))
      .min(1)
      .describe("What is claimed, e.g. `machine/h11`, `address/10.91.0.11`."),
  }),
  outputs: { since: "When the claim was first made (ISO 8601, UTC)." },
  replaceOn: [],
  deadlineSeconds: 120,
  id: (inputs) => `lease/${inputs.server.address}`,
  async observe(context, inputs, previous) {
    const held = (await runOnDriver(context, inputs.server, "leases", HELD, [inputs.directory, markText(context.mark)]))
      .split("\n")
      .filter(Boolean);
    if (held.length === 0) return undefined;
    const claims = inputs.claims.filter((claim) => held.includes(claim));
    return {
      inputs: { claims: [...claims, ...held.filter((claim) => !claims.includes(claim))] },
      outputs: { since: previous?.since ?? "" },
    };
  },
  async reconcile(context, inputs, observed) {
    const since = observed?.outputs.since || new Date().toISOString();
    const note = `${since} from ${userInfo().username}@${hostname()}`;
    context.touched();
    await runOnDriver(context, inputs.server, "leases", CLAIM, [inputs.directory, markText(context.mark), note, ...inputs.claims]);
    return { since };
  },
  async remove(context, state) {
    const nothing: string[] = [];
    await runOnDriver(context, state.server, "leases", CLAIM, [state.directory, markText(context.mark), "", ...nothing]);
  },
});
