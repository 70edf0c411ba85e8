import { type Context, errorText, type Probe, TestbedError, waitFor } from "../kernel/index.ts";
import { type Access, CloudStackClient } from "./client.ts";
import { databaseGreeting, lastLogLines, type Machine, probeSsh } from "./service.ts";

/** A management server whose services are waited for. */
export interface Server extends Machine {
  ports: { api: number; open: number; database: number };
  startSeconds: number;
}

/** Between two looks at a service that starts; it takes half a minute and more. */
const LOOK_SECONDS = 1;

/** One start of a management server: all its waits together have one limit. */
export class Startup {
  readonly #context: Context;
  readonly #server: Server;
  readonly #began = performance.now();

  constructor(context: Context, server: Server) {
    this.#context = context;
    this.#server = server;
  }

  ssh(): Promise<string> {
    return this.#answer("SSH (port 22) to answer", "port 22", async () => {
      await probeSsh(this.#context, this.#server);
      return "answers";
    });
  }

  database(): Promise<string> {
    const port = this.#server.ports.database;
    return this.#answer(`the database (port ${port}) to greet`, `port ${port}`, () => databaseGreeting(this.#server.address, port));
  }

  /**
   * Waits until the API itself answers there, not only its port, and gives the release that it names.
   * @param restartedSince the start that must be over: a server that stops goes on answering for seconds (cloudstack-observed, start and stop)
   */
  api(port: number, access: Access, restartedSince?: string): Promise<string> {
    const client = new CloudStackClient(this.#context, { address: this.#server.address, port }, access);
    return this.#answer(`the API (port ${port}) to answer`, `port ${port}`, async () => {
      const { capability } = await client.once("listCapabilities");
      if (restartedSince && (await serverStart(client)) === restartedSince)
        throw new TestbedError({
          system: client.system,
          object: "server",
          kind: "unreachable",
          message: "still the server that is to stop",
        });
      return String((capability as { cloudstackversion?: string }).cloudstackversion);
    });
  }

  /** Only what is not there yet is waited for; every other refusal is one at once. */
  async #answer(what: string, object: string, ask: () => Promise<string>): Promise<string> {
    const system = `management server ${this.#server.address}`;
    const left = this.#server.startSeconds - (performance.now() - this.#began) / 1000;
    const options = { timeoutSeconds: Math.max(left, LOOK_SECONDS), everySeconds: LOOK_SECONDS, object, system };
    this.#context.phase(`waiting for ${what}`);
    try {
      return await waitFor(what, this.#context, options, async (): Promise<Probe<string>> => {
        try {
          return { done: await ask() };
        } catch (error) {
          if (error instanceof TestbedError && (error.kind === "unreachable" || error.kind === "timeout"))
            return { seen: errorText(error) };
          throw error;
        }
      });
    } catch (error) {
      if (!(error instanceof TestbedError) || error.kind !== "timeout") throw error;
      throw new TestbedError({
        system,
        object,
        kind: "timeout",
        code: "not-up",
        // The error's text begins with the same object and system.
        message: `${error.message.slice(`${object} on ${system}: `.length)}; ${await lastLogLines(this.#context, this.#server)}`,
        remedy: "see the log on the machine; if it only needs longer, raise limits.startSeconds in the inventory",
        cause: error,
      });
    }
  }
}

/** When the server started, by its own account; empty where the release does not tell. */
export async function serverStart(client: CloudStackClient): Promise<string> {
  const servers = (await client.once("listManagementServers")).managementserver as { lastserverstart?: string }[] | undefined;
  return (servers ?? []).flatMap((one) => one.lastserverstart ?? []).join(" ");
}
