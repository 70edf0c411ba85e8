import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { commandOf, processTree } from "./processes.ts";

/** Texts to look for, by the name of the secret. */
export type Needles = ReadonlyMap<string, readonly string[]>;

/** A secret where it must not be. */
export interface Found {
  secret: string;
  where: string;
}

/** Time between two looks at the processes. */
const EVERY_MILLISECONDS = 200;

/** Every field of every credential but the user's name. Of a key its lines are looked for, since a sink may wrap or indent them. */
export function needlesOf(credentials: Record<string, Record<string, string>>): Needles {
  const all = Object.entries(credentials).flatMap(([name, { user: _, ...fields }]) =>
    Object.entries(fields).map(([field, value]) => [`${name}.${field}`, partsOf(value)] as const),
  );
  return new Map(all);
}

/** A key begins with the same two lines as every key of its kind. */
function partsOf(value: string): string[] {
  const lines = value
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("-----"));
  return lines.length > 1 ? lines.slice(2) : [value];
}

/** The names of the secrets that a text holds. */
export function secretsIn(text: string, needles: Needles): string[] {
  return [...needles].filter(([, parts]) => parts.some((part) => text.includes(part))).map(([name]) => name);
}

/** Every file below a folder that holds a secret. */
export function secretsBelow(folder: string, needles: Needles): Found[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const file = join(entry.parentPath, entry.name);
      return secretsIn(readFileSync(file, "latin1"), needles).map((secret) => ({ secret, where: file }));
    });
}

/** Looks at arguments and environment of processes and all below them, while something else goes on. */
export class SecretWatch {
  readonly #ancestors: readonly number[];
  /** What was seen, by process and program: a secret may become known only later. */
  readonly #seen = new Map<string, { program: string; arguments: string; environment: string }>();
  readonly #timer: NodeJS.Timeout;

  constructor(...ancestors: number[]) {
    this.#ancestors = ancestors;
    this.look();
    this.#timer = setInterval(() => this.look(), EVERY_MILLISECONDS);
    this.#timer.unref();
  }

  /** Once more, now. */
  look(): void {
    for (const { pid, command } of processTree(...this.#ancestors)) {
      const known = `${pid} ${command}`;
      if (this.#seen.has(known)) continue;
      const environment = environmentOf(pid, command);
      if (environment === undefined) continue;
      const program = command.split(" ").slice(0, 2).join(" ");
      this.#seen.set(known, { program, arguments: command, environment });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The first words of what was looked at. */
  get programs(): string[] {
    return [...this.#seen.values()].map((one) => one.program);
  }

  /** Each secret, and the program whose arguments or environment held it. */
  found(needles: Needles): Found[] {
    const all = [...this.#seen.values()].flatMap((one) => [
      ...secretsIn(one.arguments, needles).map((secret) => ({ secret, where: `arguments of ${one.program}` })),
      ...secretsIn(one.environment, needles).map((secret) => ({ secret, where: `environment of ${one.program}` })),
    ]);
    return [...new Map(all.map((one) => [`${one.secret} ${one.where}`, one])).values()];
  }
}

/** Empty for a process that has ended meanwhile; undefined for one that has become another program, whose environment it would be. */
function environmentOf(pid: number, command: string): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
    return commandOf(pid) === command ? environment : undefined;
  } catch {
    return "";
  }
}
