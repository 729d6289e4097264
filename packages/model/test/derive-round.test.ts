/** What a round did, by its indices, against simulated handlers that count it. */
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BUFFER_MISSED,
  createRoundCounts,
  deriveRound,
  EITHER_MISSED,
  NOTHING_MISSED,
  RING_MISSED,
} from '../src/accessor-rules/derive-round.ts';
import type { RingState } from '../src/accessor-rules/exported-calls.ts';
import { ACCESSOR_RULE_SETS, findAccessorRules } from '../src/accessor-rules/rule-sets.ts';
import { HANDLERS } from '../src/event-fields.ts';
import { createRingWord, type RingWord } from '../src/ring-word.ts';
import { ACCESSORS } from '../src/ring.ts';
import { SeededRandom } from './seeded-random.ts';
import { createWorld, simulateRounds } from './simulated-handlers.ts';

const wordOf = (ring: RingState): RingWord => ({ ...createRingWord(), ...ring });

const IDLE: RingWord = {
  ...createRingWord(),
  lastAvailIdx: 100,
  availIdx: 100,
  lastUsedIdx: 100,
  noNotify: false,
  signalledUsedValid: true,
  callEventfd: true,
  eventIdx: false,
  notifyOnEmpty: false,
};
const RULES = findAccessorRules('6.1')!;

/** Counts by name as least, most, estimate; one number where they agree. Those of nothing are left out. */
function derived(
  handler: string,
  before: Partial<RingWord>,
  after: Partial<RingWord>,
  chain = 1,
  missed = NOTHING_MISSED,
): Record<string, number | number[]> {
  const counts = createRoundCounts();
  const first = { ...IDLE, ...before };
  const round = {
    before: first,
    after: { ...first, ...after },
    num: 256,
    chain,
    usualChain: 1,
    missed,
  };
  deriveRound(RULES, { ...round, handler: HANDLERS.indexOf(handler) }, counts);
  const found: Record<string, number | number[]> = {};
  for (const [at, name] of ACCESSORS.entries()) {
    const [least, most, guess] = [counts.least[at], counts.most[at], counts.estimate[at]];
    if (most > 0) found[name] = least === most ? least : [least, most, guess];
  }
  return found;
}

