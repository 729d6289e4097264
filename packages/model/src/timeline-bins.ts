/** Counts in rows of equal columns, a row for each bin of a time line. */
export interface BinTable {
  /** By bin * columns + column. */
  counts: Float64Array;
  columns: number;
}

export function createBinTable(bins: number, columns: number): BinTable {
  return { counts: new Float64Array(bins * columns), columns };
}

export function addUp(table: BinTable, bin: number, column: number, count: number): void {
  table.counts[bin * table.columns + column] += count;
}

/** Each two bins become one; the upper half of the table is empty afterwards. */
export function halveBins({ counts, columns }: BinTable): void {
  const bins = Math.floor(counts.length / columns);
  for (let bin = 0; bin < bins; bin++) {
    // The first bin is where it belongs, and stays what the second is added to.
    const from = bin * columns;
    const to = (bin >> 1) * columns;
    if (from === to) continue;
    for (let column = 0; column < columns; column++) {
      const count = counts[from + column];
      counts[from + column] = 0;
      if ((bin & 1) === 0) counts[to + column] = count;
      else counts[to + column] += count;
    }
  }
}

/** Makes room for more columns in each bin. */
export function growColumns(table: BinTable, columns: number, bins: number): void {
  const { counts, columns: before } = table;
  const grown = new Float64Array(bins * columns);
  for (let bin = 0; bin * before < counts.length && bin < bins; bin++)
    grown.set(counts.subarray(bin * before, (bin + 1) * before), bin * columns);
  table.counts = grown;
  table.columns = columns;
}
