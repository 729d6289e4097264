/** Events of stock hosts for small recordings, and what becomes of their accesses. */
import { findDesign } from '../src/designs.ts';
import type { RoundAccesses } from '../src/engine-state.ts';
import { HANDLERS } from '../src/event-fields.ts';
import { createRingWord, ringWord } from '../src/ring-word.ts';
import type { EventRecord } from './event-record.ts';
import { stockVerdicts, type StockVerdicts } from './stock-verdicts.ts';

const MERGED = findDesign('merged')!;
export const [DESC, AVAIL, USED] = [0, 1, 2];
export const [PUT_USED_FLAGS, GET_USED_IDX, GET_AVAIL_IDX] = [9, 5, 1];
export const [OWNER, WORKER] = [214, 215];
export const [CLEAR, PROTECTION_VMA] = [1, 2];
export const DELAYS = { flush: 10_000, forkFlush: 10_000, look: 0, setUp: 0, calls: true };

/** A ring of 256 entries, each area on a page of its own. */
export const PLACES = [
  [0x10_0000n, 4096n],
  [0x10_2000n, 518n],
  [0x10_4000n, 2054n],
] as const;
export const USED_PAGE = [0x10_4000n, 0x10_5000n] as const;

export function event(
  name: EventRecord['event'],
  time: number,
  fields: Omit<EventRecord, 'event' | 'time' | 'cpu'> = {},
): EventRecord {
  return { event: name, time: BigInt(time), cpu: 0, ...fields };
}

export function setUp(time: number, places: readonly (readonly [bigint, bigint])[]): EventRecord[] {
  return [
    event('notifier', time, { dev: 0, registered: 0, error: 0 }),
    event('unmap', time, { vq: 0 }),
    ...places.map(([address, size], area) =>
      event('addresses', time, { vq: 0, area, address, size }),
    ),
    event('notifier', time, { dev: 0, registered: 1, error: 0 }),
  ];
}

export function begin(places: readonly (readonly [bigint, bigint])[]): EventRecord[] {
  return [
    event('virtqueue', 0, { vq: 0, dev: 0, owner: OWNER }),
    ...setUp(1, places),
    event('iotlb', 1, { vq: 0, enabled: 0 }),
  ];
}

function wordOf(index: number, iotlb = false): bigint {
  return ringWord({
    ...createRingWord(),
    lastAvailIdx: index,
    availIdx: index,
    lastUsedIdx: index,
    noNotify: false,
    signalledUsedValid: true,
    callEventfd: true,
    eventIdx: true,
    notifyOnEmpty: false,
    iotlb,
    inOrder: false,
  });
}

/** Of a round that goes by the device IOTLB. */
export const IOTLB_WORD = wordOf(2, true);

/** One packet, sent after the `number` before it. */
export function round(time: number, number: number, num = 256): EventRecord[] {
  const ring = { ringBefore: wordOf(number), ringAfter: wordOf(number + 1) };
  return [
    event('round', time, { vq: 0 }),
    event('round_end', time + 100, {
      vq: 0,
      handler: HANDLERS.indexOf('net_tx'),
      num,
      chain: 1,
      ...ring,
    }),
  ];
}

/** A call of the notifiers, and its return. */
export function call(
  time: number,
  which: 'start' | 'end',
  [start, end]: readonly [bigint, bigint],
  cause: number,
  [pid, comm] = [OWNER, 'qemu'],
  blockable = 1,
): EventRecord[] {
  const range = { owner: OWNER, start, end, cause, blockable, pid, comm };
  return [
    event(`core_range_${which}`, time, range),
    event(`core_range_${which}_return`, time + 1, range),
  ];
}

export function judged(
  events: readonly EventRecord[],
  delays = DELAYS,
  roundAccesses: RoundAccesses = 'derived',
): StockVerdicts {
  return stockVerdicts(events, { design: MERGED, preemption: 'voluntary', delays, roundAccesses });
}

/** What the accesses to an area became, round by round. */
export function byRound(events: readonly EventRecord[], area: number, delays = DELAYS): unknown[] {
  return [...judged(events, delays).rounds.values()].map((areas) => areas[area]);
}
