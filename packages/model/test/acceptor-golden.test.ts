/**
 * The accesses of a real kernel: 6.1.192 with vhost-net, judged by the rules of each. All are accepted; with one of them dropped,
 * doubled or swapped with its neighbour, nearly all are rejected. What escapes and why stands in
 * `src/accessor-rules/README.md`.
 */
import { describe, expect, it } from 'vitest';
import {
  createAccessorAcceptor,
  type AcceptorOptions,
} from '../src/accessor-rules/accessor-acceptor.ts';
import { chainHabit } from '../src/accessor-rules/chain-lengths.ts';
import { ACCESSOR_RULE_SETS, type AccessorRules } from '../src/accessor-rules/rule-sets.ts';
import { ACCESSORS } from '../src/ring.ts';
import {
  byMutation,
  createShares,
  MUTATIONS,
  tryMutations,
  type Mutation,
  type Shares,
} from './access-mutations.ts';
import { give, goldenStreams, type Item } from './access-stream.ts';
import { SeededRandom } from './seeded-random.ts';

const traces = goldenStreams();

/** Accesses that the traces hold, counted from their text (traces/README.md). */
const ALL_ACCESSES = 409_084;
/** Mutations of each kind and file; the README tells the shares of `ACCEPTOR_RUNS=4`. */
const TIMES = 100 * Number(process.env['ACCEPTOR_RUNS'] ?? 1);

/** The drivers of all traces use one descriptor a packet: nothing in the rules says so. */
const ONE_DESCRIPTOR: AcceptorOptions = { mostDescriptors: 1 };

const accessesOf = (stream: readonly Item[]): number =>
  stream.filter(({ kind }) => kind === 'access').length;

/** Shares of one file; each virtqueue has as many mutations as its part of the accesses. */
function sharesOf(rules: AccessorRules, streams: readonly Item[][]): Record<Mutation, Shares> {
  const randoms = byMutation(() => new SeededRandom(20_190_524));
  const all = streams.reduce((sum, stream) => sum + accessesOf(stream), 0);
  const shares = byMutation(createShares);
  for (const stream of streams) {
    const times = Math.round((TIMES * accessesOf(stream)) / all);
    const found = tryMutations(createAccessorAcceptor(rules), stream, times, randoms);
    for (const mutation of MUTATIONS) addShares(shares[mutation], found[mutation]);
  }
  return shares;
}

function addShares(sum: Shares, { tried, accepted, escaped }: Shares): void {
  sum.tried += tried;
  sum.accepted.push(...accepted);
  sum.escaped.push(...escaped);
}

/** How many of those tried did not get by. */
const percent = (tried: number, by: readonly number[]): string =>
  `${((100 * (tried - by.length)) / tried).toFixed(2).padStart(6)} %`;

/** Which accessors escaped, and how often. */
function namesOf(escaped: readonly number[]): string {
  const counts = new Map<string, number>();
  for (const accessor of escaped) {
    counts.set(ACCESSORS[accessor], (counts.get(ACCESSORS[accessor]) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}

/** Shares of all files by mutation; prints them. */
function measure(
  rules: AccessorRules,
  title: string,
  files: readonly { readonly name: string; readonly streams: readonly Item[][] }[],
): Record<Mutation, Shares[]> {
  const all = byMutation((): Shares[] => []);
  const lines = files.map(({ name, streams }) => {
    const shares = sharesOf(rules, streams);
    const row = MUTATIONS.map((mutation) => {
      const { tried, escaped } = shares[mutation];
      all[mutation].push(shares[mutation]);
      return `${mutation} ${percent(tried, escaped)}`;
    });
    return `  ${name.padEnd(26)}${row.join('  ')}`;
  });
  const sums = MUTATIONS.map((mutation) => {
    const sum = createShares();
    for (const shares of all[mutation]) addShares(sum, shares);
    const { tried, accepted, escaped } = sum;
    const told = (by: readonly number[]): string =>
      `${percent(tried, by)}${by.length === 0 ? '' : ` (not: ${namesOf(by)})`}`;
    return `  ${mutation} of ${tried}: ${told(escaped)}; with chains of any length ${told(accepted)}`;
  });
  process.stdout.write(
    `rejected by the rules of ${rules.name}, ${title}\n${[...lines, ...sums].join('\n')}\n`,
  );
  return all;
}

/** The file of which fewest do not get by. */
const least = (shares: readonly Shares[], by: 'accepted' | 'escaped'): number =>
  Math.min(...shares.map((one) => 1 - one[by].length / one.tried));

it('golden traces are all there', () => {
  expect(traces).toHaveLength(12);
  const accesses = traces.flatMap(({ streams }) => streams.map(accessesOf));
  expect(accesses.reduce((sum, count) => sum + count)).toBe(ALL_ACCESSES);
});

const TIMEOUT = { timeout: 240_000 };

describe.each(ACCESSOR_RULE_SETS)('golden traces under the rules of $name', TIMEOUT, (rules) => {
  it.each(traces)('$name: every access is accepted', ({ streams }) => {
    for (const [rank, stream] of streams.entries()) {
      for (const handlers of ['net', rank === 0 ? 'net_rx' : 'net_tx', 'any'] as const) {
        const acceptor = createAccessorAcceptor(rules, { ...ONE_DESCRIPTOR, handlers });
        expect(stream.findIndex((item) => !give(acceptor, item))).toBe(-1);
        expect(acceptor.counts.judged).toBe(accessesOf(stream));
        expect(chainHabit(acceptor.chains.counts)?.unusual ?? 0).toBe(0);
      }
    }
  });

  it.each(traces)('$name: so it is when the recording begins in the middle', ({ streams }) => {
    const random = new SeededRandom(1);
    for (const stream of streams) {
      for (let times = 0; times < 10; times++) {
        const from = random.between(0, stream.length - 1);
        const part = stream.slice(from, from + 3_000);
        const acceptor = createAccessorAcceptor(rules);
        expect(part.findIndex((item) => !give(acceptor, item))).toBe(-1);
      }
    }
  });

  it('with one access mutated, are rejected, or a chain of theirs is unusual', () => {
    const shares = measure(rules, 'accesses as they are', traces);
    for (const mutation of MUTATIONS)
      expect(least(shares[mutation], 'escaped')).toBeGreaterThanOrEqual(0.95);
    // With chains of any length, a doubled get_desc is a longer chain.
    expect(least(shares.dropped, 'accepted')).toBeGreaterThanOrEqual(0.95);
    expect(least(shares.swapped, 'accepted')).toBeGreaterThanOrEqual(0.95);
    const accepted = new Set(shares.doubled.flatMap((share) => share.accepted));
    expect([...accepted].map((accessor) => ACCESSORS[accessor])).toEqual(['get_desc']);
  });
});

it('where nothing tells that the device IOTLB is off, it makes little difference', TIMEOUT, () => {
  const unseen = (item: Item): Item =>
    item.kind === 'access' ? { ...item, iotlb: undefined } : item;
  const blind = traces.map(({ name, streams }) => ({
    name,
    streams: streams.map((stream) => stream.map(unseen)),
  }));
  const shares = measure(ACCESSOR_RULE_SETS.at(-1)!, 'device IOTLB not known', blind);
  for (const mutation of MUTATIONS)
    expect(least(shares[mutation], 'escaped')).toBeGreaterThanOrEqual(0.95);
});
