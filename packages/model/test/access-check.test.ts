/** The check of a whole trace: what is judged, what cannot be, and what is kept to explain it. */
import { describe, expect, it } from 'vitest';
import { createAccessCheck, type AccessCheck } from '../src/access-check/access-check.ts';
import type { AccessCheckOptions } from '../src/access-check/check-state.ts';
import { findAccessorRules } from '../src/accessor-rules/rule-sets.ts';
import { ACCESSORS } from '../src/ring.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';
import { GOLDEN_TRACES, goldenPath } from './golden-traces.ts';
import { readTextTrace } from './text-trace.ts';

const rules = findAccessorRules('6.1')!;

function checked(trace: readonly EventRecord[], options?: AccessCheckOptions): AccessCheck {
  const check = createAccessCheck(rules, options);
  for (const { batch, from, to } of batchesOf(trace)) check.consume(batch, from, to);
  return check;
}

const BEGIN: EventRecord = { event: 'recording', time: 0n, cpu: 0, note: '' };
const LOST: EventRecord = { event: 'lost', time: 0n, cpu: 0, lost: 7n, note: 'bpftrace' };

const LETTERS: Readonly<Record<string, string>> = {
  i: 'get_avail_idx',
  h: 'get_avail_head',
  a: 'get_avail_flags',
  u: 'get_used_idx',
  d: 'get_desc',
  f: 'put_used_flags',
  x: 'put_used_idx',
};

/** Events of a virtqueue: letters are accesses, a digit is a put_used, `|` a round, `Z` a reset, `L` a loss. */
function events(letters: string, vq = 0): EventRecord[] {
  return Array.from(letters, (letter, at): EventRecord => {
    const time = BigInt(1000 + at);
    if (letter === 'L') return { ...LOST, time };
    if (letter === '|') return { event: 'round', time, cpu: 0, vq };
    if (letter === 'Z') return { event: 'reset', time, cpu: 0, vq };
    const name = LETTERS[letter] ?? 'put_used';
    const accessor = ACCESSORS.indexOf(name as (typeof ACCESSORS)[number]);
    const entries = name === 'put_used' ? { entries: Number(letter) } : {};
    const access = { event: 'access', time, cpu: 0, vq, accessor, n: 1, observed: 0 } as const;
    return { ...access, ...entries };
  });
}

const sums = ({
  accesses,
  judged,
  accepted,
  rejected,
}: ReturnType<AccessCheck['virtqueues']>[0]) => ({
  accesses,
  judged,
  accepted,
  rejected,
});

describe.each(GOLDEN_TRACES)('%s', (name) => {
  it('is judged from the first access to the last, and accepted', () => {
    const trace = readTextTrace(goldenPath(name));
    const check = checked(trace);
    for (const virtqueue of check.virtqueues()) {
      const { accesses } = virtqueue;
      expect(sums(virtqueue)).toEqual({
        accesses,
        judged: accesses,
        accepted: accesses,
        rejected: 0,
      });
      expect(virtqueue.habit?.unusual ?? 0).toBe(0);
    }
    const all = check.virtqueues().reduce((sum, { accesses }) => sum + accesses, 0);
    expect(all).toBe(trace.filter(({ event }) => event === 'access').length);
    expect(check.rejections()).toEqual([]);
    expect(check.unusualChains()).toEqual([]);
  });
});

const ROUND = '|fihdhdifi2xa';

describe('what is rejected', () => {
  it('an access, with what was possible and what came before; the next round is judged again', () => {
    const check = checked([BEGIN, ...events(`Zfu${ROUND}|fihhd${ROUND}`)]);
    expect(check.virtqueues().map(sums)).toEqual([
      { accesses: 31, judged: 30, accepted: 29, rejected: 1 },
    ]);
    const [rejection, ...others] = check.rejections();
    expect(others).toEqual([]);
    expect(rejection).toMatchObject({ vq: 0, recording: 0, found: 'get_avail_head', number: 18 });
    expect(rejection.time).toBe(1020n);
    expect(rejection.expected.map(({ accessor }) => accessor)).toEqual(['get_desc']);
    expect(rejection.marksExpected).toBe(false);
    expect(rejection.before).toHaveLength(12);
    expect(rejection.before.at(-1)).toMatchObject({ time: 1019n, accessor: 'get_avail_head' });
  });

  it('a round that comes too early', () => {
    const check = checked([BEGIN, ...events('Zfu|fi|')]);
    expect(check.virtqueues().map(sums)).toEqual([
      { accesses: 4, judged: 4, accepted: 4, rejected: 1 },
    ]);
    expect(check.rejections()).toMatchObject([{ found: 'round', number: 5 }]);
  });

  it('an access between rounds, where a round could have come', () => {
    const check = checked([BEGIN, ...events(`Zfu${ROUND}d`)]);
    expect(check.rejections()).toMatchObject([{ found: 'get_desc', marksExpected: true }]);
  });

  it('is described of few, and counted of all', () => {
    const bad = '|hhh'.repeat(10);
    const of = (vq: number): EventRecord[] => events(`Z${bad}`, vq);
    const check = checked([BEGIN, ...Array.from({ length: 12 }, (_, vq) => of(vq)).flat()]);
    expect(check.virtqueues().every(({ rejected }) => rejected === 10)).toBe(true);
    expect(check.rejections()).toHaveLength(32);
    expect(check.rejections().filter(({ vq }) => vq === 0)).toHaveLength(4);
  });
});

