import { randomBytes } from "node:crypto";
import type { Cloud } from "./cloud.ts";
import type { Caller } from "./command.ts";
import { passwordHash, type Row } from "./database.ts";
import type { Reply } from "./envelope.ts";
import { ApiFault, malformed, refusedLogin, wrongSession } from "./errors.ts";
import type { Parameters } from "./parameters.ts";

interface Session {
  userId: string;
  key: string;
}

export const SESSION_SECONDS = 1800;

/** The sessions of one running server: a restart forgets them. */
export class Sessions {
  readonly #cloud: Cloud;
  readonly #sessions = new Map<string, Session>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  /**
   * The caller of a live session; undefined when there is none. A call needs both cookies and the parameter; a mistake in any of them
   * ends the session (cloudstack-observed facts 14).
   */
  caller(cookies: Record<string, string>, parameters: Parameters): Caller | undefined {
    const id = cookies.JSESSIONID ?? "";
    const session = this.#sessions.get(id);
    if (!session) return undefined;
    if (cookies.sessionkey === session.key && parameters.sessionkey === session.key) return this.#cloud.callerOf(session.userId);
    this.#sessions.delete(id);
    throw wrongSession();
  }

  /** A login, good or bad, ends the session whose cookie came with it. */
  login(cookies: Record<string, string>, parameters: Parameters): { id: string; key: string; reply: Reply } {
    this.#sessions.delete(cookies.JSESSIONID ?? "");
    const user = authenticate(this.#cloud, parameters);
    const id = `node0${randomBytes(12).toString("hex")}0`;
    const key = randomBytes(20).toString("base64url");
    this.#sessions.set(id, { userId: user.id, key });
    const { account } = this.#cloud.callerOf(user.id);
    return {
      id,
      key,
      reply: {
        username: user.username,
        userid: user.id,
        domainid: account.domainId,
        timeout: SESSION_SECONDS,
        account: account.name,
        firstname: user.firstname,
        lastname: user.lastname,
        type: String(account.type),
        timezone: "UTC",
        timezoneoffset: "0.0",
        registered: "false",
        sessionkey: key,
        is2faenabled: "false",
        is2faverified: "true",
        issuerfor2fa: "CloudStack",
      },
    };
  }

  logout(cookies: Record<string, string>): Reply {
    if (!this.#sessions.delete(cookies.JSESSIONID ?? "")) throw malformed("Session not found for the logout process.");
    return { description: "success" };
  }
}

function authenticate(cloud: Cloud, { username, password, domain, domainId }: Parameters): Row {
  const { database } = cloud;
  const root = database.table("domain")[0] as Row;
  if (domainId !== undefined && domainId !== root.id)
    throw new ApiFault(401, undefined, "Invalid domain id entered, please enter a valid one");
  const path = domain === undefined ? "/" : `/${domain}/`.replaceAll(/\/+/g, "/");
  if (path !== "/") throw refusedLogin(`Unable to find the domain from the path ${path}`);
  const user = database.table("user").find((one) => one.username === username);
  if (!user || user.password !== passwordHash(password ?? ""))
    throw refusedLogin(`Failed to authenticate user ${username} in domain ${root.databaseId}; please provide valid credentials`);
  if (user.state !== "enabled") throw refusedLogin(disabledText(cloud.callerOf(user.id), root));
  return user;
}

function disabledText({ user, account }: Caller, domain: Row): string {
  const shownUser = JSON.stringify({ accountName: account.name, id: user.databaseId, username: user.username });
  const shownDomain = JSON.stringify({ id: domain.databaseId, name: domain.name, path: "/", uuid: domain.id }).replaceAll("/", "\\/");
  return `User UserAccount ${shownUser}. (or their account) in domain Domain ${shownDomain} is disabled/locked. Please contact the administrator.`;
}
