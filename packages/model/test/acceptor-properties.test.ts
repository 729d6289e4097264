/** What the rules derive, the acceptor of the same rules accepts; what only others derive, it rejects. */
import { assert, boolean, constantFrom, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createAccessorAcceptor,
  type AcceptorOptions,
} from '../src/accessor-rules/accessor-acceptor.ts';
import { ACCESSOR_RULE_SETS, type AccessorRules } from '../src/accessor-rules/rule-sets.ts';
import { give, type Item } from './access-stream.ts';
import { SeededRandom } from './seeded-random.ts';
import { call, createWorld, driverAdds, simulateRounds, type World } from './simulated-handlers.ts';

/** Times the usual number of runs. */
const RUNS = Number(process.env['ACCEPTOR_RUNS'] ?? 1);

const nums = constantFrom(2, 4, 16, 64, 256, 1024);

/** Place of the first event that is rejected, or -1. */
function firstRejected(rules: AccessorRules, items: readonly Item[], options: AcceptorOptions) {
  const acceptor = createAccessorAcceptor(rules, options);
  const at = items.findIndex((item) => !give(acceptor, item));
  return at < 0 ? -1 : { at, rejection: acceptor.rejections[0] };
}

/** Calls in any order, of a caller that puts and discards only what it has fetched. */
function randomCalls(world: World, count: number, failures: boolean): Item[] {
  const { random, ring, items } = world;
  let held = 0;
  for (let i = 0; i < count; i++) {
    driverAdds(world, random.chance(0.3) ? 6 : 0, held);
    const inMemory = world.avail;
    const failsAt = failures && random.chance(0.1) ? { failsAt: random.between(1, 4) } : {};
    switch (random.between(0, 8)) {
      case 0:
      case 1: {
        const chain = random.between(1, world.mostDescriptors);
        const made = { function: 'vhost_get_vq_desc', inMemory, chain, ...failsAt } as const;
        if (call(world, made) === 'head') held++;
        break;
      }
      case 2: {
        const put = random.between(0, held);
        if (put === 0) break;
        const both = random.chance(0.5);
        const name = both ? 'vhost_add_used_and_signal_n' : 'vhost_add_used_n';
        call(world, { function: name, count: put, ...failsAt });
        held -= put;
        break;
      }
      case 3:
        call(world, { function: 'vhost_signal', ...failsAt });
        break;
      case 4:
        call(world, { function: 'vhost_enable_notify', inMemory, ...failsAt });
        break;
      case 5:
        call(world, { function: 'vhost_disable_notify', ...failsAt });
        break;
      case 6:
        call(world, { function: 'vhost_vq_avail_empty', inMemory, ...failsAt });
        break;
      case 7: {
        const discarded = random.between(0, Math.min(held, 2));
        call(world, { function: 'vhost_discard_vq_desc', count: discarded });
        held -= discarded;
        break;
      }
      default:
        if (random.chance(0.1)) items.push({ kind: 'unmap' });
        if (random.chance(0.1)) {
          const usedInMemory = ring.lastUsedIdx;
          call(world, { function: 'vhost_vq_init_access', usedInMemory, ...failsAt });
        }
        items.push({ kind: 'round' });
    }
  }
  return items;
}