describe('what is not judged', () => {
  it('before the first round of a recording that begins in the middle', () => {
    const check = checked([BEGIN, ...events(`hdhd2xa${ROUND}`)]);
    expect(check.virtqueues().map(sums)).toEqual([
      { accesses: 19, judged: 12, accepted: 12, rejected: 0 },
    ]);
  });

  it.each(['L', 'LL'])('from a loss to the next round: %s', (lost) => {
    const check = checked([BEGIN, ...events(`Zfu${ROUND}|fihd${lost}dd${ROUND}`)]);
    expect(check.virtqueues().map(sums)).toEqual([
      { accesses: 32, judged: 30, accepted: 30, rejected: 0 },
    ]);
  });

  it('a virtqueue without round and reset', () => {
    const [virtqueue] = checked([BEGIN, ...events('ddd')]).virtqueues();
    expect(virtqueue).toMatchObject({ accesses: 3, judged: 0, notJudged: 'no_start' });
  });

  it('a recording of counts, also what came before the first; others are', () => {
    const counted: EventRecord = { ...events('d')[0], n: 5 };
    const first = [...events('Z|hh|hh'), ...events('Z|fi', 1), counted, ...events('|fihd', 1)];
    const second = events(`Zfu${ROUND}hh`, 2);
    const check = checked([BEGIN, ...first, BEGIN, ...second]);
    expect(check.virtqueues()).toMatchObject([
      { vq: 0, accesses: 9, judged: 0, rejected: 0, notJudged: 'counted' },
      { vq: 1, accesses: 6, judged: 0, rejected: 0, notJudged: 'counted' },
      { vq: 2, accesses: 16, judged: 15, rejected: 1, notJudged: undefined },
    ]);
    expect(check.rejections()).toMatchObject([{ vq: 2, recording: 1 }]);
  });

  it('a recording whose put_used do not say how many entries they moved', () => {
    const { entries: _, ...put } = events('2')[0];
    const [virtqueue] = checked([BEGIN, ...events('Zfu|fihdhdifi'), put]).virtqueues();
    expect(virtqueue).toMatchObject({ accesses: 12, judged: 0, notJudged: 'no_entries' });
  });
});

describe('the device IOTLB', () => {
  const MISSES = 'Zfu||fihd|hdifi1xa';
  const unseen = (event: EventRecord): EventRecord => {
    const { observed: _, ...others } = event;
    return others;
  };
  const rejected = (
    see: (event: EventRecord) => EventRecord,
    first: readonly EventRecord[] = [],
  ): number =>
    checked([BEGIN, ...events('Z'), ...first, ...events(MISSES.slice(1)).map(see)])
      .virtqueues()
      .reduce((sum, virtqueue) => sum + virtqueue.rejected, 0);

  it('ends rounds and chains where it may be on', () => {
    const switched: EventRecord = { event: 'iotlb', time: 1n, cpu: 0, vq: 0, enabled: 1 };
    expect(rejected((event) => ({ ...event, observed: 2 }))).toBe(0);
    expect(rejected(unseen)).toBe(0);
    expect(rejected(unseen, [switched])).toBe(0);
  });

  it('and not where it is seen to be off', () => {
    const switched: EventRecord = { event: 'iotlb', time: 1n, cpu: 0, vq: 0, enabled: 0 };
    expect(rejected((event) => event)).toBeGreaterThan(0);
    expect(rejected(unseen, [switched])).toBeGreaterThan(0);
  });
});

describe('chains', () => {
  const habit = `Zfu${'|fihdifi1xa'.repeat(300)}`;

  it('of another length than all others are unusual, and explained', () => {
    const check = checked([BEGIN, ...events(`${habit}|fihddifi1xa|fihdifi1xa`)]);
    const [virtqueue] = check.virtqueues();
    expect(virtqueue).toMatchObject({ rejected: 0, habit: { length: 1, usual: 301, unusual: 1 } });
    const [chain, ...others] = check.unusualChains();
    expect(others).toEqual([]);
    const number = 2 + 300 * 10 + 5;
    expect(chain).toMatchObject({ length: 2, number, time: BigInt(1000 + number + 301) });
    expect(chain.before.at(-1)).toMatchObject({ accessor: 'get_desc', time: chain.time });
  });

  it('that are shorter, too: of one a descriptor is missing', () => {
    const three = habit.replaceAll('d', 'ddd');
    const check = checked([BEGIN, ...events(`${three}|fihddifi1xa`)]);
    expect(check.unusualChains()).toMatchObject([{ length: 2 }]);
  });

  it.each([
    ['any', 0],
    [2, 0],
    [1, 1],
  ] as const)('of any number or at most so many: %s', (chainLength, rejected) => {
    const check = checked([BEGIN, ...events(`${habit}|fihddifi1xa`)], { chainLength });
    expect(check.unusualChains()).toEqual([]);
    expect(check.virtqueues()).toMatchObject([{ rejected, habit: undefined }]);
  });

  it('of all lengths are no habit', () => {
    const mixed = habit.replaceAll('|fihdifi1xa|fihdifi1xa', '|fihdifi1xa|fihdddifi1xa');
    const check = checked([BEGIN, ...events(mixed)]);
    expect(check.virtqueues()).toMatchObject([{ rejected: 0, habit: undefined }]);
    expect(check.unusualChains()).toEqual([]);
  });
});
