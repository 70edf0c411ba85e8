import { parse } from "yaml";

/** What the last run's report says, as far as it decides anything. */
export interface RunReport {
  status: "changed" | "unchanged" | "failed";
  time: string;
  failed: FailedResource[];
  changed: number;
  skipped: number;
}

export interface FailedResource {
  /** `Package[cloudstack-agent]` */
  resource: string;
  /** Why, in the provider's own words; empty where the report does not say. */
  message: string;
  /** Manifest and line; empty where unknown. */
  place: string;
}

interface Status {
  failed?: boolean;
  failed_to_restart?: boolean;
  changed?: boolean;
  skipped?: boolean;
  file?: string | null;
  line?: number | null;
  events?: { status?: string; message?: string }[];
}

/**
 * Reads a last_run_report.yaml of any release from 2.7 on. Its tags are Ruby classes (`!ruby/object:Puppet::…`), which mean nothing here.
 * @returns undefined when the text is not a report
 */
export function parseReport(text: string): RunReport | undefined {
  let document: unknown;
  try {
    document = parse(text, { logLevel: "error", strict: false, maxAliasCount: -1 });
  } catch {
    return undefined; // cut in the middle, or something else altogether; `silent` would return what it could make of it
  }
  if (document === null || typeof document !== "object") return undefined;
  const { status, time, resource_statuses: statuses } = document as Record<string, unknown>;
  if (status !== "changed" && status !== "unchanged" && status !== "failed") return undefined;
  const all = Object.entries((statuses ?? {}) as Record<string, Status>);
  return {
    status,
    time: String(time ?? ""),
    failed: all.filter(([, one]) => one.failed === true || one.failed_to_restart === true).map(([name, one]) => failedResource(name, one)),
    changed: all.filter(([, one]) => one.changed === true).length,
    skipped: all.filter(([, one]) => one.skipped === true).length,
  };
}

function failedResource(resource: string, status: Status): FailedResource {
  const messages = (status.events ?? []).filter((event) => event.status === "failure").map((event) => String(event.message ?? ""));
  const place = status.file ? `${status.file}${status.line ? `:${status.line}` : ""}` : "";
  return { resource, message: messages.join("; "), place };
}
