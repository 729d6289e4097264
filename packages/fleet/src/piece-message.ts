/** A piece as a message of NATS. */
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import type { RunName } from './fleet-url.js';
import { LINK_BYTES, MAX_PIECE_BYTES, PIECE_KINDS, type Piece } from './piece.js';
import { tokenOf } from './subjects.js';

const HEADER = {
  kind: 'Vhostscope-Kind',
  seq: 'Vhostscope-Seq',
  offset: 'Vhostscope-Offset',
  link: 'Vhostscope-Link',
} as const;

/** More than a piece takes beside its bytes. */
export const MESSAGE_OVERHEAD_BYTES = 4096;

/**
 * The same for a piece whenever it is sent, and for no other: a server that has it already takes it for the same
 * message, as long as it remembers.
 */
export function messageId({ host, run }: RunName, segment: number, seq: number): string {
  return `${tokenOf(host)}/${tokenOf(run)}/${segment}/${seq}`;
}

export function messageHeaders({ kind, seq, offset, link }: Piece): MsgHdrs {
  const made = headers();
  made.set(HEADER.kind, kind);
  made.set(HEADER.seq, String(seq));
  made.set(HEADER.offset, String(offset));
  made.set(HEADER.link, Buffer.from(link).toString('hex'));
  return made;
}

/** The piece of a message; undefined when it is none, whoever sent it. */
export function pieceOfMessage(made: MsgHdrs | undefined, bytes: Uint8Array): Piece | undefined {
  const head = headOfMessage(made, bytes.length);
  return head && { ...head, bytes };
}

/** The same of a message with so many bytes, which did not come. */
export function headOfMessage(
  made: MsgHdrs | undefined,
  bytes: number,
): Omit<Piece, 'bytes'> | undefined {
  if (made === undefined || bytes > MAX_PIECE_BYTES) return undefined;
  const kind = PIECE_KINDS.find((one) => one === made.get(HEADER.kind));
  const seq = numberOf(made.get(HEADER.seq));
  const offset = numberOf(made.get(HEADER.offset));
  const link = made.get(HEADER.link);
  if (kind === undefined || seq === undefined || offset === undefined) return undefined;
  if (!/^[0-9a-f]+$/.test(link) || link.length !== 2 * LINK_BYTES) return undefined;
  if ((kind === 'data') !== bytes > 0) return undefined;
  return { kind, seq, offset, link: Buffer.from(link, 'hex') };
}

function numberOf(text: string): number | undefined {
  return /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined;
}
