/** Tables that leave out what does not fit: which columns there are follows from the width. */
import { cellWidth } from './cell-width.js';
import type { Glyphs } from './glyphs.js';
import { fitLine, span, type Line, type Span } from './styled-line.js';

export interface Column<Row> {
  readonly title: string;
  /** Cells, least; a column that grows takes what is left, up to `most`. */
  readonly width: number;
  readonly most?: number;
  readonly align: 'left' | 'right';
  /** Those with the highest go first; 0 stays whatever happens. */
  readonly dispensable: number;
  /** @param width what the column got */
  cell(row: Row, width: number): Span;
}

export interface PlacedColumn<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

const GAP = 2;

/** The columns that fit, in their order, and how wide each is. */
export function placeColumns<Row>(
  columns: readonly Column<Row>[],
  width: number,
): PlacedColumn<Row>[] {
  const chosen = [...columns];
  const least = (): number =>
    chosen.reduce((sum, column) => sum + column.width, 0) + GAP * (chosen.length - 1);
  while (least() > width) {
    const first = chosen
      .filter(({ dispensable }) => dispensable > 0)
      .reduce<Column<Row> | undefined>(
        (found, one) => (found === undefined || one.dispensable > found.dispensable ? one : found),
        undefined,
      );
    if (first === undefined) break;
    chosen.splice(chosen.indexOf(first), 1);
  }
  let left = Math.max(0, width - least());
  const placed: PlacedColumn<Row>[] = [];
  // Those that grow take equal shares, as long as they can use them.
  let growing = chosen.filter((column) => (column.most ?? 0) > column.width);
  const extra = new Map<Column<Row>, number>();
  while (left > 0 && growing.length > 0) {
    const share = Math.max(1, Math.floor(left / growing.length));
    for (const column of growing) {
      const had = extra.get(column) ?? 0;
      const gets = Math.min(share, left, (column.most ?? 0) - column.width - had);
      extra.set(column, had + gets);
      left -= gets;
    }
    growing = growing.filter(
      (column) => column.width + (extra.get(column) ?? 0) < (column.most ?? 0),
    );
  }
  for (const column of chosen)
    placed.push({ column, width: column.width + (extra.get(column) ?? 0) });
  return placed;
}

export function titleLine<Row>(placed: readonly PlacedColumn<Row>[], glyphs: Glyphs): Line {
  return joined(
    placed.map((one) => [one, span(one.column.title, 'faint')] as const),
    glyphs,
  );
}

export function rowLine<Row>(placed: readonly PlacedColumn<Row>[], row: Row, glyphs: Glyphs): Line {
  return joined(
    placed.map((one) => [one, one.column.cell(row, one.width)] as const),
    glyphs,
  );
}

function joined<Row>(
  cells: readonly (readonly [PlacedColumn<Row>, Span])[],
  { cut }: Glyphs,
): Line {
  return cells.flatMap(([{ column, width }, piece], at) => {
    const gap = at === 0 ? [] : [span(' '.repeat(GAP))];
    const wide = cellWidth(piece.text);
    if (wide > width) return [...gap, ...fitLine([piece], width, cut)];
    const blank = span(' '.repeat(width - wide));
    return column.align === 'right' ? [...gap, blank, piece] : [...gap, piece, blank];
  });
}

/** The first of so many rows to show, so that the chosen one is seen, in the middle where there are more. */
export function firstShown(chosen: number, rows: number, height: number): number {
  return Math.max(0, Math.min(chosen - Math.floor(height / 2), rows - height));
}
