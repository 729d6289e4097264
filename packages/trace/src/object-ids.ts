/**
 * Small ids for kernel addresses, which stay out of a trace file (they would defeat KASLR).
 *
 * HOT: looked up once per event of an import. A table of open addressing over 32-bit words.
 */

export interface ObjectIds {
  /** Pairs of words, low first; both 0 where a place is free. */
  keys: Uint32Array;
  ids: Uint32Array;
  size: number;
  /** Addresses in order of their ids, from the first id of this table on. */
  addresses: bigint[];
  firstId: number;
  /** Ids stay below this; what would get a greater one is not kept. */
  readonly limit: number;
  /** The address looked up last, and its id: most events are of the same virtqueue as the one before. */
  lastLow: number;
  lastHigh: number;
  lastId: number;
}

const FIRST_PLACES = 64;

/** An empty table whose first object gets the id `firstId`. */
export function createObjectIds(firstId: number, limit: number): ObjectIds {
  return {
    keys: new Uint32Array(2 * FIRST_PLACES),
    ids: new Uint32Array(FIRST_PLACES),
    size: 0,
    addresses: [],
    firstId,
    limit,
    lastLow: 0,
    lastHigh: 0,
    lastId: -1,
  };
}

/**
 * Id of the object at an address; a new id when it is new, `limit` when the table is full. Address 0 is
 * an object like any other.
 */
export function idOf(table: ObjectIds, low: number, high: number): number {
  if (low === table.lastLow && high === table.lastHigh && table.lastId >= 0) return table.lastId;
  const id = find(table, low, high);
  table.lastLow = low;
  table.lastHigh = high;
  table.lastId = id;
  return id;
}

function find(table: ObjectIds, low: number, high: number): number {
  const mask = table.ids.length - 1;
  const { keys, ids } = table;
  // Id + 1 is stored, so that a free place is 0 whatever the address.
  let place = hash(low, high) & mask;
  while (ids[place] !== 0) {
    if (keys[2 * place] === low && keys[2 * place + 1] === high) return ids[place] - 1;
    place = (place + 1) & mask;
  }
  return insert(table, place, low, high);
}

function hash(low: number, high: number): number {
  // Kernel objects are aligned: the low bits say little.
  return (Math.imul(low ^ (low >>> 15), 0x2c1b_3c6d) ^ Math.imul(high, 0x297a_2d39)) >>> 8;
}

function insert(table: ObjectIds, place: number, low: number, high: number): number {
  const id = table.firstId + table.size;
  if (id >= table.limit) return table.limit;
  table.keys[2 * place] = low;
  table.keys[2 * place + 1] = high;
  table.ids[place] = id + 1;
  table.size++;
  table.addresses.push((BigInt(high) << 32n) | BigInt(low));
  if (2 * table.size > table.ids.length) rehash(table);
  return id;
}

function rehash(table: ObjectIds): void {
  const { keys, ids } = table;
  const places = 2 * ids.length;
  table.keys = new Uint32Array(2 * places);
  table.ids = new Uint32Array(places);
  for (let from = 0; from < ids.length; from++) {
    if (ids[from] === 0) continue;
    let to = hash(keys[2 * from], keys[2 * from + 1]) & (places - 1);
    while (table.ids[to] !== 0) to = (to + 1) & (places - 1);
    table.keys[2 * to] = keys[2 * from];
    table.keys[2 * to + 1] = keys[2 * from + 1];
    table.ids[to] = ids[from];
  }
}
