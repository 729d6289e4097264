/** One access of a trace dropped, doubled or swapped with its neighbour: does the acceptor see it? */
import type { AccessorAcceptor } from '../src/accessor-rules/accessor-acceptor.ts';
import { chainHabit } from '../src/accessor-rules/chain-lengths.ts';
import { give, type Item } from './access-stream.ts';
import type { SeededRandom } from './seeded-random.ts';

export const MUTATIONS = ['dropped', 'doubled', 'swapped'] as const;
export type Mutation = (typeof MUTATIONS)[number];

export interface Shares {
  tried: number;
  rejected: number;
  /** Accessors that were mutated without a rejection. */
  escaped: number[];
}

type Access = Item & { kind: 'access' };

const accessAt = (stream: readonly Item[], at: number): Access | undefined => {
  const item = stream[at];
  return item?.kind === 'access' ? item : undefined;
};

/** Place of the next access of the virtqueue: marks in between stay where they are. */
function neighbourOf(stream: readonly Item[], at: number): number {
  let next = at + 1;
  while (next < stream.length && stream[next].kind !== 'access') next++;
  return next;
}

/** Whether swapping makes another sequence at all. */
function differ(a: Access, b: Access): boolean {
  return a.accessor !== b.accessor || a.entries !== b.entries;
}

/** What stands at `at` and after it in the mutated stream, up to where it is the old one again. */
function mutated(stream: readonly Item[], at: number, mutation: Mutation): [Item[], number] {
  if (mutation === 'dropped') return [[], at + 1];
  if (mutation === 'doubled') return [[stream[at], stream[at]], at + 1];
  const other = neighbourOf(stream, at);
  return [[stream[other], ...stream.slice(at + 1, other), stream[at]], other + 1];
}

/** What is not rejected within so many events counts as escaped. */
const HORIZON = 2_000;

/** Whether the rest of the stream is rejected once `at` is mutated; the acceptor stands before it. */
function isRejected(
  before: AccessorAcceptor,
  stream: readonly Item[],
  at: number,
  mutation: Mutation,
  chains: readonly number[] | undefined,
): boolean {
  const [changed, then] = mutated(stream, at, mutation);
  const acceptor = before.fork();
  for (const item of changed) if (!give(acceptor, item)) return true;
  const end = Math.min(stream.length, then + HORIZON);
  for (let i = then; i < end; i++) if (!give(acceptor, stream[i])) return true;
  if (chains === undefined) return false;
  // What `auto` says of the whole: its chains, with those of the mutated part for those that were there.
  const unmutated = before.fork();
  for (let i = at; i < end; i++) give(unmutated, stream[i]);
  const counts = chains.map(
    (count, length) =>
      count - (unmutated.chains.counts[length] ?? 0) + (acceptor.chains.counts[length] ?? 0),
  );
  return (chainHabit(counts)?.unusual ?? 0) > 0;
}

/**
 * Mutates one stream at random places, each time one access of the whole, and counts what is rejected.
 * One pass over the stream: at each place the acceptor is forked.
 *
 * @param chains the chains of the whole stream, where unusual ones count as rejected
 */
export function tryMutations(
  fresh: AccessorAcceptor,
  stream: readonly Item[],
  mutation: Mutation,
  times: number,
  random: SeededRandom,
  chains?: readonly number[],
): Shares {
  const places = stream.flatMap((item, at) => {
    if (item.kind !== 'access') return [];
    if (mutation !== 'swapped') return [at];
    const other = accessAt(stream, neighbourOf(stream, at));
    return other !== undefined && differ(item, other) ? [at] : [];
  });
  const chosen = Array.from({ length: places.length === 0 ? 0 : times }, () =>
    random.pick(places),
  ).toSorted((a, b) => a - b);
  const shares: Shares = { tried: 0, rejected: 0, escaped: [] };
  let done = 0;
  for (const at of chosen) {
    for (; done < at; done++) give(fresh, stream[done]);
    shares.tried++;
    if (isRejected(fresh, stream, at, mutation, chains)) shares.rejected++;
    else shares.escaped.push(accessAt(stream, at)?.accessor ?? 0);
  }
  return shares;
}
