import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { answerClientPort } from "./client-port.ts";
import { type Clock, ScaledClock } from "./clock.ts";
import { Cloud } from "./cloud.ts";
import { Database, timeText } from "./database.ts";
import { answerDatabasePort } from "./database-port.ts";
import { type ActiveFaults, faultOfPort, take } from "./faults.ts";
import { HEADER_BYTES, unavailable } from "./http.ts";
import { answerOpenPort } from "./open-port.ts";
import { startServices } from "./services.ts";
import { Sessions } from "./sessions.ts";

/** Seconds of a start and a stop. The recorded server took 27, 1.5 and 2.3. */
export interface Pace {
  /** From the start to port 8096. */
  start: number;
  /** From port 8096 to port 8080, which is usable at once. */
  between: number;
  /** How long port 8096 goes on answering after port 8080 was closed. */
  stop: number;
  /** Of everything that the running server does. */
  clock?: Clock;
}

/** A machine that was switched off hard says no goodbye. */
const KEEP_ALIVE_SECONDS = 5;

/** One life of the server process. */
interface Life {
  cloud: Cloud;
  ports: Map<number, Server>;
  /** It will never listen (`cloud-never-up`). */
  stuck: boolean;
}

/** One installed management server: what its machine would have on its disk, and the process that runs there. */
export class Installation {
  readonly faults: ActiveFaults;
  readonly #database: Database;
  readonly #pace: Pace;
  readonly #sockets = new Map<number, Set<Socket>>();
  readonly #listening = new Set<number>();
  #machine: Socket | undefined;
  #life: Life | undefined;
  /** Ends the start or stop that runs. */
  #course = new AbortController();

  constructor(file: string, pace: Pace, faults: ActiveFaults) {
    this.#database = new Database(file);
    this.#pace = pace;
    this.faults = faults;
  }

  /**
   * The machine runs, as long as this connection lives: it is told which ports to listen on and what the service logs. A second one is
   * the machine after a reset that left the first one half open.
   */
  attach(machine: Socket): void {
    this.#detach();
    this.#machine = machine;
    machine.setKeepAlive(true, KEEP_ALIVE_SECONDS * 1000);
    machine.once("close", () => this.#machine === machine && this.#detach());
    this.#listen(3306);
    this.start();
  }

  #detach(): void {
    this.#course.abort();
    for (const port of [...this.#listening]) this.#close(port);
    this.#life?.cloud.end();
    this.#life = undefined;
    this.#machine?.destroy();
    this.#machine = undefined;
  }

  /** As `systemctl start`: returns when the process is there, long before it answers. */
  start(): void {
    if (this.#life || !this.#machine) return;
    const life: Life = {
      cloud: new Cloud(this.#database, this.#pace.clock ?? new ScaledClock()),
      ports: new Map(),
      stuck: this.faults.has("cloud-never-up"),
    };
    this.#life = life;
    this.#course.abort();
    this.#course = new AbortController();
    this.#run(this.#course.signal, async (signal) => {
      this.#log("INFO", "o.a.c.s.m.m.i.DefaultModuleDefinitionSet", "Starting CloudStack");
      if (life.stuck) return this.#log("ERROR", "c.c.u.d.TransactionLegacy", "Unable to get a connection to the database cloud");
      await pause(this.#pace.start * 1000, undefined, { signal });
      const sessions = new Sessions(life.cloud);
      startServices(life.cloud);
      this.#serve(life, 8096, (request, response) => answerOpenPort(life.cloud, request, response));
      await pause(this.#pace.between * 1000, undefined, { signal });
      this.#serve(life, 8080, (request, response) => answerClientPort({ cloud: life.cloud, sessions, request, response }));
      this.#log("INFO", "o.a.c.ServerDaemon", "Started CloudStack Management Server");
    });
  }

  /** As `systemctl stop`: returns when the process is gone. */
  async stop(): Promise<void> {
    if (!this.#life) return;
    this.#course.abort();
    this.#course = new AbortController();
    const { signal } = this.#course;
    this.#log("INFO", "o.a.c.ServerDaemon", "Stopping CloudStack Management Server");
    this.#close(8080);
    await this.#run(signal, () => pause(this.#pace.stop * 1000, undefined, { signal }));
    if (signal.aborted) return;
    this.#close(8096);
    this.#database.lastStop = timeText();
    this.#life.cloud.end();
    this.#database.save();
    this.#life = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    this.start();
  }

  get active(): boolean {
    return this.#life !== undefined;
  }

  /** Applies what was told about faults meanwhile. */
  async refresh(): Promise<void> {
    for (const [port, fault] of Object.entries(faultOfPort)) {
      if (this.faults.has(fault)) this.#close(Number(port));
      else if (port === "3306" ? this.#machine : this.#life?.ports.has(Number(port))) this.#listen(Number(port));
    }
    if (this.#life?.stuck && !this.faults.has("cloud-never-up")) await this.restart();
  }

  /** A client of the machine's port; one that came too late is cut off. */
  connect(port: number, socket: Socket): void {
    if (!this.#listening.has(port)) return void socket.destroy();
    const sockets = this.#sockets.get(port) ?? new Set();
    this.#sockets.set(port, sockets.add(socket));
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    if (port === 3306) answerDatabasePort(socket);
    else this.#life?.ports.get(port)?.emit("connection", socket);
  }

  #serve(life: Life, port: number, answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>): void {
    const server = createServer({ maxHeaderSize: HEADER_BYTES }, async (request, response) => {
      if (take(this.faults, "cloud-5xx")) return unavailable(response);
      if (take(this.faults, "cloud-restarts")) {
        request.socket.destroy();
        return this.restart();
      }
      try {
        await answer(request, response);
      } catch (error) {
        process.stderr.write(`${request.method} ${request.url?.split("?")[0]}: ${error instanceof Error ? error.stack : error}\n`);
        response.writeHead(500).end();
      }
    });
    life.ports.set(port, server);
    this.#listen(port);
  }

  #listen(port: number): void {
    const fault = faultOfPort[port];
    if (this.#listening.has(port) || (fault && this.faults.has(fault))) return;
    this.#listening.add(port);
    this.#tell(`open ${port}`);
  }

  #close(port: number): void {
    if (!this.#listening.delete(port)) return;
    this.#tell(`close ${port}`);
    for (const socket of this.#sockets.get(port) ?? []) socket.resetAndDestroy();
  }

  #log(level: string, source: string, text: string): void {
    const time = new Date().toISOString().replace("T", " ").replace(".", ",").replace("Z", "");
    this.#tell(`log ${time} ${level} [${source}] (main:[]) (logid:) ${text}`);
  }

  #tell(line: string): void {
    this.#machine?.write(`${line}\n`);
  }

  /** A start or stop that is overtaken by another one just ends. */
  async #run(signal: AbortSignal, course: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await course(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
