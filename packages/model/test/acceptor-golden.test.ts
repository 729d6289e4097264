/**
 * The accesses of a real kernel: 6.1.192 with vhost-net. All are accepted; with one of them dropped,
 * doubled or swapped with its neighbour, nearly all are rejected. What escapes and why stands in
 * `src/accessor-rules/README.md`.
 */
import { describe, expect, it } from 'vitest';
import {
  createAccessorAcceptor,
  type AcceptorOptions,
} from '../src/accessor-rules/accessor-acceptor.ts';
import { findAccessorRules } from '../src/accessor-rules/rule-sets.ts';
import { ACCESSORS } from '../src/ring.ts';
import { MUTATIONS, tryMutations, type Mutation, type Shares } from './access-mutations.ts';
import { give, goldenStreams, type Item } from './access-stream.ts';
import { SeededRandom } from './seeded-random.ts';

const traces = goldenStreams();
const rules = findAccessorRules('6.1');
if (rules === undefined) throw new Error('there are no rules of 6.1');

/** Accesses that the traces hold, counted from their text (traces/README.md). */
const ALL_ACCESSES = 409_084;
/** Mutations of each kind and file. */
const TIMES = 400;

/** The drivers of all traces use one descriptor a packet: nothing in the rules says so. */
const ONE_DESCRIPTOR: AcceptorOptions = { mostDescriptors: 1 };

const accessesOf = (stream: readonly Item[]): number =>
  stream.filter(({ kind }) => kind === 'access').length;

/** Shares of one file; each virtqueue has as many mutations as its part of the accesses. */
function sharesOf(streams: readonly Item[][], mutation: Mutation, options: AcceptorOptions) {
  const random = new SeededRandom(20_190_524);
  const all = streams.reduce((sum, stream) => sum + accessesOf(stream), 0);
  const shares: Shares = { tried: 0, rejected: 0, escaped: [] };
  for (const stream of streams) {
    const times = Math.round((TIMES * accessesOf(stream)) / all);
    const acceptor = createAccessorAcceptor(rules!, options);
    const found = tryMutations(acceptor, stream, mutation, times, random);
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
function measure(title: string, options: AcceptorOptions): Record<Mutation, Shares[]> {
  const all: Record<Mutation, Shares[]> = { dropped: [], doubled: [], swapped: [] };
  const lines = traces.map(({ name, streams }) => {
    const row = MUTATIONS.map((mutation) => {
      const shares = sharesOf(streams, mutation, options);
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
  process.stdout.write(`rejected, ${title}\n${[...lines, ...sums].join('\n')}\n`);
  return all;
}

const least = (shares: readonly Shares[]): number =>
  Math.min(...shares.map(({ tried, rejected }) => rejected / tried));

describe('golden traces under the rules of 6.1', { timeout: 120_000 }, () => {
  it('are all there', () => {
    expect(traces).toHaveLength(12);
    const accesses = traces.flatMap(({ streams }) => streams.map(accessesOf));
    expect(accesses.reduce((sum, count) => sum + count)).toBe(ALL_ACCESSES);
  });

  it.each(traces)('$name: every access is accepted', ({ streams }) => {
    for (const [rank, stream] of streams.entries()) {
      for (const handlers of ['net', rank === 0 ? 'net_rx' : 'net_tx', 'any'] as const) {
        const acceptor = createAccessorAcceptor(rules, { ...ONE_DESCRIPTOR, handlers });
        expect(stream.findIndex((item) => !give(acceptor, item))).toBe(-1);
        expect(acceptor.counts.judged).toBe(accessesOf(stream));
        expect(acceptor.longestChain()).toBeLessThanOrEqual(1);
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

  it('with one access mutated, are rejected', () => {
    const shares = measure('one descriptor a chain', ONE_DESCRIPTOR);
    for (const mutation of MUTATIONS) expect(least(shares[mutation])).toBeGreaterThanOrEqual(0.95);
  });

  it('with chains of any length, a doubled get_desc is a longer chain', () => {
    const shares = measure('chains of any length', {});
    expect(least(shares.dropped)).toBeGreaterThanOrEqual(0.95);
    expect(least(shares.swapped)).toBeGreaterThanOrEqual(0.95);
    const escaped = new Set(shares.doubled.flatMap((share) => share.escaped));
    expect([...escaped].map((accessor) => ACCESSORS[accessor])).toEqual(['get_desc']);
  });
});
