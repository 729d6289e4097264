/** Tables whose first columns are names: these are shortened where the terminal has no room for them. */
import { tableLines, type TableColumn } from '@vhostscope/terminal';

/** Less of a name tells nothing. */
const LEAST_NAME = 8;
const GAP = 2;

/**
 * A table no wider than `width` where names may be shortened for it; else each row as lines of its own.
 *
 * @param names how many of the first columns hold names
 */
export function tableWithin(
  width: number | undefined,
  names: number,
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
): string[] {
  if (width === undefined) return tableLines(columns, rows);
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const total = widths.reduce((sum, one) => sum + one, GAP * (widths.length - 1));
  if (total <= width) return tableLines(columns, rows);
  const room = roomForNames(widths.slice(0, names), total - width);
  if (room === undefined) return rows.flatMap((row) => stacked(width, names, columns, row));
  return tableLines(
    columns,
    rows.map((row) => row.map((cell, at) => shortened(cell, room[at] ?? cell.length))),
  );
}

/** Widths of the names, that much less in all; undefined where that leaves too little of them. */
function roomForNames(widths: readonly number[], excess: number): number[] | undefined {
  const room = [...widths];
  for (let left = excess; left > 0; left--) {
    const widest = room.indexOf(Math.max(...room));
    const before = room[widest] ?? 0;
    if (before <= LEAST_NAME) return undefined;
    room[widest] = before - 1;
  }
  return room;
}

/** Both ends of a name tell it from others. */
function shortened(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = Math.floor((room - 1) / 2);
  return `${text.slice(0, room - 1 - end)}…${text.slice(text.length - end)}`;
}

/** The names, and below them a line for each figure. */
function stacked(
  width: number,
  names: number,
  columns: readonly TableColumn[],
  row: readonly string[],
): string[] {
  const name = row.slice(0, names).filter((one) => one !== '');
  const titleWidth = Math.max(...columns.slice(names).map(({ title }) => title.length));
  return [
    shortened(name.join('  '), Math.max(LEAST_NAME, width)),
    ...columns
      .slice(names)
      .map(({ title }, at) => `  ${title.padEnd(titleWidth)}  ${row[names + at] ?? ''}`.trimEnd()),
  ];
}
