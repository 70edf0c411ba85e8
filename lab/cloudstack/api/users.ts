import { randomBytes } from "node:crypto";
import type { Commands, Request } from "../command.ts";
import { listReply } from "../command.ts";
import type { Database, Row } from "../database.ts";
import type { Reply } from "../envelope.ts";
import { invalidValue } from "../errors.ts";

export const isAdministrator = (account: Row) => account.type === 1;

/** A user as replies show it. */
export function userReply(database: Database, user: Row): Reply {
  const account = database.find(String(user.accountId)) as Row;
  const domain = database.find(String(account.domainId)) as Row;
  return {
    id: user.id,
    username: user.username,
    firstname: user.firstname,
    lastname: user.lastname,
    ...(user.email ? { email: user.email } : {}),
    created: user.created,
    state: user.state,
    account: account.name,
    accounttype: account.type,
    usersource: "native",
    ...(account.role as Reply),
    domainid: domain.id,
    domain: domain.name,
    ...(user.apiKey ? { apikey: user.apiKey } : {}),
    accountid: account.id,
    iscallerchilddomain: false,
    isdefault: account.isDefault,
    is2faenabled: false,
    is2famandated: false,
  };
}

/** Accounts that a list shows: the caller's own unless all or another one is asked for. The system's account is never shown. */
export function visibleAccounts({ cloud, caller, parameters }: Request): Row[] {
  const accounts = cloud.database.table("account").filter((one) => one.name !== "system");
  const everything = isAdministrator(caller.account) && (parameters.listall === "true" || parameters.id !== undefined);
  if (everything) return accounts;
  if (isAdministrator(caller.account) && parameters.account !== undefined) return accounts.filter((one) => one.name === parameters.account);
  return accounts.filter((one) => one.id === caller.account.id);
}

function listUsers(request: Request): Reply {
  const { cloud, caller, parameters } = request;
  const accounts = visibleAccounts(request).map((one) => one.id);
  const users = cloud.database
    .table("user")
    .filter((user) => accounts.includes(String(user.accountId)))
    .filter((user) => parameters.id === undefined || user.id === parameters.id)
    .filter((user) => parameters.username === undefined || user.username === parameters.username);
  const rights = isAdministrator(caller.account) ? { apikeyaccess: "INHERIT" } : {};
  return listReply(
    request,
    "user",
    users.map((user) => ({ ...userReply(cloud.database, user), ...rights })),
  );
}

/** The user that `id` names; a plain user may only name itself. */
function named({ cloud, caller, parameters }: Request): Row {
  const user = cloud.database.table("user").find((one) => one.id === parameters.id);
  if (!user || (!isAdministrator(caller.account) && user.id !== caller.user.id))
    throw invalidValue(`unable to find user by id ${parameters.id}`);
  return user;
}

export const userCommands: Commands = {
  listUsers: { forUsers: true, run: listUsers },
  getUser: {
    run({ cloud, parameters }) {
      const user = cloud.database.table("user").find((one) => one.apiKey === parameters.userapikey);
      if (!user) throw invalidValue("User is not found with this api key");
      return { user: userReply(cloud.database, user) };
    },
  },
  getUserKeys: {
    forUsers: true,
    run(request) {
      const user = named(request);
      const keys = user.secretKey ? { apikey: user.apiKey, secretkey: user.secretKey } : {};
      return { userkeys: { ...keys, apikeyaccess: true } };
    },
  },
  registerUserKeys: {
    forUsers: true,
    run(request) {
      const user = named(request);
      const key = () => randomBytes(64).toString("base64url");
      request.cloud.database.update(user, { apiKey: key(), secretKey: key() });
      return { userkeys: { apikey: user.apiKey, secretkey: user.secretKey } };
    },
  },
  disableUser: {
    job: { class: "org.apache.cloudstack.api.command.admin.user.DisableUserCmd" },
    run(request) {
      const user = named(request);
      request.cloud.database.update(user, { state: "disabled" });
      return { user: userReply(request.cloud.database, user) };
    },
  },
};
