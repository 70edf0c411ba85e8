import type { Request } from "./command.ts";
import type { Database, Row } from "./database.ts";
import type { Reply } from "./envelope.ts";
import { type ApiFault, invalidValue } from "./errors.ts";

/** Whether an object is one that a parameter of a list asks for. */
export type Test = (row: Row, wanted: string) => boolean;

export const is =
  (field: string): Test =>
  (row, wanted) =>
    row[field] === wanted;

/** As the database compares: ignoring case. */
export const isIgnoringCase =
  (field: string): Test =>
  (row, wanted) =>
    String(row[field]).toLowerCase() === wanted.toLowerCase();

export const isTrue =
  (field: string): Test =>
  (row, wanted) =>
    (row[field] === true) === (wanted.toLowerCase() === "true");

const contains: Test = (row, wanted) => String(row.name).toLowerCase().includes(wanted.toLowerCase());

const common: Record<string, Test> = { id: is("id"), name: is("name"), keyword: contains, zoneid: is("zoneId"), podid: is("podId") };

/** Those rows that the parameters ask for; a parameter without a test is ignored, as the server does. */
export function selected({ parameters }: Request, rows: readonly Row[], tests: Record<string, Test> = {}): Row[] {
  const all = { ...common, ...tests };
  const asked = Object.entries(parameters).flatMap(([name, wanted]) => (all[name] && wanted !== "" ? [{ test: all[name], wanted }] : []));
  return rows.filter((row) => asked.every(({ test, wanted }) => test(row, wanted)));
}

/** The object of a table that a parameter names. */
export function named(request: Request, table: string, parameter = "id", noun = table): Row {
  const { database } = request.cloud;
  const row = database.find(request.parameters[parameter]);
  if (!row || !database.table(table).includes(row)) throw invalidValue(`unable to find ${noun} by id ${request.parameters[parameter]}`);
  return row;
}

/** The object that is to be deleted; the uuid of a removed one has an error of its own, which shows its database id (cloudstack-observed facts 5). */
export function removable(request: Request, table: string, gone: (databaseId: number | string) => ApiFault): Row {
  const { database } = request.cloud;
  const row = database.find(request.parameters.id);
  if (row && database.table(table).includes(row)) return row;
  throw gone(row?.databaseId ?? request.parameters.id ?? "");
}

/** An object that a running job is about names the job. */
export const inJob = ({ job }: Request, reply: Reply): Reply => ({ ...reply, jobid: job?.id, jobstatus: 0 });

export const childrenOf = (database: Database, table: string, field: string, parent: Row) =>
  database.table(table).filter((row) => row[field] === parent.id);

/** Id and name of the zone, the pod and the cluster that an object is in. */
export function place(database: Database, row: Row, ...levels: ("zone" | "pod" | "cluster")[]): Reply {
  const fields = levels.flatMap((level) => {
    const parent = database.find(row[`${level}Id`]);
    return parent ? [[`${level}id`, parent.id] as const, [`${level}name`, parent.name] as const] : [];
  });
  return Object.fromEntries(fields);
}

/** The value of a boolean parameter; whatever is not `true` is false. */
export const isSet = (value: string | undefined) => value?.toLowerCase() === "true";

/** A map parameter in the form `details[0].key=K&details[0].value=V`; undefined when the other form was used. */
export function keyedDetails(parameters: Record<string, string>): Record<string, string> | undefined {
  const details: Record<string, string> = {};
  for (const index of indices(parameters)) {
    const key = parameters[`details[${index}].key`];
    const value = parameters[`details[${index}].value`];
    if (key === undefined || value === undefined) return undefined;
    details[key] = value;
  }
  return details;
}

/** A map parameter in the form `details[0].NAME=VALUE`. */
export function namedDetails(parameters: Record<string, string>): Record<string, string> {
  const found = Object.entries(parameters).flatMap(([name, value]) => {
    const key = /^details\[\d+\]\.(.+)$/.exec(name)?.[1];
    return key ? [[key, value] as const] : [];
  });
  return Object.fromEntries(found);
}

function indices(parameters: Record<string, string>): string[] {
  const found = Object.keys(parameters).flatMap((name) => /^details\[(\d+)\]/.exec(name)?.[1] ?? []);
  return [...new Set(found)];
}

/** How error texts print an object. */
export const shownZone = ({ databaseId, name, id }: Row) => `Zone {"id": "${databaseId}", "name": "${name}", "uuid": "${id}"}`;
export const shownPod = ({ databaseId, name, id }: Row) => `HostPod {"id":${databaseId},"name":"${name}","uuid":"${id}"}`;
export const shownHost = ({ databaseId, name, type, id }: Row) =>
  `Host {"id":${databaseId},"name":"${name}","type":"${type}","uuid":"${id}"}`;
export const shownPool = ({ databaseId, name, type, id }: Row) =>
  `StoragePool {"id":${databaseId},"name":"${name}","poolType":"${type}","uuid":"${id}"}`;
export const shownPhysicalNetwork = ({ databaseId, name, id }: Row) =>
  `PhysicalNetwork {"id":${databaseId},"name":"${name}","uuid":"${id}"}`;
