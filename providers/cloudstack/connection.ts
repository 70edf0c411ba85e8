import { type Context, session, TestbedError } from "../kernel/index.ts";
import { type Access, CloudStackClient } from "./client.ts";
import type { CloudServer } from "./inputs.ts";
import { obtainKeys } from "./keys.ts";

interface Connection {
  access: Access;
  /** As the server names it: `4.20.3.0`. */
  release: string;
}

const signed = (keys: { apiKey: string; secretKey: string }): Access => ({
  kind: "signed",
  apiKey: keys.apiKey,
  secretKey: keys.secretKey,
});

/** The API of a server for one operation, by access that this process has proved; all resources of the process share it. */
export async function connect(context: Context, server: CloudServer): Promise<Connection & { client: CloudStackClient }> {
  const { address, ports, credential, installation } = server;
  const place = { address, port: ports.api, installation };
  const key = `cloudstack ${JSON.stringify([place, ports.open, credential])}`;
  const { access, release } = await session(key, () => open(context, server));
  return { client: new CloudStackClient(context, place, access), access, release };
}

/** A key that was obtained a moment ago and is refused was replaced meanwhile: it is obtained once more. Later a 401 is final. */
async function open(context: Context, server: CloudServer): Promise<Connection> {
  for (let again = false; ; again = true) {
    const access = await obtainAccess(context, server);
    try {
      const client = new CloudStackClient(context, { address: server.address, port: server.ports.api }, access);
      const { capability } = await client.read("listCapabilities");
      return { access, release: String((capability as { cloudstackversion?: string }).cloudstackversion) };
    } catch (error) {
      if (again || !(error instanceof TestbedError) || error.code !== "401") throw error;
    }
  }
}

/** Keys of the credential, else those that the open port tells, else those that a login tells, else the session itself. */
async function obtainAccess(context: Context, server: CloudServer): Promise<Access> {
  const { address, ports } = server;
  const known = credentialOf(context, server.credential);
  const { apiKey, secretKey, user, password } = known ?? {};
  if (apiKey && secretKey) return signed({ apiKey, secretKey });
  if (ports.open !== 0) {
    try {
      return signed(await obtainKeys(new CloudStackClient(context, { address, port: ports.open }, { kind: "open" })));
    } catch (error) {
      if (!user || !(error instanceof TestbedError) || error.kind !== "unreachable") throw error;
    }
  }
  // Asked for by its name: what is missing is then in the error.
  if (!user || !password) context.credential(server.credential);
  const access: Access = { kind: "session", user: user ?? "", password: password ?? "" };
  try {
    return signed(await obtainKeys(new CloudStackClient(context, { address, port: ports.api }, access)));
  } catch (error) {
    // An account that may not read keys works in its session.
    if (error instanceof TestbedError && (error.code === "no-administrator" || error.code?.startsWith("432"))) return access;
    throw error;
  }
}

function credentialOf(context: Context, name: string): Record<string, string> | undefined {
  try {
    return context.credential(name);
  } catch {
    return undefined;
  }
}
