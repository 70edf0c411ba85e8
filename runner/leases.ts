import { exitStatus } from "../cli/exit.ts";
import type { OpenStack } from "../cli/stack.ts";
import { table } from "../cli/table.ts";
import { type Claim, type Driver, listClaims } from "../providers/site/index.ts";
import { holderText } from "./own-stack.ts";
import { atSite, stackMark } from "./site-context.ts";
import { planOf } from "./stack-plan.ts";

/** Who holds what on the site of a stack. Returns the exit status of the command. */
export async function showLeases(opened: OpenStack, json: boolean): Promise<number> {
  const plan = planOf(opened.stack);
  const driver: Driver = { address: plan.driver.address, ...plan.driver.ssh };
  const claims = await atSite(opened, (context) => listClaims(context, driver));
  const whose = ({ holder }: Claim) => holderText(holder, stackMark(opened));
  if (json) {
    const rows = claims.map((claim) => ({ ...claim, ours: whose(claim) === "this stack" }));
    process.stdout.write(`${JSON.stringify({ site: plan.site, driver: driver.address, claims: rows }, undefined, 2)}\n`);
  } else if (claims.length === 0) process.stdout.write(`nothing on site ${plan.site} is held by anybody\n`);
  else
    process.stdout.write(
      table([["CLAIM", "HOLDER", "SINCE", "FROM"], ...claims.map((claim) => [claim.claim, whose(claim), claim.since, claim.from])]),
    );
  return exitStatus.ok;
}
