import type { ManualClock } from "./cloud-clock.ts";
import { difference, Ids, inOrderOf, type Recorded } from "./cloud-recording.ts";
import { type HttpAnswer, type HttpCall, send } from "./cloud-request.ts";
import { javaEncode, type Keys, type Pair, signFor } from "./cloud-signing.ts";
import { waitUntil } from "./wait-until.ts";

interface Session {
  jsessionid: string;
  sessionkey: string;
}

const MINUTES_10 = 600_000;
const STEP_SECONDS = 0.5;
const LEAST_WAIT_SECONDS = 5;
const WAIT_SECONDS = 60;
/** Real time in which a call is answered that waits for nothing. */
const ANSWER_MILLISECONDS = 150;

/** A call that the server holds back is answered when its time has come. */
async function sendByClock(call: HttpCall, clock: ManualClock): Promise<HttpAnswer> {
  const answer = send(call);
  for (;;) {
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, ANSWER_MILLISECONDS, undefined));
    const done = await Promise.race([answer, late]);
    if (done) return done;
    await clock.advance(STEP_SECONDS);
  }
}

/** Which cookies the recorder sent, and which session key, by its label: the recordings mask both. */
function cookiesSent(label: string): { js: boolean; ks: boolean } {
  const matrix = /^cookies (both|js|ks|none), /.exec(label)?.[1];
  if (matrix) return { js: matrix === "both" || matrix === "js", ks: matrix === "both" || matrix === "ks" };
  const onlyFirst = label.startsWith("session cookie JSESSIONID + sessionkey") || label.startsWith("JSESSIONID only");
  return { js: true, ks: !onlyFirst };
}

/** Replays recorded calls against the emulator, as the client that they were made by. */
export class Replay {
  readonly #ports: Record<number, number>;
  /** By the recorder's mask. */
  readonly #keys = new Map<string, Keys>();
  #oldKeys: Keys | undefined;
  #session: Session = { jsessionid: "", sessionkey: "" };

  readonly #clock: ManualClock | undefined;
  #ids = new Ids();

  /** With a clock the server's time goes on only as far as a recorded reply needs it to. */
  constructor(ports: Record<number, number>, clock?: ManualClock) {
    this.#ports = ports;
    this.#clock = clock;
  }

  get ids(): Ids {
    return this.#ids;
  }

  setKeys(mask: string, keys: Keys): void {
    this.#keys.set(mask, keys);
  }

  /** What differs from the recording, or undefined. */
  async run(recorded: Recorded): Promise<string | undefined> {
    const call = this.#call(recorded);
    if (this.#clock) return this.#runByClock(recorded, call, this.#clock);
    let answer = await send(call);
    const done = jobStatus(recorded.body) ?? 0;
    // A job takes the time that it takes: what was seen running, and then at its end, is what counts.
    if (done !== 0) await waitUntil("the job's end", async () => jobStatus(parse((answer = await send(call)).text)) !== 0);
    return this.#judge(recorded, answer);
  }

  /**
   * When things happen is not compared, but in which order: a reply that shows what has not happened yet is asked for again while the
   * server's time goes on, up to a minute beyond the time of the recording.
   */
  async #runByClock(recorded: Recorded, call: HttpCall, clock: ManualClock): Promise<string | undefined> {
    const before = this.#ids;
    let found = this.#judge(recorded, await sendByClock(call, clock));
    if (!found || !/^(list|query)/.test(String(recorded.params.command))) return found;
    const end = Math.max(clock.now + LEAST_WAIT_SECONDS, this.#began + recorded.t + WAIT_SECONDS);
    while (found && clock.now < end) {
      this.#ids = before;
      await clock.advance(STEP_SECONDS);
      found = this.#judge(recorded, await sendByClock(call, clock));
    }
    return found;
  }

  /** From here on the recorded times count. */
  begin(): void {
    this.#began = this.#clock?.now ?? 0;
  }

  #began = 0;

  #judge(recorded: Recorded, given: HttpAnswer): string | undefined {
    this.#ids = this.#ids.copy();
    const body = parse(given.text);
    const answer = body === undefined ? given : { ...given, text: JSON.stringify(inOrderOf(recorded.body, body, this.#ids)) };
    this.#learn(recorded, answer);
    return compare(recorded, answer, this.#ids);
  }

  #call(recorded: Recorded): HttpCall {
    const pairs = this.#pairs(recorded);
    const encode = (some: readonly Pair[]) => some.map(([name, value]) => `${name}=${javaEncode(value)}`).join("&");
    const json = pairs.find(([name]) => name === "json body");
    const path = recorded.path?.split("?")[0] ?? (recorded.port === 8096 ? "/" : "/client/api");
    const base = { port: this.#ports[recorded.port] ?? 0, method: recorded.method, ...this.#cookie(recorded) };
    const type =
      /\((.*)\)/.exec(recorded.sent_as ?? "")?.[1] ?? (recorded.label === undefined && recorded.method === "POST" ? FORM : undefined);
    if (!type) return { ...base, path: pairs.length > 0 ? `${path}?${encode(pairs)}` : path };
    if (json) return { ...base, path, body: { type, text: json[1] } };
    const half = recorded.label?.includes("half in query") === true;
    const inQuery = pairs.filter(([name]) => half && (name === "apiKey" || name === "signature"));
    const inBody = pairs.filter((pair) => !inQuery.includes(pair));
    return { ...base, path: inQuery.length > 0 ? `${path}?${encode(inQuery)}` : path, body: { type, text: encode(inBody) } };
  }

  #pairs(recorded: Recorded): Pair[] {
    const label = recorded.label ?? "";
    const params = "body" in recorded.params ? splitHalves(recorded.params as Record<string, string>) : recorded.params;
    const keys = this.#keysFor(label, String(params.apiKey ?? params.apikey ?? ""));
    const pairs = Object.entries(params).flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one): Pair => [name, this.#value(name, one, label, keys)]),
    );
    return pairs.map(([name, value]): Pair => {
      if (name !== "signature") return [name, value];
      return [
        name,
        signFor(
          label,
          pairs.filter(([other]) => other !== "signature"),
          keys?.secretKey ?? "nobody",
        ),
      ];
    });
  }

  #value(name: string, recorded: string, label: string, keys: Keys | undefined): string {
    if (recorded === "<bad api key>") return "never-issued";
    if (name.toLowerCase() === "apikey" || name === "userapikey") return keys?.apiKey ?? this.#keys.get(recorded)?.apiKey ?? recorded;
    if (name === "sessionkey") return /wrong sessionkey|parameter wrong/.test(label) ? "wrong" : this.#session.sessionkey;
    if (name === "password" && recorded === "<password>") return "wrong";
    if (name === "expires") return expiresFor(label, recorded);
    return this.ids.translate(recorded);
  }

  /** Every key of the recording is masked as the administrator's; the labels tell whose it was. */
  #keysFor(label: string, mask: string): Keys | undefined {
    if (mask === "") return undefined;
    if (mask === "<bad api key>") {
      const { secretKey = "" } = this.#keys.get("<admin api key>") ?? {};
      return { apiKey: "never-issued", secretKey };
    }
    if (label.startsWith("old keys")) return this.#oldKeys;
    return this.#keys.get(/(plain|disabled|deleted) user/.test(label) ? "<plain user api key>" : "<admin api key>");
  }

