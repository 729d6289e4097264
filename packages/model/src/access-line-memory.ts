/** What the reader of access lines remembers from line to line: the shape of the latest, and addresses. */

const BLANK = 0x20;
/** "0000" */
export const FOUR_ZEROS = 0x3030_3030;

/** Digits of a time below 10^17 ns, three years of uptime, and of 0.1 s at least. */
const MIN_TIME_DIGITS = 9;
const MAX_TIME_DIGITS = 17;
/** What is remembered from line to line. */
export interface AccessLineMemory {
  bytes: Uint8Array;
  view: DataView;
  /** Digits of the time of the latest access line; 0 before the first. */
  timeDigits: number;
  /** Addresses seen lately: 16 characters as four words, then low and high word of the value. */
  readonly addresses: Int32Array;
}

/** Words of one place in `addresses`, and places; the latter a power of two. */
export const ADDRESS_WORDS = 6;
export const ADDRESS_PLACES = 16;

export function createAccessLineMemory(): AccessLineMemory {
  const bytes = new Uint8Array(0);
  return {
    bytes,
    view: new DataView(bytes.buffer),
    timeDigits: 0,
    // Every place must be true: sixteen zeros are the address 0.
    addresses: new Int32Array(ADDRESS_WORDS * ADDRESS_PLACES).map((_, word) =>
      word % ADDRESS_WORDS < 4 ? FOUR_ZEROS : 0,
    ),
  };
}

/** Learns the shape of an access line that the general plan has read. */
export function rememberShape(memory: AccessLineMemory, bytes: Uint8Array, start: number): void {
  const first = start + 2;
  let pos = first;
  while (bytes[pos] !== BLANK) pos++;
  const digits = pos - first;
  memory.timeDigits = digits >= MIN_TIME_DIGITS && digits <= MAX_TIME_DIGITS ? digits : 0;
}
