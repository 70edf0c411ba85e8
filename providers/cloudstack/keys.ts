import { rememberSecrets, TestbedError } from "../kernel/index.ts";
import type { CloudStackClient, Keys, Reply } from "./client.ts";

/** The administrator that a fresh database has. */
const ADMINISTRATOR = "admin";

function keysOf(reply: Reply): Keys | undefined {
  const { apikey, secretkey } = (reply.userkeys ?? {}) as { apikey?: string; secretkey?: string };
  if (!apikey || !secretkey) return undefined;
  const keys = { apiKey: apikey, secretKey: secretkey };
  rememberSecrets(keys);
  return keys;
}

/** The administrator's id and keys as the server has them. Without `listall` or an account the open port lists nobody (facts 18). */
export async function readKeys(client: CloudStackClient): Promise<{ userId: string; keys: Keys | undefined }> {
  const users = await client.list<{ id: string; username: string }>("listUsers", "user", { account: ADMINISTRATOR });
  const user = users.find((one) => one.username === ADMINISTRATOR);
  if (!user)
    throw new TestbedError({
      system: client.system,
      object: `user ${ADMINISTRATOR}`,
      kind: "invalid",
      code: "no-administrator",
      message: `expected a user ${ADMINISTRATOR} in the account ${ADMINISTRATOR}, but there is none`,
      remedy: "set up the databases of the management server anew",
    });
  return { userId: user.id, keys: keysOf(await client.read("getUserKeys", { id: user.id })) };
}

/**
 * The administrator's keys: those that exist, else new ones. Keys that exist are never replaced, for that would lock out everybody who
 * uses them (marvin, tests, other tools).
 */
export async function obtainKeys(client: CloudStackClient): Promise<Keys & { userId: string }> {
  const { userId, keys } = await readKeys(client);
  if (keys) return { userId, ...keys };
  const made = await registerKeys(client, userId);
  if (made) return { userId, ...made };
  throw new TestbedError({
    system: client.system,
    object: `user ${ADMINISTRATOR}`,
    kind: "refused",
    code: "no-keys",
    message: "the server registered keys for it, but shows none",
  });
}

/** A registration whose answer was lost may have happened: keys that are there afterwards are the ones. */
async function registerKeys(client: CloudStackClient, userId: string): Promise<Keys | undefined> {
  try {
    return keysOf(await client.changeAndWait("registerUserKeys", { id: userId })) ?? (await readKeys(client)).keys;
  } catch (error) {
    const found = error instanceof TestbedError && error.kind === "unreachable" ? (await readKeys(client)).keys : undefined;
    if (found) return found;
    throw error;
  }
}
