/**
 * What the reader of runs of access lines (`access-run.ts`) remembers from run to run: how many digits
 * the time has, and the ids of virtqueues by the characters of their addresses.
 */

const BLANK = 0x20;

export interface AccessRunMemory {
  /** What `view` is a view of. */
  bytes: Uint8Array;
  view: DataView;
  /** Digits of the time of the latest access line; 0 while none of use was seen. */
  timeDigits: number;
  /** Two words to compute a time in. */
  readonly base: Uint32Array;
  /** Per place: the 16 characters of an address as four words, and the virtqueue's id, -1 for none. */
  readonly addresses: Int32Array;
}

/** Words of one place in `addresses`, and places; the latter a power of two. */
const ADDRESS_WORDS = 5;
const ADDRESS_PLACES = 16;

/** Digits of times from 0.1 s to three years of uptime. */
const MIN_TIME_DIGITS = 9;
const MAX_TIME_DIGITS = 17;

export function createAccessRunMemory(): AccessRunMemory {
  const bytes = new Uint8Array(0);
  return {
    bytes,
    view: new DataView(bytes.buffer),
    timeDigits: 0,
    base: new Uint32Array(2),
    addresses: createAddresses(),
  };
}

/** No virtqueue is known. */
export function createAddresses(): Int32Array {
  return new Int32Array(ADDRESS_WORDS * ADDRESS_PLACES).fill(-1);
}

/** Id of the virtqueue whose address has these 16 characters, as four words; -1 when it is not known. */
export function findAddress(
  { addresses }: Pick<AccessRunMemory, 'addresses'>,
  a: number,
  b: number,
  c: number,
  d: number,
): number {
  const place = ADDRESS_WORDS * addressPlace(c, d);
  if (addresses[place] !== a || addresses[place + 1] !== b) return -1;
  if (addresses[place + 2] !== c || addresses[place + 3] !== d) return -1;
  return addresses[place + 4];
}

/** Place of an address, from its last eight characters. */
function addressPlace(c: number, d: number): number {
  return (d ^ (d >>> 11) ^ (c >>> 3)) & (ADDRESS_PLACES - 1);
}

/** Forgets the virtqueues: in another recording an address is another one. */
export function forgetAddresses(memory: AccessRunMemory): void {
  memory.addresses.fill(-1);
}

/**
 * Learns from an access line that the general plan has read.
 *
 * @param start index of its tag in `bytes`
 * @param vq id of its virtqueue
 */
export function rememberAccessLine(
  memory: AccessRunMemory,
  bytes: Uint8Array,
  start: number,
  vq: number,
): void {
  const timeEnd = bytes.indexOf(BLANK, start + 2);
  const digits = timeEnd - (start + 2);
  memory.timeDigits = digits >= MIN_TIME_DIGITS && digits <= MAX_TIME_DIGITS ? digits : 0;
  const cpuEnd = bytes.indexOf(BLANK, timeEnd + 1);
  const address = cpuEnd + 1;
  if (bytes.indexOf(BLANK, address) !== address + 16) return;
  rememberAddress(memory, bytes, address, vq);
}

/** Remembers the virtqueue whose address has the 16 characters at `at`. */
export function rememberAddress(
  { addresses }: Pick<AccessRunMemory, 'addresses'>,
  bytes: Uint8Array,
  at: number,
  vq: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 16);
  const c = view.getInt32(8, true);
  const d = view.getInt32(12, true);
  const place = ADDRESS_WORDS * addressPlace(c, d);
  addresses[place] = view.getInt32(0, true);
  addresses[place + 1] = view.getInt32(4, true);
  addresses[place + 2] = c;
  addresses[place + 3] = d;
  addresses[place + 4] = vq;
}
