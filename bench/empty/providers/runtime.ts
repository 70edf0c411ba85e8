// What the kernel's stub finds in a project of empty resources: nothing is checked, nothing is done.
type Properties = Record<string, unknown>;

export async function dispatch(_kind: string, operation: string, [first, second, third]: Properties[]): Promise<unknown> {
  switch (operation) {
    case "check":
      return { inputs: second, failures: [] };
    case "diff":
      return {};
    case "create":
      return { id: String(first?.name), outs: first };
    case "update":
      return { outs: third };
    case "read":
      return { id: first, props: second };
    default:
      return undefined;
  }
}
