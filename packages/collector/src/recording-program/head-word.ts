/**
 * The heads of a virtqueue at the levels that look at calls: one word of a map, so that a packet costs one read
 * and one write of it. The variable `$heads` is the word of `$address`; it is 0 where the virtqueue was not told of.
 *
 * Bits 0 to 15: last_avail_idx, up to where heads were told or counted. From 16 on heads that were counted and
 * not put by yet, from 36 on their descriptors, eight a head at most. Bit 62: something else was counted, and not
 * told yet. Bit 63 is set.
 */
import { LONGEST_CHAIN } from '@vhostscope/model';
import { remember } from './emitted-lines.js';
import { when, type Statement } from './program-text.js';

const HEADS = '@heads[$address]';

const HEAD_PLACE = 16;
const HEAD_BITS = 20;
const DESCRIPTOR_PLACE = HEAD_PLACE + HEAD_BITS;
const DESCRIPTOR_BITS = HEAD_BITS + Math.ceil(Math.log2(LONGEST_CHAIN + 1));

const COUNTED = '((uint64)1 << 62)';
const KNOWN = '((uint64)1 << 63)';

/** Runs statements of a call of which an argument is the virtqueue, unless that was not told of. */
export function ofKnown(vq: string, body: readonly Statement[]): Statement[] {
  return [`$heads = @heads[(uint64)${vq}];`, ...when('$heads != 0', body)];
}

export function takeHeads(): Statement[] {
  return [`$heads = ${HEADS};`];
}

/** The virtqueue is told of: heads are told or counted from here on, unless they are already. */
export function knowHeads(): Statement[] {
  return when(
    `${HEADS} == 0`,
    remember('accesses', HEADS, knownFrom('(uint64)$vq->last_avail_idx')),
  );
}

/** Nothing is told or counted of the virtqueue until it is told of anew. */
export function forgetHeads(): Statement[] {
  return [`delete(${HEADS});`];
}

/** Heads are told or counted from last_avail_idx on; what was counted must have been put by. */
export function beginHeads(): Statement[] {
  return [`${HEADS} = ${knownFrom('(uint64)$vq->last_avail_idx')};`];
}

function knownFrom(index: string): string {
  return `${KNOWN} | ${index}`;
}

/** An index of the avail ring stands for the heads before it: they were told or counted, or are given back. */
export function headsUpTo(index: string, added: readonly Statement[] = []): Statement[] {
  return [
    `$heads = (($heads >> ${HEAD_PLACE}) << ${HEAD_PLACE}) | ${index};`,
    ...added,
    `${HEADS} = $heads;`,
  ];
}

/** Counts a head and its `$chain` descriptors, in `$heads` only. */
export function addHead(): Statement[] {
  return [`$heads = $heads + ((uint64)1 << ${HEAD_PLACE}) + ($chain << ${DESCRIPTOR_PLACE});`];
}

/** Puts what was counted by when there is much of it: no field runs over. It is not told by that. */
export function putByIfMany(heads: string, descriptors: string): Statement[] {
  return when(`(($heads >> ${DESCRIPTOR_PLACE - 1}) & 1) != 0`, [
    ...putBy(heads, descriptors),
    ...noteCounted(),
  ]);
}

/** Adds what was counted to two counters, and counts anew. */
export function putBy(heads: string, descriptors: string): Statement[] {
  const field = (place: number, bits: number): string => `($heads >> ${place}) & ${2 ** bits - 1}`;
  return when(`(${field(HEAD_PLACE, HEAD_BITS)}) != 0`, [
    `${heads} += ${field(HEAD_PLACE, HEAD_BITS)};`,
    `${descriptors} += ${field(DESCRIPTOR_PLACE, DESCRIPTOR_BITS)};`,
    `$heads = ${knownFrom(`($heads & (${COUNTED} | 0xffff))`)};`,
    `${HEADS} = $heads;`,
  ]);
}

/** Something else than a head was counted. Costs a write once until it is told. */
export function noteCounted(): Statement[] {
  return when(`($heads & ${COUNTED}) == 0`, [
    `$heads = $heads | ${COUNTED};`,
    `${HEADS} = $heads;`,
  ]);
}

/** Whether anything was counted that is not told. */
export const IS_UNTOLD = '($heads & 0x7fffffffffff0000) != 0';

/** What was counted and put by is told. */
export function countAnew(): Statement[] {
  return [`${HEADS} = ${knownFrom('($heads & 0xffff)')};`];
}
