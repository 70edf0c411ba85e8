import { readFileSync } from "node:fs";
import { type Command, type Commands, listReply, type Request } from "../command.ts";
import type { Reply } from "../envelope.ts";
import { invalidValue } from "../errors.ts";
import { isSet, selected } from "../objects.ts";
import { offering, offeringReply } from "../offerings.ts";

/** Lists that are the same on every server of the release. */
const lines = readFileSync(new URL("../lists.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n");
const fixed = lines.map((line) => JSON.parse(line) as { command: string; key: string; type?: string; rows: unknown[] });

const fixedLists: Commands = Object.fromEntries(
  [...new Set(fixed.map((one) => one.command))].map((name): [string, Command] => [
    name,
    {
      run(request) {
        const ofName = fixed.filter((one) => one.command === name);
        const found = ofName.find((one) => one.type === undefined || one.type === request.parameters.type) ?? ofName[0];
        return listReply(request, found?.key ?? "", found?.rows ?? []);
      },
    },
  ]),
);

/** The open port's account has no resources of its own to list for (cloudstack-observed facts 18). */
function refuseSystem({ caller }: Request): void {
  if (caller.account.name === "system") throw invalidValue("Account and domainId are needed for resource creation");
}

function listOfferings(request: Request, kind: string): Reply {
  const { database } = request.cloud;
  const rows = database.table("offering").filter((one) => one.kind === kind);
  const found = selected(request, rows, { zoneid: () => true }).filter(({ fields }) => {
    const { state, guestiptype, issystem } = fields as Reply;
    const wanted = request.parameters;
    if (kind === "serviceoffering") return isSet(wanted.issystem) === (issystem === true);
    return (!wanted.state || wanted.state === state) && (!wanted.guestiptype || wanted.guestiptype === guestiptype);
  });
  return listReply(
    request,
    kind,
    found.map((row) => {
      const reply = offeringReply(row);
      return kind === "networkoffering"
        ? { ...reply, serviceofferingid: offering(database, "System Offering For Software Router").id }
        : reply;
    }),
  );
}

export const offeringCommands: Commands = {
  ...fixedLists,
  listOsCategories: {
    run(request) {
      const rows = selected(request, request.cloud.database.table("oscategory"));
      return listReply(
        request,
        "oscategory",
        rows.map(({ id, name }) => ({ id, name })),
      );
    },
  },
  listNetworkOfferings: { forUsers: true, run: (request) => listOfferings(request, "networkoffering") },
  listServiceOfferings: {
    forUsers: true,
    run(request) {
      if (!isSet(request.parameters.issystem)) refuseSystem(request);
      return listOfferings(request, "serviceoffering");
    },
  },
  listDiskOfferings: {
    forUsers: true,
    run(request) {
      refuseSystem(request);
      return listOfferings(request, "diskoffering");
    },
  },
};
