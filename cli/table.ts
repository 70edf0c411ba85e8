/** Rows as aligned columns, one line each. */
export function table(rows: readonly (readonly unknown[])[]): string {
  const texts = rows.map((row) => row.map((cell) => String(cell ?? "")));
  const widths: number[] = [];
  for (const row of texts) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return texts
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
