/** What is likely on a stock host, where nothing takes time: small recordings, event by event. */
import { describe, expect, it } from 'vitest';
import { decisionOf } from '../src/outcome.ts';
import { NO_DELAYS, USUAL_DELAYS } from '../src/stock-host/page-evidence.ts';
import { accessOutcomes } from '../src/tallies.ts';
import type { EventRecord } from './event-record.ts';
import type { StockVerdicts } from './stock-verdicts.ts';
import {
  GET_USED_IDX,
  GET_AVAIL_IDX,
  OWNER,
  CLEAR,
  PLACES,
  USED_PAGE,
  event,
  begin,
  IOTLB_WORD,
  round,
  call,
  judged,
} from './stock-events.ts';

describe('what is likely, where nothing takes time', () => {
  const access = (time: number, accessor: number): EventRecord =>
    event('access', time, { vq: 0, accessor, n: 1 });
  const looks = (time: number): EventRecord[] =>
    PLACES.map((_, area) =>
      event('pages', time, {
        vq: 0,
        area,
        pagesGot: 1,
        pagesWritable: 1,
        pagesWanted: 1,
        contiguous: 1,
        hugePages: 0,
      }),
    );
  const [roundBegins, roundEnds] = round(1_000, 1);
  const inRound = (time: number, number: number, ...told: EventRecord[]): EventRecord[] => {
    const [begins, ends] = round(time, number);
    return [begins, ...told, ends];
  };
  /** Accesses of an accessor by decision, of those that there are. */
  const decided = ({ engine }: StockVerdicts, accessor: number): Record<string, number> => {
    const sums: Record<string, number> = {};
    for (const [outcome, n] of accessOutcomes(engine.tallies, 0, accessor).entries())
      if (n > 0) sums[decisionOf(outcome)] = (sums[decisionOf(outcome)] ?? 0) + n;
    return sums;
  };
  const sure = (events: readonly EventRecord[]): StockVerdicts =>
    judged([...begin(PLACES), ...events], USUAL_DELAYS, 'recorded');
  const likely = (events: readonly EventRecord[]): StockVerdicts =>
    judged([...begin(PLACES), ...events], NO_DELAYS, 'recorded');

  it('an access in a round meets what the ranges before it have left', () => {
    const events = [
      ...looks(1_000),
      roundBegins,
      access(1_001, GET_USED_IDX),
      ...call(1_010, 'start', USED_PAGE, CLEAR),
      access(1_020, GET_USED_IDX),
      access(1_021, GET_AVAIL_IDX),
      ...call(1_030, 'end', USED_PAGE, CLEAR),
      access(1_040, GET_USED_IDX),
      roundEnds,
    ];
    expect(decided(likely(events), GET_USED_IDX)).toEqual({ hit: 1, fallback: 2 });
    expect(decided(likely(events), GET_AVAIL_IDX)).toEqual({ hit: 1 });
    expect(decided(sure(events), GET_USED_IDX)).toEqual({ ambiguous: 3 });
  });

  it('an access in a round is counted where that ends, as a sure one is', () => {
    const open = [...looks(1_000), roundBegins, access(1_001, GET_USED_IDX)];
    for (const events of [open, [...open, ...round(2_000, 2)]])
      for (const judge of [sure, likely]) expect(decided(judge(events), GET_USED_IDX)).toEqual({});
  });

  it('the device IOTLB is on or off as the word of a round has it', () => {
    const on = event('iotlb', 1_010, { vq: 0, enabled: 1 });
    const [begins, ends] = round(2_000, 2);
    const throughIotlb = { ...ends, ringBefore: IOTLB_WORD, ringAfter: IOTLB_WORD };
    const events = [
      ...looks(1_000),
      roundBegins,
      access(1_001, GET_USED_IDX),
      on,
      access(1_020, GET_USED_IDX),
      roundEnds,
      begins,
      access(2_001, GET_USED_IDX),
      access(2_002, GET_USED_IDX),
      throughIotlb,
    ];
    expect(decided(sure(events), GET_USED_IDX)).toEqual({ ambiguous: 2, iotlb: 2 });
    expect(decided(likely(events), GET_USED_IDX)).toEqual({ hit: 2, iotlb: 2 });
  });

  it('a round that ends with the device IOTLB off, which was taken to be on, may have mapped', () => {
    const events = [
      ...looks(900),
      event('iotlb', 950, { vq: 0, enabled: 1 }),
      roundBegins,
      access(1_001, GET_USED_IDX),
      roundEnds,
    ];
    for (const judge of [sure, likely])
      expect(decided(judge(events), GET_USED_IDX)).toEqual({ ambiguous: 1 });
  });

  it('the device IOTLB that was on before a loss is on after it', () => {
    const [begins, ends] = round(2_000, 2);
    const events = [
      event('iotlb', 500, { vq: 0, enabled: 1 }),
      event('lost', 600, { lost: 1n }),
      begins,
      access(2_001, GET_USED_IDX),
      { ...ends, ringBefore: IOTLB_WORD, ringAfter: IOTLB_WORD },
    ];
    for (const judge of [sure, likely])
      expect(decided(judge(events), GET_USED_IDX)).toEqual({ iotlb: 1 });
  });

  it('a range that has begun is counted until its end, also across rounds', () => {
    const first = [
      ...call(900, 'start', USED_PAGE, CLEAR),
      ...looks(1_000),
      roundBegins,
      access(1_001, GET_AVAIL_IDX),
      roundEnds,
    ];
    expect(decided(likely(first), GET_AVAIL_IDX)).toEqual({ fallback: 1 });
    const second = [
      ...first,
      ...call(1_500, 'end', USED_PAGE, CLEAR),
      ...looks(2_000),
      ...inRound(2_000, 2, access(2_001, GET_AVAIL_IDX), access(2_002, GET_USED_IDX)),
    ];
    expect(decided(likely(second), GET_AVAIL_IDX)).toEqual({ fallback: 1, hit: 1 });
    expect(decided(likely(second), GET_USED_IDX)).toEqual({ hit: 1 });
    const third = [
      ...second,
      ...call(2_500, 'start', USED_PAGE, CLEAR, [OWNER, 'other']),
      ...call(2_600, 'start', USED_PAGE, CLEAR),
      ...call(2_700, 'end', USED_PAGE, CLEAR),
      ...inRound(3_000, 3, access(3_001, GET_AVAIL_IDX), access(3_002, GET_USED_IDX)),
    ];
    expect(decided(likely(third), GET_AVAIL_IDX)).toEqual({ fallback: 1, hit: 2 });
    expect(decided(likely(third), GET_USED_IDX)).toEqual({ hit: 1, fallback: 1 });
  });

  it('no count is stuck for a range that was not followed to its end, as there were too many', () => {
    const many = (which: 'start' | 'end', time: number): EventRecord[] =>
      Array.from({ length: 1_030 }, (_, pid) =>
        call(time, which, USED_PAGE, CLEAR, [pid, 'qemu']),
      ).flat();
    const events = [
      ...many('start', 900),
      ...many('end', 950),
      ...looks(1_000),
      ...inRound(1_000, 1, access(1_001, GET_USED_IDX)),
    ];
    // Whether its pages are there is not known with so many ranges.
    expect(decided(likely(events), GET_USED_IDX)).not.toHaveProperty('fallback');
  });

  it('the end of a range does not come to a notifier that has gone: merged keeps the count', () => {
    const off = event('notifier', 1_600, { dev: 0, registered: 0, error: 0 });
    const on = event('notifier', 1_800, { dev: 0, registered: 1, error: 0 });
    const events = [
      ...looks(1_000),
      roundBegins,
      roundEnds,
      ...call(1_500, 'start', USED_PAGE, CLEAR),
      off,
      ...call(1_700, 'end', USED_PAGE, CLEAR),
      on,
      ...looks(2_000),
      ...inRound(2_000, 2, access(2_001, GET_AVAIL_IDX), access(2_002, GET_USED_IDX)),
    ];
    expect(decided(likely(events), GET_AVAIL_IDX)).toEqual({ hit: 1 });
    expect(decided(likely(events), GET_USED_IDX)).toEqual({ fallback: 1 });
  });

  it('a ring that is first told of has the ranges in its count that are under way over it', () => {
    const places = PLACES.map(([address, size], area) =>
      event('addresses', 950, { vq: 0, area, address, size }),
    );
    const first = [
      event('virtqueue', 0, { vq: 0, dev: 0, owner: OWNER }),
      event('iotlb', 1, { vq: 0, enabled: 0 }),
      ...call(900, 'start', USED_PAGE, CLEAR),
      ...places,
      ...inRound(1_000, 1, access(1_001, GET_USED_IDX)),
    ];
    expect(decided(judged(first, NO_DELAYS, 'recorded'), GET_USED_IDX)).toEqual({ fallback: 1 });
    const both = [
      ...first,
      ...call(1_500, 'end', USED_PAGE, CLEAR),
      ...looks(2_000),
      ...inRound(2_000, 2, access(2_001, GET_USED_IDX)),
    ];
    expect(decided(judged(both, NO_DELAYS, 'recorded'), GET_USED_IDX)).toEqual({
      fallback: 1,
      hit: 1,
    });
  });
});
