import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const grpc = require("@grpc/grpc-js");
const messages = require("@pulumi/pulumi/proto/provider_pb.js");
const services = require("@pulumi/pulumi/proto/provider_grpc_pb.js");
const structs = require("google-protobuf/google/protobuf/struct_pb.js");

const checkout = join(import.meta.dirname, "../..");

export type Properties = Record<string, unknown>;

/** The text of a kind's stub as the state holds it, made by Pulumi's own serialiser. */
export function providerText(kind = "test:File"): string {
  return execFileSync(process.execPath, [join(checkout, "test/fixtures/kernel-project/provider-text.ts"), kind], {
    cwd: checkout,
    encoding: "utf8",
  });
}

/** The real dynamic-provider process, driven over gRPC as the engine drives it. */
export class ProviderProcess {
  readonly process: ChildProcess;
  readonly #client: Client;

  private constructor(child: ChildProcess, port: string) {
    this.process = child;
    this.#client = new services.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  }

  static async start(folder: string): Promise<ProviderProcess> {
    const program = join(checkout, "node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js");
    const child = spawn(process.execPath, [program, "127.0.0.1:1"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    const [port] = await Promise.race([
      once(createInterface({ input: child.stdout }), "line") as Promise<[string]>,
      new Promise<never>((_, reject) => child.once("exit", (code) => reject(new Error(`the provider process ended with ${code}`)))),
    ]);
    return new ProviderProcess(child, port as string);
  }

  call(method: string, request: unknown): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const remote = this.#client[method];
      if (!remote) return reject(new Error(`no method ${method}`));
      remote.call(this.#client, request, (error, reply) => (error ? reject(error) : resolve(reply)));
    });
  }

  configure(values: Record<string, string>): Promise<Reply> {
    const request = new messages.ConfigureRequest();
    request.setArgs(structs.Struct.fromJavaScript(values));
    for (const [key, value] of Object.entries(values)) request.getVariablesMap().set(key, value);
    return this.call("configure", request);
  }

  async check(news: Properties): Promise<{ inputs: Properties; failures: { property: string; reason: string }[] }> {
    const request = new messages.CheckRequest();
    request.setOlds(structs.Struct.fromJavaScript({}));
    request.setNews(structs.Struct.fromJavaScript(news));
    const reply = await this.call("check", request);
    return {
      inputs: reply.getInputs().toJavaScript(),
      failures: reply.getFailuresList().map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() })),
    };
  }

  async create(properties: Properties): Promise<{ id: string; properties: Properties }> {
    const request = new messages.CreateRequest();
    request.setProperties(structs.Struct.fromJavaScript(properties));
    const reply = await this.call("create", request);
    return { id: reply.getId(), properties: reply.getProperties().toJavaScript() };
  }

  async update(id: string, olds: Properties, news: Properties): Promise<{ properties: Properties }> {
    const request = new messages.UpdateRequest();
    request.setId(id);
    request.setOlds(structs.Struct.fromJavaScript(olds));
    request.setNews(structs.Struct.fromJavaScript(news));
    return { properties: (await this.call("update", request)).getProperties().toJavaScript() };
  }

  async diff(olds: Properties, news: Properties): Promise<{ replaces: string[] }> {
    const request = new messages.DiffRequest();
    request.setId("id");
    request.setOlds(structs.Struct.fromJavaScript(olds));
    request.setNews(structs.Struct.fromJavaScript(news));
    return { replaces: (await this.call("diff", request)).getReplacesList() };
  }

  async read(id: string, properties: Properties): Promise<{ id: string; properties: Properties; inputs: Properties }> {
    const request = new messages.ReadRequest();
    request.setId(id);
    request.setProperties(structs.Struct.fromJavaScript(properties));
    const reply = await this.call("read", request);
    return { id: reply.getId(), properties: reply.getProperties()?.toJavaScript() ?? {}, inputs: reply.getInputs()?.toJavaScript() ?? {} };
  }

  async remove(id: string, properties: Properties): Promise<void> {
    const request = new messages.DeleteRequest();
    request.setId(id);
    request.setProperties(structs.Struct.fromJavaScript(properties));
    await this.call("delete", request);
  }

  async stop(): Promise<void> {
    // An open channel goes on looking for the process that is gone, and keeps jest alive.
    this.#client.close();
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }
}

type Client = { close(): void } & Record<string, (request: unknown, done: (error: Error | null, reply: Reply) => void) => void>;

interface Struct {
  toJavaScript(): Properties;
}
interface Reply {
  getInputs(): Struct;
  getProperties(): Struct;
  getId(): string;
  getReplacesList(): string[];
  getFailuresList(): { getProperty(): string; getReason(): string }[];
}

/** The partial state that a failed create or update carries in its error details. */
export function partialState(error: unknown): { id: string; properties: Properties; reasons: string[] } | undefined {
  const metadata = (error as { metadata?: { get(key: string): unknown[] } }).metadata;
  const details = metadata?.get("grpc-status-details-bin")[0];
  if (!(details instanceof Uint8Array)) return undefined;
  const statuses = require("@pulumi/pulumi/proto/status_pb.js");
  const status = statuses.Status.deserializeBinary(details);
  const detail = status.getDetailsList()[0];
  if (!detail) return undefined;
  const partial = messages.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
  return { id: partial.getId(), properties: partial.getProperties().toJavaScript(), reasons: partial.getReasonsList() };
}
