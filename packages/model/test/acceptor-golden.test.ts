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
import { MUTATIONS, tryMutations, type Mutation, type Shares } from './access-mutations.ts';
import { give, goldenStreams, type Item } from './access-stream.ts';
import { SeededRandom } from './seeded-random.ts';

const traces = goldenStreams();

/** Accesses that the traces hold, counted from their text (traces/README.md). */
const ALL_ACCESSES = 409_084;
/** Mutations of each kind and file, where the README tells the shares; elsewhere fewer do. */
const TIMES = 400;
const FEWER = 100;

/** The drivers of all traces use one descriptor a packet: nothing in the rules says so. */
const ONE_DESCRIPTOR: AcceptorOptions = { mostDescriptors: 1 };

/** `auto`: chains of another length than nearly all of the virtqueue count as rejected. */
type Assumed = AcceptorOptions & {
  readonly auto?: boolean;
  /** What the accesses show of the device IOTLB is left out. */
  readonly blind?: boolean;
  /** Mutations of each kind and file. */
  readonly times?: number;
};

const accessesOf = (stream: readonly Item[]): number =>
  stream.filter(({ kind }) => kind === 'access').length;

const unseen = (item: Item): Item =>
  item.kind === 'access' ? { ...item, iotlb: undefined } : item;

/** Chains of one virtqueue, by their descriptors. */
function chainsOf(rules: AccessorRules, stream: readonly Item[]): readonly number[] {
  const acceptor = createAccessorAcceptor(rules);
  for (const item of stream) give(acceptor, item);
  return acceptor.chains.counts;
}

/** Shares of one file; each virtqueue has as many mutations as its part of the accesses. */
function sharesOf(
  rules: AccessorRules,
  streams: readonly Item[][],
  mutation: Mutation,
  { auto, blind, times: timesOfFile = TIMES, ...options }: Assumed,
): Shares {
  const random = new SeededRandom(20_190_524);
  const all = streams.reduce((sum, stream) => sum + accessesOf(stream), 0);
  const shares: Shares = { tried: 0, rejected: 0, escaped: [] };
  for (const whole of streams) {
    const stream = blind === true ? whole.map(unseen) : whole;
    const times = Math.round((timesOfFile * accessesOf(stream)) / all);
    const acceptor = createAccessorAcceptor(rules, options);
    const chains = auto === true ? chainsOf(rules, stream) : undefined;
    const found = tryMutations(acceptor, stream, mutation, times, random, chains);
    shares.tried += found.tried;
    shares.rejected += found.rejected;
    shares.escaped.push(...found.escaped);
  }
  return shares;
}

const percent = ({ tried, rejected }: Shares): string =>
  `${((100 * rejected) / tried).toFixed(2).padStart(6)} %`;

/** Which accessors escaped, and how often. */
function escapedNames({ escaped }: Shares): string {
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
  options: Assumed,
): Record<Mutation, Shares[]> {
  const all: Record<Mutation, Shares[]> = { dropped: [], doubled: [], swapped: [] };
  const lines = traces.map(({ name, streams }) => {
    const row = MUTATIONS.map((mutation) => {
      const shares = sharesOf(rules, streams, mutation, options);
      all[mutation].push(shares);
      return `${mutation} ${percent(shares)}`;
    });
    return `  ${name.padEnd(26)}${row.join('  ')}`;
  });
  const sums = MUTATIONS.map((mutation) => {
    const sum: Shares = {
      tried: all[mutation].reduce((total, { tried }) => total + tried, 0),
      rejected: all[mutation].reduce((total, { rejected }) => total + rejected, 0),
      escaped: all[mutation].flatMap(({ escaped }) => escaped),
    };
    const names = escapedNames(sum);
    return `  ${mutation} ${percent(sum)} of ${sum.tried}${names === '' ? '' : `; not: ${names}`}`;
  });
  process.stdout.write(
    `rejected by the rules of ${rules.name}, ${title}\n${[...lines, ...sums].join('\n')}\n`,
  );
  return all;
}

const least = (shares: readonly Shares[]): number =>
  Math.min(...shares.map(({ tried, rejected }) => rejected / tried));

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
    const shares = measure(rules, 'chains as nearly all of the virtqueue', {
      auto: true,
      times: rules.name === '6.1' ? TIMES : FEWER,
    });
    for (const mutation of MUTATIONS) expect(least(shares[mutation])).toBeGreaterThanOrEqual(0.95);
  });
});

it('with chains of any length, a doubled get_desc is a longer chain', TIMEOUT, () => {
  const shares = measure(ACCESSOR_RULE_SETS.at(-1)!, 'chains of any length', {});
  expect(least(shares.dropped)).toBeGreaterThanOrEqual(0.95);
  expect(least(shares.swapped)).toBeGreaterThanOrEqual(0.95);
  const escaped = new Set(shares.doubled.flatMap((share) => share.escaped));
  expect([...escaped].map((accessor) => ACCESSORS[accessor])).toEqual(['get_desc']);
});

it('where nothing tells that the device IOTLB is off, it makes little difference', TIMEOUT, () => {
  const shares = measure(ACCESSOR_RULE_SETS.at(-1)!, 'device IOTLB not known', {
    auto: true,
    blind: true,
    times: FEWER,
  });
  for (const mutation of MUTATIONS) expect(least(shares[mutation])).toBeGreaterThanOrEqual(0.95);
});
