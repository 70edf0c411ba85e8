// Runs a command on a terminal of its own and writes its screen as SVG: `node tools/picture.ts --when 'creating.*installing' up.svg -- COMMAND…`.
// With --when, the picture is of the last screen with a line that fits this pattern; without, of the last screen of all.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import xterm from "@xterm/headless";

const COLUMNS = 132;
const ROWS = 70;
const CELL = { width: 8, height: 17 };
const PAPER = "#11161d";
const INK = "#d5dbe3";

/** The sixteen colours of a terminal, those of the xterm palette made readable on the dark paper. */
const PALETTE = [
  ...["#4d5561", "#f07178", "#8fd16f", "#e6c15c", "#6cb2f5", "#c792ea", "#5fd3d0", "#d5dbe3"],
  ...["#78828f", "#ff8b92", "#a8e88a", "#ffd97a", "#8cc7ff", "#dcaeff", "#86eae7", "#ffffff"],
];

type Cell = NonNullable<ReturnType<NonNullable<ReturnType<xterm.Terminal["buffer"]["active"]["getLine"]>>["getCell"]>>;

/** A palette index above 15 is a cube of 6 × 6 × 6 colours, then 24 greys. */
function paletteColour(index: number): string {
  const named = PALETTE[index];
  if (named) return named;
  if (index >= 232) return `rgb(${Array(3).fill(8 + (index - 232) * 10)})`;
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  return `rgb(${[36, 6, 1].map((unit) => level(Math.floor((index - 16) / unit) % 6))})`;
}

function styleOf(cell: Cell): string {
  const colour = cell.isFgPalette()
    ? paletteColour(cell.getFgColor())
    : cell.isFgRGB()
      ? `#${cell.getFgColor().toString(16).padStart(6, "0")}`
      : INK;
  return `fill="${colour}"${cell.isBold() ? ' font-weight="bold"' : ""}${cell.isDim() ? ' opacity="0.7"' : ""}`;
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** One line as pieces of equal style, each at its own column, so that a font of another width shifts nothing. */
function lineSvg(terminal: xterm.Terminal, row: number, y: number): string {
  const line = terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row);
  const pieces: { style: string; column: number; text: string }[] = [];
  for (let column = 0; line && column < line.length; column++) {
    const cell = line.getCell(column);
    if (!cell?.getWidth()) continue;
    const [style, text] = [styleOf(cell), cell.getChars() || " "];
    const last = pieces.at(-1);
    if (last?.style === style) last.text += text;
    else pieces.push({ style, column, text });
  }
  return pieces
    .filter(({ text }) => text.trim() !== "")
    .map(({ style, column, text }) => {
      const shown = text.trimEnd();
      const at = `x="${(column + 1) * CELL.width}" y="${y}" textLength="${[...shown].length * CELL.width}"`;
      return `<text ${at} ${style}>${escaped(shown)}</text>`;
    })
    .join("");
}

const textOf = (terminal: xterm.Terminal) =>
  Array.from(
    { length: ROWS },
    (_, row) => terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row)?.translateToString(true) ?? "",
  );

function svg(terminal: xterm.Terminal): string {
  const used = textOf(terminal).findLastIndex((line) => line !== "") + 1;
  const [width, height] = [(COLUMNS + 2) * CELL.width, (used + 2) * CELL.height];
  const lines = Array.from({ length: used }, (_, row) => lineSvg(terminal, row, (row + 2) * CELL.height - 4)).filter((line) => line !== "");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" xml:space="preserve">
<rect width="100%" height="100%" rx="8" fill="${PAPER}"/>
${lines.join("\n")}
</svg>
`;
}

const { values, positionals } = parseArgs({ options: { when: { type: "string" } }, allowPositionals: true });
const [file, ...command] = positionals;
if (!file || command.length === 0) {
  console.error("usage: node tools/picture.ts [--when PATTERN] FILE.svg -- COMMAND…");
  process.exit(2);
}

const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
const wanted = new RegExp(values.when ?? "");
let picture: string | undefined;
const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
const child = spawn("script", ["-qefc", `stty columns ${COLUMNS} rows ${ROWS}; exec ${quoted}`, "/dev/null"], {
  stdio: ["ignore", "pipe", "inherit"],
  env: { ...process.env, TERM: "xterm-256color" },
});
child.stdout.on("data", (chunk: Buffer) =>
  terminal.write(chunk, () => {
    if (textOf(terminal).some((line) => wanted.test(line))) picture = svg(terminal);
  }),
);
child.on("close", (status) =>
  terminal.write("", () => {
    if (picture === undefined) console.error(`no screen of ${quoted} had a line like ${values.when}`);
    else writeFileSync(file, picture);
    process.exit(picture === undefined ? 1 : (status ?? 1));
  }),
);
