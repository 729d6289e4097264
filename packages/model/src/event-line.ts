/** One line of the text dialect, read. */
import { FIELDS, type FieldName } from './event-fields.js';

/** Slots of `EventLine.words`: two words each, low first; negative values are two's complement. */
export const TIME_SLOT = 0;
export const CPU_SLOT = 1;
export const LITERAL_SLOT = 2;
const FIRST_FIELD_SLOT = 3;

/** Slot of every field in `EventLine.words`; the value's words are at 2 * slot and 2 * slot + 1. */
export const SLOT = Object.fromEntries(
  (Object.keys(FIELDS) as FieldName[]).map((name, index) => [name, FIRST_FIELD_SLOT + index]),
) as { readonly [Name in FieldName]: number };

/** The line that was read last. Overwritten by the next one. */
export interface EventLine {
  kind: number;
  cpu: number;
  words: Uint32Array;
  /** Columns after the CPU that are `-`, one bit each, the first in the lowest; their words are all ones. */
  absent: number;
  /** Where the `rest` column (comm) lies in the bytes that were read. */
  restStart: number;
  restEnd: number;
}

/** An empty line to read into; make one and reuse it. */
export function createEventLine(): EventLine {
  return {
    kind: 0,
    cpu: 0,
    absent: 0,
    words: new Uint32Array(2 * (FIRST_FIELD_SLOT + Object.keys(FIELDS).length)),
    restStart: 0,
    restEnd: 0,
  };
}

/** Time of a line that was read, in ns. */
export function timeOfLine({ words }: EventLine): bigint {
  return (BigInt(words[2 * TIME_SLOT + 1]) << 32n) | BigInt(words[2 * TIME_SLOT]);
}

/** Value of a field that is a count, as far as a double is exact. */
export function countOfLine({ words }: EventLine, field: FieldName): number {
  const slot = 2 * SLOT[field];
  return words[slot + 1] * 2 ** 32 + words[slot];
}
