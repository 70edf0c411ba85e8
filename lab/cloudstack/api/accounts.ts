import type { Commands, Request } from "../command.ts";
import { listReply } from "../command.ts";
import { type Database, passwordHash, type Row, timeText } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { invalidValue } from "../errors.ts";
import { isAdministrator, userReply, visibleAccounts } from "./users.ts";

/** What an account of a plain user may have, by default. */
const accountLimits: [name: string, limit: number][] = [
  ...(["vm", "ip", "volume", "snapshot", "template"] as const).map((name): [string, number] => [name, 20]),
  ["project", 10],
  ["network", 20],
  ["vpc", 20],
  ["cpu", 40],
  ["memory", 40960],
  ["primarystorage", 200],
  ["secondarystorage", 400],
];

function limitsReply(limited: boolean): Reply {
  const fields = accountLimits.flatMap(([name, limit]) => {
    // No public address is there to be had yet; secondary storage is counted in fractions.
    const available = name === "ip" ? "0" : name === "secondarystorage" ? `${limit}.0` : String(limit);
    return [
      [`${name}limit`, limited ? String(limit) : "Unlimited"],
      [`${name}total`, 0],
      [`${name}available`, limited ? available : "Unlimited"],
    ];
  });
  return Object.fromEntries(fields);
}

function accountReply(database: Database, account: Row): Reply {
  const domain = database.find(String(account.domainId)) as Row;
  const users = database.table("user").filter((user) => user.accountId === account.id);
  return {
    id: account.id,
    name: account.name,
    accounttype: account.type,
    ...(account.role as Reply),
    domainid: domain.id,
    domain: domain.name,
    domainpath: "ROOT",
    ...limitsReply(!isAdministrator(account)),
    vmstopped: 0,
    vmrunning: 0,
    state: account.state,
    ...(account.created ? { created: account.created } : {}),
    user: users.map((user) => userReply(database, user)),
    isdefault: account.isDefault,
    groups: [],
    apikeyaccess: "INHERIT",
  };
}

function createAccount({ cloud, parameters }: Request): Reply {
  const { database } = cloud;
  const domain = database.table("domain")[0] as Row;
  const { username = "", password = "", firstname, lastname, email, accounttype } = parameters;
  if (database.table("user").some((one) => one.username === username)) {
    const shown = JSON.stringify({ id: domain.databaseId, name: domain.name, path: "/", uuid: domain.id }).replaceAll("/", "\\/");
    throw invalidValue(`The user ${username} already exists in domain Domain ${shown}`);
  }
  const like = database.table("account").find((one) => one.type === Number(accounttype ?? 0)) as Row;
  const created = timeText();
  const account = database.insert("account", {
    ...{ name: parameters.account ?? username, type: like.type, role: like.role, domainId: domain.id, state: "enabled", isDefault: false },
    created,
  });
  const names = { username, firstname, lastname, email };
  database.insert("user", { ...names, password: passwordHash(password), created, state: "enabled", accountId: account.id });
  return { account: accountReply(database, account) };
}

export const accountCommands: Commands = {
  listAccounts: {
    forUsers: true,
    run: (request) =>
      listReply(
        request,
        "account",
        visibleAccounts(request)
          .filter((one) => request.parameters.id === undefined || one.id === request.parameters.id)
          .map((account) => accountReply(request.cloud.database, account)),
      ),
  },
  createAccount: { run: createAccount },
  deleteAccount: {
    job: { class: "org.apache.cloudstack.api.command.admin.account.DeleteAccountCmd", instanceType: "Account" },
    run({ cloud, parameters }) {
      const { database } = cloud;
      const account = database.table("account").find((one) => one.id === parameters.id);
      if (!account) throw invalidValue(`unable to find account by id ${parameters.id}`);
      for (const user of database.table("user").filter((one) => one.accountId === account.id)) database.remove("user", user);
      database.remove("account", account);
      return { success: true };
    },
  },
  listDomains: {
    run: (request) =>
      listReply(
        request,
        "domain",
        request.cloud.database.table("domain").map((domain) => ({
          ...{ id: domain.id, name: domain.name, level: 0, haschild: false, path: domain.name, state: "Active" },
          ...limitsReply(false),
          hasannotations: false,
        })),
      ),
  },
};