  #cookie(recorded: Recorded): { cookie?: string } {
    if (recorded.cookie === undefined) return {};
    const { js, ks } = cookiesSent(recorded.label ?? "");
    const { jsessionid, sessionkey } = this.#session;
    return { cookie: [...(js ? [`JSESSIONID=${jsessionid}`] : []), ...(ks ? [`sessionkey=${sessionkey}`] : [])].join("; ") };
  }

  #learn(recorded: Recorded, answer: HttpAnswer): void {
    const body = parse(answer.text);
    this.ids.learn(recorded.body, body);
    const inner = Object.values((body ?? {}) as object)[0] as
      | { userkeys?: { apikey: string; secretkey: string }; sessionkey?: string }
      | undefined;
    if (recorded.params.command === "registerUserKeys" && inner?.userkeys) {
      const mask = recorded.label === "keys of the plain user" ? "<plain user api key>" : "<admin api key>";
      if (mask === "<admin api key>") this.#oldKeys = this.#keys.get(mask);
      this.#keys.set(mask, { apiKey: inner.userkeys.apikey, secretKey: inner.userkeys.secretkey });
    }
    const jsessionid = /JSESSIONID=([^;]+)/.exec(answer.cookies.join(";"))?.[1];
    const sessionkey = /sessionkey=([^;]+)/.exec(answer.cookies.join(";"))?.[1];
    if (recorded.params.command === "login" && jsessionid && sessionkey) this.#session = { jsessionid, sessionkey };
  }
}

const FORM = "application/x-www-form-urlencoded";

function splitHalves({ body = "", query = "" }: Record<string, string>): Record<string, string> {
  return Object.fromEntries(`${body}&${query}`.split("&").map((one) => one.split(/=(.*)/s).slice(0, 2) as Pair));
}

function expiresFor(label: string, recorded: string): string {
  if (!/^\d{4}-/.test(recorded)) return recorded;
  const expired = /expired/.test(label);
  const time = new Date(Date.now() + (expired ? -MINUTES_10 : MINUTES_10)).toISOString().replace(/\.\d+Z$/, "");
  return `${time}${recorded.endsWith("Z") ? "Z" : "+0000"}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // XML, HTML or nothing
  }
}

function jobStatus(body: unknown): number | undefined {
  return (body as { queryasyncjobresultresponse?: { jobstatus?: number } } | undefined)?.queryasyncjobresultresponse?.jobstatus;
}

const oneBlank = (cookie: string) => cookie.replaceAll(/;\s+/g, "; ");
/** The recorder's way of writing a cookie down: name and attributes, without its value. */
const cookieShape = (cookie: string) => oneBlank(cookie.replace(/=[^;]*/, ""));

function compare(recorded: Recorded, answer: HttpAnswer, ids: Ids): string | undefined {
  if (recorded.status !== answer.status) return `status: expected ${recorded.status}, got ${answer.status} (${answer.text.slice(0, 300)})`;
  if (recorded.status === null) return undefined;
  // Some recordings kept no headers.
  if (!recorded.headers) return difference(recorded.body, parse(answer.text), ids);
  const { headers } = recorded;
  const kept = {
    contentType: headers["Content-Type"],
    description: headers["X-Description"],
    cookies: ((headers["Set-Cookie names"] ?? []) as string[]).map(oneBlank),
  };
  const cookies = headers["Set-Cookie"] === undefined ? answer.cookies.map(cookieShape) : [];
  const seen = { contentType: answer.contentType, description: answer.description, cookies };
  const raw = (recorded.body as { raw_text?: string }).raw_text;
  // Of the user interface's page some recordings hold the beginning only.
  const text = raw?.startsWith("<!--") ? answer.text.slice(0, raw.length) : answer.text;
  const body = raw === undefined ? parse(answer.text) : { raw_text: text };
  return difference(kept, seen, ids, "headers") ?? difference(recorded.body, body, ids);
}
