/** Where something stands in the spool of a run, and how far its pieces have come there. */
import { z } from 'zod';
import { firstLink, LINK_BYTES, type Piece } from './piece.js';
import type { RunName } from './fleet-url.js';

export interface SpoolPlace {
  /** Number of a file, from 0. */
  readonly segment: number;
  readonly position: number;
}

/** All up to a place. */
export interface SpoolState {
  /** Where the next piece stands. */
  readonly place: SpoolPlace;
  /** Its number, where its bytes stand in the trace, and the link before it. */
  readonly seq: number;
  readonly offset: number;
  readonly link: Uint8Array;
}

export function startOfSpool(name: RunName): SpoolState {
  return { place: { segment: 0, position: 0 }, seq: 0, offset: 0, link: firstLink(name) };
}

/** What follows a piece, which ends at a place. */
export function stateBehind(piece: Piece, place: SpoolPlace): SpoolState {
  return {
    place,
    seq: piece.seq + 1,
    offset: piece.offset + piece.bytes.length,
    link: piece.link,
  };
}

export function isBefore(one: SpoolPlace, other: SpoolPlace): boolean {
  return one.segment === other.segment
    ? one.position < other.position
    : one.segment < other.segment;
}

/** How a file of the spool is called. */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(8, '0')}.pieces`;
}

/** The number of a file of the spool; undefined when it is none. */
export function segmentOfName(name: string): number | undefined {
  const [, digits] = /^(\d{8,})\.pieces$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

const count = z.number().int().nonnegative();
const stateSchema = z.object({
  segment: count,
  position: count,
  seq: count,
  offset: count,
  link: z.string().regex(new RegExp(`^[0-9a-f]{${2 * LINK_BYTES}}$`)),
});

export function stateText({ place, seq, offset, link }: SpoolState): string {
  return `${JSON.stringify({ ...place, seq, offset, link: Buffer.from(link).toString('hex') })}\n`;
}

/** Undefined when it is none, as after a crash of the host. */
export function stateOfText(text: string): SpoolState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data } = stateSchema.safeParse(value);
  if (data === undefined) return undefined;
  const { segment, position, seq, offset, link } = data;
  return { place: { segment, position }, seq, offset, link: Buffer.from(link, 'hex') };
}
