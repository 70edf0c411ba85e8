import { type Context, findMark, type Mark, markText } from "../kernel/index.ts";
import { defineOwnership, type Holding } from "../kernel/ownership.ts";
import { type Driver, FOREIGN, runOnDriver } from "./driver.ts";
import { type LeaseInputs, lease } from "./lease.ts";

/** One claim on the driver. */
export interface Claim {
  /** `machine/h11`, `address/10.91.0.11`. */
  claim: string;
  /** Undefined for a file that carries no mark. */
  holder: Mark | undefined;
  /** When it was made, ISO 8601 in UTC. */
  since: string;
  /** The account and machine it was made from. */
  from: string;
}

/** Where the driver keeps the claims unless a stack says otherwise. */
export const claimsDirectory: string = lease.inputs.shape.directory?.parse(undefined) as string;

const LIST = `
directory=$1
for file in "$directory"/*; do
  [ -f "$file" ] || continue
  printf '%s\\t%s\\t%s\\n' "$(sed -n 1p "$file")" "$(sed -n 2p "$file")" "$(sed -n 3p "$file")"
done
`;

// The same lock as the lease's own writes; the first line is compared under it, so that nothing changes hands unseen.
const TAKE = `
set -eu
directory=$1 mark=$2 note=$3 claim=$4 expected=$5
exec 9>"$directory/.lock"
flock -w 30 9 || { echo "the lock $directory/.lock is held for more than 30 s" >&2; exit 1; }
file=$directory/$(printf %s "$claim" | tr / _)
seen=$(head -n 1 "$file" 2>/dev/null) || seen="no claim"
[ "$seen" = "$expected" ] || { echo "expected $expected as the holder of $claim, seen $seen" >&2; exit ${FOREIGN}; }
printf '%s\\n%s\\n%s\\n' "$mark" "$note" "$claim" >"$directory/.new"
mv "$directory/.new" "$file"
`;

/** Every claim on the driver, of all stacks. None where nothing was ever claimed. */
export async function listClaims(context: Context, server: Driver, directory = claimsDirectory): Promise<Claim[]> {
  const lines = (await runOnDriver(context, server, "leases", LIST, [directory])).split("\n").filter(Boolean);
  return lines
    .map((line) => {
      const [mark = "", note = "", claim = ""] = line.split("\t");
      const [since = "", from = ""] = note.split(" from ");
      return { claim, holder: findMark(mark), since, from };
    })
    .sort((a, b) => a.claim.localeCompare(b.claim, "en", { numeric: true }));
}

defineOwnership<LeaseInputs>(lease.type, {
  async holdings(context, inputs) {
    const claims = await listClaims(context, inputs.server, inputs.directory);
    return claims
      .filter(({ claim }) => inputs.claims.includes(claim))
      .map(
        ({ claim, holder, since, from }): Holding => ({
          object: claim,
          system: `driver ${inputs.server.address}`,
          holder,
          since: `${since} from ${from}`,
        }),
      );
  },
  async take(context, inputs, holding) {
    const now = new Date().toISOString();
    const note = `${now} from ${holding.holder ? `takeover of ${markText(holding.holder)}` : "adoption"}`;
    const expected = holding.holder ? markText(holding.holder) : "";
    await runOnDriver(context, inputs.server, holding.object, TAKE, [
      inputs.directory,
      markText(context.mark),
      note,
      holding.object,
      expected,
    ]);
  },
});
