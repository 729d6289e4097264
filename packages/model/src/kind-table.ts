/** 1 for each of some kinds of events, 0 for all others: one load tells whether an event is of use. */
export function kindTable(kinds: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const kind of kinds) table[kind] = 1;
  return table;
}
