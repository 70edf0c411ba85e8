import { mkdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import type { ControlReply } from "../control.ts";
import { ip, type Machine, type MachineFault, machineFaults } from "../machine.ts";
import type { Site } from "../site.ts";
import { Database } from "./database.ts";
import { ActiveFaults, countsOf, serverFaults } from "./faults.ts";
import { Guests, type MakeMachine } from "./guests.ts";
import { seedPool } from "./seed.ts";
import { type Account, Api, changes } from "./toolstack.ts";
import { serve } from "./wire.ts";

/** The lab's account of the XenServer, public by design. */
export const xenAccount: Account = { user: "root", password: "lab-xenserver" };

const PORT = 443;

/** The XenServer pool of the lab: one API, at the address of each of its hosts. */
export class XenServer {
  readonly #site: Site;
  readonly #keys: string;
  readonly #faults = new ActiveFaults();
  readonly #database: Database;
  readonly #guests: Guests;
  readonly #api: Api;
  readonly #listeners = new Map<string, Server>();

  constructor(site: Site, folders: { data: string; checkout: string }, make: MakeMachine) {
    const folder = join(folders.data, "xapi");
    mkdirSync(folder, { recursive: true });
    this.#site = site;
    this.#keys = join(folders.checkout, "lab/keys");
    this.#database = new Database(join(folder, "database.json"), (database) => seedPool(database, site.xenServers));
    this.#guests = new Guests(() => this.#database, folder, make, new Set(site.machines.map((one) => one.name)));
    this.#api = new Api({ database: this.#database, guests: this.#guests, sabotage: this.#faults }, xenAccount);
  }

  async listen(): Promise<void> {
    for (const { name, address } of this.#site.xenServers) {
      ip("addr", "replace", `${address}/32`, "dev", "br0");
      await this.#open(name, address);
    }
  }

  /** The machines of VMs that ran when the lab was stopped. */
  resumable(): Machine[] {
    return this.#guests.resumable();
  }

  status() {
    const vms = this.#database.all("VM").filter((vm) => !vm.fields.is_a_template && !vm.fields.is_control_domain);
    const virtualMachines = vms.map(({ fields }) => {
      const machine = this.#guests.machine(fields.name_label);
      const faults = countsOf(this.#guests.faultsOf(fields.name_label));
      return { name: fields.name_label, power: fields.power_state, runs: machine?.runs() ?? "", installed: machine?.installed(), faults };
    });
    return { faults: this.#faults.list(), virtualMachines };
  }

  /** `fault SERVER KIND [COUNT]` and `power VM on|off`; undefined when the name is none of the pool's. */
  async command([verb, name = "", kind = "", count]: readonly string[]): Promise<ControlReply | undefined> {
    if (verb === "fault" && this.#site.xenServers.some((one) => one.name === name)) return this.#fault(kind, count);
    const vm = this.#vm(name);
    if (verb !== "power" || !vm) return undefined;
    await (kind === "off" ? this.#guests.stop(vm) : this.#guests.start(vm));
    return { ok: true, value: kind };
  }

  /** Whether a VM has the name, or the site has a machine of it that is to be one. */
  hasVm(name: string): boolean {
    return this.#vm(name) !== undefined || this.#site.virtualMachines.includes(name);
  }

  /** Lets a VM do wrong, or ends that by `clear`. @returns false when VMs have no such fault */
  async setVmFault(name: string, kind: string, count?: string): Promise<boolean> {
    const faults = this.#guests.faultsOf(name);
    if (kind === "clear") faults.clear();
    else if (kind === "deleted") await this.#deleteByHand(name);
    else if (kind in machineFaults) faults.set(kind as MachineFault, Number(count ?? Number.POSITIVE_INFINITY));
    else return false;
    return true;
  }

  #vm(name: string) {
    return this.#database.all("VM").find((one) => one.fields.name_label === name && !one.fields.is_a_template);
  }

  async #fault(kind: string, count?: string): Promise<ControlReply> {
    const reopens = ["wrong-certificate", "down"].some((one) => one === kind || this.#faults.active(one));
    if (kind === "clear") this.#faults.clear();
    else if (kind === "session-expires") this.#api.dropSessions();
    else if (kind in serverFaults || /^answers-[A-Z0-9_]+$/.test(kind)) this.#faults.set(kind, Number(count ?? Number.POSITIVE_INFINITY));
    else return { ok: false, error: `no fault ${kind}; faults are ${[...Object.keys(serverFaults), "clear"].join(", ")}` };
    // Clients keep connections: what shows at their opening has to end them.
    if (reopens) for (const { name, address } of this.#site.xenServers) await this.#open(name, address);
    return { ok: true, value: kind === "clear" ? "no fault" : kind };
  }

  async #deleteByHand(name: string): Promise<void> {
    const call = async (method: string, ...params: unknown[]) => this.#api.run({ method, params }, undefined);
    const session = await call("session.login_with_password", xenAccount.user, xenAccount.password);
    for (const vm of this.#database.all("VM").filter((one) => one.fields.name_label === name)) {
      if (vm.fields.power_state !== "Halted") await call("VM.hard_shutdown", session, vm.ref);
      await call("VM.destroy", session, vm.ref);
    }
    await call("session.logout", session);
  }

  #coordinator(): string {
    const [first, second] = this.#site.xenServers;
    return (this.#faults.active("slave") ? second : first)?.address ?? "";
  }

  /** Opens a host's port, or opens it anew; closed while the server is down. */
  async #open(name: string, address: string): Promise<void> {
    const old = this.#listeners.get(name);
    if (old) {
      const closed = new Promise((resolve) => old.close(resolve));
      old.closeAllConnections();
      await closed;
      this.#listeners.delete(name);
    }
    if (this.#faults.active("down")) return;
    const others = this.#site.xenServers.filter((one) => one.name !== name);
    const shown = this.#faults.active("wrong-certificate") ? (others[0]?.name ?? name) : name;
    const pem = (kind: string) => readFileSync(join(this.#keys, `${shown}.${kind}.pem`));
    const server = createServer({ key: pem("key"), cert: pem("cert"), keepAliveTimeout: 60_000 }, (request, response) => {
      const done = serve(request, response, async (call) => {
        const sabotaged = changes(call.method);
        if (sabotaged && this.#faults.take("http-500")) {
          response.writeHead(500, { "Content-Type": "text/html" }).end("the lab was told so");
          return "";
        }
        const coordinator = this.#coordinator();
        const result = await this.#api.run(call, coordinator === address ? undefined : coordinator);
        if (sabotaged && this.#faults.take("connection-cut")) request.socket.destroy();
        return result;
      });
      done.catch((error: unknown) => process.stderr.write(`xapi: ${String(error)}\n`));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(PORT, address, resolve);
    });
    this.#listeners.set(name, server);
  }
}
