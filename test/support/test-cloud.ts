import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import { ScaledClock } from "../../lab/cloudstack/clock.ts";
import { Relay } from "../../lab/cloudstack/relay.ts";
import { CloudStackClient } from "../../providers/cloudstack/client.ts";
import { type CloudServer, serverSchema } from "../../providers/cloudstack/inputs.ts";
import type { Definition } from "../../providers/kernel/index.ts";
import { CloudGuest } from "./cloud-guest.ts";
import { CloudProxy } from "./cloud-proxy.ts";
import { apply, labCredentials, ours, type TestContext, testContext } from "./context.ts";
import { freePorts } from "./free-ports.ts";

/** A freshly installed management server for the tests of a file, in this process, with short delays; its port 8080 is behind a proxy. */
export class TestCloud {
  server!: CloudServer;
  proxy!: CloudProxy;
  guest!: CloudGuest;
  readonly #folder = mkdtempSync(join(tmpdir(), "test-cloud-"));
  readonly #delays: number;
  #relay: Server | undefined;
  #open = 0;

  /** @param delays factor of the server's delays */
  constructor(delays: number) {
    this.#delays = delays;
  }

  /** To be called once, at the top of the file. */
  static forFile(delays = 0.02): TestCloud {
    const cloud = new TestCloud(delays);
    beforeAll(() => cloud.start());
    beforeEach(() => cloud.proxy.clear());
    afterAll(() => cloud.stop());
    return cloud;
  }

  async start(): Promise<void> {
    const pace = { start: 0.02, between: 0.02, stop: 0.02, clock: new ScaledClock(this.#delays) };
    this.#relay = await new Relay(this.#folder, pace).listen("127.0.0.1", 0);
    const [api = 0, open = 0, database = 0] = await freePorts(3);
    const place = { host: "127.0.0.1", port: (this.#relay.address() as AddressInfo).port };
    const name = `cloud-${randomUUID().slice(0, 8)}`;
    this.guest = new CloudGuest(place, `token-${name}`, name, { 8080: api, 8096: open, 3306: database });
    this.guest.on();
    await this.guest.until(8080, "open");
    this.proxy = new CloudProxy(api);
    this.#open = open;
    this.server = serverSchema.parse({ address: "127.0.0.1", ports: { api: await this.proxy.listen(), open } });
  }

  async stop(): Promise<void> {
    await this.proxy.close();
    await this.guest.off();
    await new Promise((resolve) => this.#relay?.close(resolve));
    rmSync(this.#folder, { recursive: true });
  }

  /** A client beside the one under test, past the proxy. */
  get client(): CloudStackClient {
    return new CloudStackClient(testContext(), { address: "127.0.0.1", port: this.#open }, { kind: "open" });
  }

  /** Creates or updates, and gives the state. */
  async up<I extends object, O extends object>(
    definition: Definition<I, O>,
    given: Partial<I>,
    previous?: I & O,
    context: TestContext = testContext(),
  ): Promise<I & O> {
    const all = { server: this.server, ...given } as Partial<I>;
    const { outputs } = await apply(definition, all, context, previous);
    return { ...(definition.inputs.parse(all) as I), ...outputs };
  }

  /** What a refresh shows: the inputs as the server has them; undefined when the object is gone. */
  async refresh<I extends object, O extends object>(definition: Definition<I, O>, state: I & O): Promise<Partial<I> | undefined> {
    const context = { ...testContext(), operation: "read" as const };
    return (await definition.observe(context, state, state))?.inputs;
  }

  /** Deletes, and gives what was shown meanwhile. */
  async down<I extends object, O extends object>(definition: Definition<I, O>, state: I & O, context = testContext()): Promise<string[]> {
    await definition.remove({ ...context, operation: "delete" }, state);
    return context.phases;
  }

  /** Lets a host be seen in state Alert from now on. */
  alert(id: string): void {
    this.seenAs("listHosts", "host", id, { state: "Alert" });
  }

  /** Lets fields of an object of a list be seen otherwise. */
  seenAs(command: string, key: string, id: string, fields: Record<string, unknown>): void {
    this.proxy.rewrite(command, (text) => {
      const reply = JSON.parse(text) as Record<string, Record<string, { id: string }[]>>;
      for (const row of Object.values(reply)[0]?.[key] ?? []) if (row.id === id) Object.assign(row, fields);
      return JSON.stringify(reply);
    });
  }

  async zoneId(name: string): Promise<string> {
    const zones = await this.client.list<{ id: string; name: string }>("listZones", "zone");
    return zones.find((one) => one.name === name)?.id ?? "";
  }

  contextWith(credentials: Record<string, Record<string, string>>): TestContext {
    return testContext(ours, { ...labCredentials, ...credentials });
  }
}
