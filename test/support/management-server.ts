import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach } from "@jest/globals";
import { CloudStackClient, type Keys } from "../../providers/cloudstack/client.ts";
import { managementServer } from "../../providers/cloudstack/index.ts";
import type { ManagementServerInputs, ManagementServerOutputs } from "../../providers/cloudstack/management-server.ts";
import { serverStart } from "../../providers/cloudstack/startup.ts";
import { closeSharedSsh } from "../../providers/transport/ssh.ts";
import { CloudGuest } from "./cloud-guest.ts";
import { apply, type TestContext, testContext } from "./context.ts";
import { freePorts } from "./free-ports.ts";

const DRIVER = "10.91.0.1";
const relay = { host: DRIVER, port: 7901 };
const hostKey = readFileSync(join(import.meta.dirname, "../../lab/keys/driver_host_ed25519.pub"), "utf8").trim();

export type State = ManagementServerInputs & ManagementServerOutputs;

/**
 * A freshly installed management server for each test of a file, switched on. Its "machine" is the lab's driver, on whose ports a
 * forwarder does what a guest does.
 */
export class TestServer {
  guest!: CloudGuest;
  inputs!: ManagementServerInputs;
  readonly #folder = mkdtempSync(join(tmpdir(), "management-server-"));
  readonly #guests: CloudGuest[] = [];

  /** To be called once, at the top of the file. */
  static forEachTest(): TestServer {
    const server = new TestServer();
    beforeEach(() => server.#install());
    afterAll(() => server.#remove());
    return server;
  }

  async #install(): Promise<void> {
    const [api = 0, open = 0, database = 0] = await freePorts(3);
    // Two files of one process must not meet each other's clouds.
    const name = `contract-${randomUUID().slice(0, 8)}`;
    const log = join(this.#folder, `${name}.log`);
    this.guest = new CloudGuest(relay, `token-${name}`, name, { 8080: api, 8096: open, 3306: database }, log);
    this.#guests.push(this.guest);
    this.guest.on();
    const systemctl = `exec 3<>/dev/tcp/${relay.host}/${relay.port}; echo "token-${name} ${name} systemctl restart" >&3; cat <&3`;
    this.inputs = managementServer.inputs.parse({
      name,
      address: DRIVER,
      installation: "0123456789abcdef",
      release: "4.20.3.0",
      ssh: { hostKey, credential: "driver" },
      service: { restart: ["bash", "-c", systemctl], log },
      ports: { api, open, database },
      startSeconds: 30,
    }) as unknown as ManagementServerInputs;
  }

  async #remove(): Promise<void> {
    for (const guest of this.#guests) {
      await guest.fault("clear");
      await guest.off();
    }
    await closeSharedSsh();
    rmSync(this.#folder, { recursive: true });
  }

  /** One `up`. */
  apply(change: Partial<ManagementServerInputs> = {}, context?: TestContext, previous?: State) {
    return apply(managementServer, { ...this.inputs, ...change }, context, previous);
  }

  state(outputs: ManagementServerOutputs, change: Partial<ManagementServerInputs> = {}): State {
    return { ...this.inputs, ...change, ...outputs };
  }

  /** What a refresh shows. */
  async drift(previous: State): Promise<Partial<ManagementServerInputs> | undefined> {
    return (await managementServer.observe(testContext(), previous, previous))?.inputs;
  }

  openPort(): CloudStackClient {
    return new CloudStackClient(testContext(), { address: DRIVER, port: this.inputs.ports.open }, { kind: "open" });
  }

  signed({ apiKey, secretKey }: Keys): CloudStackClient {
    return new CloudStackClient(testContext(), { address: DRIVER, port: this.inputs.ports.api }, { kind: "signed", apiKey, secretKey });
  }

  async administrator(): Promise<string> {
    const [user] = await this.openPort().list<{ id: string }>("listUsers", "user", { account: "admin" });
    return user?.id ?? "";
  }

  async keys(): Promise<{ apikey?: string; secretkey?: string }> {
    const { userkeys } = await this.openPort().read("getUserKeys", { id: await this.administrator() });
    return userkeys as { apikey?: string; secretkey?: string };
  }

  async setting(name: string): Promise<string | undefined> {
    const [found] = await this.openPort().list<{ value?: string }>("listConfigurations", "configuration", { name });
    return found?.value;
  }

  start(): Promise<string> {
    return serverStart(this.openPort());
  }
}