describe('deriveRound', () => {
  // Reference §4.7: the head follows from the one before, and one element stands for a batch.
  it('of rounds whose buffers are used in order', () => {
    const before = { inOrder: true, lastUsedIdx: 250 };
    const after = { inOrder: true, lastAvailIdx: 110, availIdx: 110, lastUsedIdx: 260 };
    expect(derived('net_tx', before, after)).toMatchObject({
      get_desc: [10, 2305, 10],
      put_used: [1, 10, 1],
      put_used_idx: [1, 10, 1],
    });
    expect(derived('net_tx', before, after)).not.toHaveProperty('get_avail_head');
    // Ten packets, or one that took all the buffers; the end of the ring in between splits no element.
    expect(derived('net_rx', before, after)).toMatchObject({
      put_used: [1, 10, 10],
      put_used_idx: 1,
    });
    expect(derived('net_rx', before, after)).not.toHaveProperty('get_avail_head');
  });

  it('of a round that the device IOTLB had no translation of the ring for: nothing', () => {
    expect(derived('net_tx', {}, {}, 1, RING_MISSED)).toEqual({});
  });

  it('of an rx round that ended with a buffer which the device IOTLB missed: its heads were read', () => {
    const before = { noNotify: true, availIdx: 104 };
    expect(derived('net_rx', before, {}, 2)).not.toHaveProperty('get_avail_head');
    expect(derived('net_rx', before, {}, 2, BUFFER_MISSED)).toMatchObject({
      get_avail_head: [0, 4, 0],
    });
  });

  it('of a round that polls busily: the index was read without bound, and rx puts what it holds', () => {
    const before = { busyPoll: true };
    const tx = { lastAvailIdx: 101, availIdx: 101, lastUsedIdx: 101 };
    expect(derived('net_tx', before, tx)).toMatchObject({
      get_avail_idx: [3, Infinity, 3],
      put_used_flags: [2, 4, 2],
    });
    const rx = { lastAvailIdx: 105, availIdx: 105, lastUsedIdx: 105 };
    expect(derived('net_rx', before, rx)).toMatchObject({ put_used_idx: [1, 5, 5] });
    expect(derived('vsock', before, tx)['get_avail_idx']).not.toContain(Infinity);
  });

  it('of a round that may have ended before it began: nothing for sure', () => {
    const after = { lastAvailIdx: 101, availIdx: 101, lastUsedIdx: 101 };
    const counts = Object.values(derived('net_tx', {}, after, 1, EITHER_MISSED));
    expect(counts.map((span) => (typeof span === 'number' ? span : span[0]))).toEqual(
      counts.map(() => 0),
    );
  });

  it('of a tx round with one packet, which leaves the ring empty', () => {
    const after = { lastAvailIdx: 101, availIdx: 101, lastUsedIdx: 101 };
    expect(derived('net_tx', {}, after)).toEqual({
      get_avail_idx: [3, 6, 3],
      get_avail_head: 1,
      get_avail_flags: 1,
      get_desc: 1,
      put_used: 1,
      put_used_flags: [2, 4, 2],
      put_used_idx: 1,
    });
  });

  it('of a rx round that found no packet', () => {
    expect(derived('net_rx', {}, { noNotify: true })).toEqual({
      get_avail_idx: [0, 2, 0],
      put_used_flags: 1,
    });
    expect(derived('net_rx', { noNotify: true, eventIdx: true }, {})).toEqual({
      get_avail_idx: [0, 2, 0],
    });
  });

  it('of a round that runs over the end of the ring', () => {
    const before = { lastAvailIdx: 250, availIdx: 260, lastUsedIdx: 250, noNotify: true };
    const after = { lastAvailIdx: 260, lastUsedIdx: 260 };
    expect(derived('vsock', before, after)).toMatchObject({
      get_avail_head: [10, 11, 10],
      put_used: 10,
      put_used_idx: 10,
      get_avail_flags: 1,
    });
    expect(derived('net_rx', before, after)).toMatchObject({ put_used: 2, put_used_idx: 1 });
  });

  it('of long chains: the first is counted, the others are guessed', () => {
    const after = { lastAvailIdx: 110, availIdx: 110, lastUsedIdx: 110 };
    const guessed = derived('net_tx', {}, after, 3)['get_desc'];
    expect(guessed).toEqual([3 + 9, 3 + 9 * 256, 30]);
  });

  it.each(ACCESSOR_RULE_SETS)(
    'bounds what simulated handlers do by the rules of $name',
    (rules) => {
      assert(
        property(
          nat(),
          constantFrom('rx', 'tx'),
          constantFrom(4, 16, 64, 256),
          integer({ min: 1, max: 4 }),
          integer({ min: 1, max: 3 }),
          (seed, handler, num, descriptors, mostHeads) => {
            const world = createWorld(rules, new SeededRandom(seed), num, descriptors);
            const counts = createRoundCounts();
            for (let i = 0; i < 12; i++) {
              const before = wordOf(world.ring);
              world.items.length = 0;
              simulateRounds(world, handler, 1, Math.min(num, mostHeads));
              const cut = world.items.findIndex(({ kind }) => kind === 'unmap');
              const items = cut < 0 ? world.items : world.items.slice(0, cut);
              const round = {
                num,
                chain: 0,
                usualChain: 1,
                before,
                after: wordOf(world.ring),
                missed: NOTHING_MISSED,
              };
              const after = cut < 0 ? round.after : { ...round.after, noNotify: before.noNotify };
              if (cut >= 0) continue;
              deriveRound(
                rules,
                { ...round, after, handler: HANDLERS.indexOf(`net_${handler}`) },
                counts,
              );
              for (const [at, name] of ACCESSORS.entries()) {
                if (name === 'none') continue;
                const made = items.filter(
                  (item) => item.kind === 'access' && item.accessor === at,
                ).length;
                const span = `${name}: ${counts.least[at]} ≤ ${made} ≤ ${counts.most[at]}`;
                expect([span, made >= counts.least[at], made <= counts.most[at]]).toEqual([
                  span,
                  true,
                  true,
                ]);
                expect(counts.estimate[at]).toBeGreaterThanOrEqual(counts.least[at]);
                expect(counts.estimate[at]).toBeLessThanOrEqual(counts.most[at]);
              }
            }
          },
        ),
        { numRuns: 300 },
      );
    },
  );
});
