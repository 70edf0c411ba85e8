import { invalidValue } from "./errors.ts";

export type VlanRange = [first: number, last: number];

/** The ranges of a text such as `100-200,300-310`, in order, those that touch made one. */
export function checkedVlans(text: string): VlanRange[] {
  const ranges = text.split(",").map((part): VlanRange => {
    const found = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(part);
    if (!found)
      throw invalidValue(
        "Please provide valid vnet range. vnet range should be a comma separated list of vlan ranges. " +
          "example 500-500,600-601 between 0 and 4095",
      );
    const [first, last] = [Number(found[1]), Number(found[2])];
    if (first > 4095 || last > 4095) throw invalidValue("Vnet range has to be between 0 and 4095");
    if (first > last)
      throw invalidValue("Vnet range has to be between 0 and 4095 and start range should be lesser than or equal to stop range");
    return [first, last];
  });
  return merged(ranges);
}

function merged(ranges: readonly VlanRange[]): VlanRange[] {
  const result: VlanRange[] = [];
  for (const [first, last] of [...ranges].sort((one, other) => one[0] - other[0])) {
    const before = result.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else result.push([first, last]);
  }
  return result;
}

export const vlansText = (ranges: readonly VlanRange[]) => ranges.map(([first, last]) => `${first}-${last}`).join(",");

export const vlanCount = (ranges: readonly VlanRange[]) => ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/** The number of a `vlan` parameter or field: undefined when untagged. */
export function vlanNumber(text: unknown): number | undefined {
  const digits = /(\d+)$/.exec(String(text ?? ""))?.[1];
  return digits === undefined ? undefined : Number(digits);
}