describe.each(ACCESSOR_RULE_SETS)('the rules of $name', { timeout: 120_000 * RUNS }, (rules) => {
  it('accept what they derive from calls in any order', () => {
    assert(
      property(nat(), nums, boolean(), integer({ min: 1, max: 3 }), (seed, num, failures, most) => {
        const world = createWorld(rules, new SeededRandom(seed), num, Math.min(most, num));
        const items = randomCalls(world, 300, failures);
        const options: AcceptorOptions = { handlers: 'any', failures, mostDescriptors: most };
        expect(firstRejected(rules, items, options)).toBe(-1);
      }),
      { numRuns: 150 * RUNS },
    );
  });

  it.each(['rx', 'tx'] as const)('accept what they derive from handle_%s', (handler) => {
    const runs = property(
      nat(),
      nums,
      constantFrom(1, 1, 3, 20),
      integer({ min: 1, max: 3 }),
      boolean(),
      boolean(),
      (seed, num, mostHeads, most, failures, iotlb) => {
        const world = createWorld(rules, new SeededRandom(seed), num, Math.min(most, num));
        world.iotlb = iotlb;
        const items = simulateRounds(world, handler, 15, mostHeads);
        const options: AcceptorOptions = { failures, mostDescriptors: most };
        expect(firstRejected(rules, items, options)).toBe(-1);
        const handlers = handler === 'rx' ? 'net_rx' : 'net_tx';
        expect(firstRejected(rules, items, { ...options, handlers })).toBe(-1);
        expect(firstRejected(rules, items, { ...options, handlers: 'any' })).toBe(-1);
      },
    );
    assert(runs, { numRuns: 25 * RUNS });
  });
});

/** Sequences of vhost-net, one character an access or the mark of a round. */
const LETTERS: Readonly<Record<string, number>> = {
  i: 1,
  h: 2,
  a: 3,
  u: 5,
  d: 6,
  p: 8,
  f: 9,
  x: 10,
};

/** A ring of 256 without EVENT_IDX, attached; `|` begins a round, a digit is put_used of as many. */
function attached(letters: string): Item[] {
  const items: Item[] = [
    { kind: 'reset' },
    { kind: 'addresses', area: 0, size: 16 * 256 },
    { kind: 'addresses', area: 1, size: 4 + 2 * 256 },
    { kind: 'access', accessor: LETTERS['f'], entries: 1, iotlb: false },
    { kind: 'access', accessor: LETTERS['u'], entries: 1 },
  ];
  for (const letter of letters) {
    if (letter === '|') items.push({ kind: 'round' });
    else if (letter in LETTERS) {
      items.push({ kind: 'access', accessor: LETTERS[letter], entries: 1 });
    } else items.push({ kind: 'access', accessor: LETTERS['p'], entries: Number(letter) });
  }
  return items;
}

describe('sequences that tell the rule sets apart', () => {
  it.each([
    ['enable_notify found more and cached the index', '|fififhd1xa', '5.18 6.1'],
    ['enable_notify found more and did not cache the index', '|fififihd1xa', '5.3'],
    ['enable_notify found nothing but a discarded head', '|fihdifi|fhd', '5.3 6.1'],
    ['enable_notify took a discarded head for a new one', '|fihdififhdififhdhd2xa', '5.18'],
    ['what all have in common', '|fihdhdifi2xa|fifi', '5.3 5.18 6.1'],
  ])('%s: %s', (_, letters, accepting) => {
    const found = ACCESSOR_RULE_SETS.filter(
      (rules) => firstRejected(rules, attached(letters), {}) === -1,
    );
    expect(found.map(({ name }) => name).join(' ')).toBe(accepting);
  });

  it.each([
    ['a failed put is followed by no index', '|fihd1a|ihd1xa', '6.1'],
    ['the index is written although the put may have failed', '|fihd1xa', '5.3 5.18 6.1'],
  ])('%s: %s', (_, letters, accepting) => {
    const found = ACCESSOR_RULE_SETS.filter(
      (rules) => firstRejected(rules, attached(letters), { failures: true }) === -1,
    );
    expect(found.map(({ name }) => name).join(' ')).toBe(accepting);
  });
});

describe('the device IOTLB', () => {
  const MISSES = '|||fihd|hdifi1xa';

  it.each([
    ['may be on until an access shows that it is not', undefined, -1],
    ['is on', true, -1],
    ['is off: no round ends without an access, no chain without a put', false, 6],
  ])('%s', (_, iotlb, expected) => {
    const items = attached(MISSES).map((item) => {
      if (item.kind !== 'access') return item;
      return iotlb === undefined ? { ...item, iotlb } : { ...item, iotlb };
    });
    const found = firstRejected(ACCESSOR_RULE_SETS[2], items, {});
    expect(typeof found === 'number' ? found : found.at).toBe(expected);
  });
});
