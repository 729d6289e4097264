/** One access of a trace dropped, doubled or swapped with its neighbour: does the acceptor see it? */
import type { AccessorAcceptor } from '../src/accessor-rules/accessor-acceptor.ts';
import { chainHabit } from '../src/accessor-rules/chain-lengths.ts';
import { give, type Item } from './access-stream.ts';
import type { SeededRandom } from './seeded-random.ts';

export const MUTATIONS = ['dropped', 'doubled', 'swapped'] as const;
export type Mutation = (typeof MUTATIONS)[number];

export interface Shares {
  tried: number;
  /** Accessors that were mutated without a rejection by the rules. */
  accepted: number[];
  /** Of those, where no chain has an unusual length either. */
  escaped: number[];
}

export const createShares = (): Shares => ({ tried: 0, accepted: [], escaped: [] });

export function byMutation<T>(create: () => T): Record<Mutation, T> {
  return { dropped: create(), doubled: create(), swapped: create() };
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

/** What is not rejected within so many events counts as accepted; those that are, are within some 130. */
const HORIZON = 500;

/**
 * How many chains of each length there are more once `at` is mutated, where the rest of the stream is accepted;
 * undefined where it is rejected. The acceptor stands before `at`.
 */
function moreChains(
  before: AccessorAcceptor,
  stream: readonly Item[],
  at: number,
  mutation: Mutation,
): number[] | undefined {
  const [changed, then] = mutated(stream, at, mutation);
  const acceptor = before.fork();
  for (const item of changed) if (!give(acceptor, item)) return undefined;
  const end = Math.min(stream.length, then + HORIZON);
  for (let i = then; i < end; i++) if (!give(acceptor, stream[i])) return undefined;
  const unmutated = before.fork();
  for (let i = at; i < end; i++) give(unmutated, stream[i]);
  const { counts } = unmutated.chains;
  return acceptor.chains.counts.map((count, length) => count - counts[length]);
}

/** Where one mutation is tried: places of one stream, in order; the same place may come twice. */
function choosePlaces(
  stream: readonly Item[],
  mutation: Mutation,
  times: number,
  random: SeededRandom,
): number[] {
  const places = stream.flatMap((item, at) => {
    if (item.kind !== 'access') return [];
    if (mutation !== 'swapped') return [at];
    const other = accessAt(stream, neighbourOf(stream, at));
    return other !== undefined && differ(item, other) ? [at] : [];
  });
  return Array.from({ length: places.length === 0 ? 0 : times }, () =>
    random.pick(places),
  ).toSorted((a, b) => a - b);
}

/**
 * Mutates one stream at random places, each time one access of the whole, and says what is rejected. One pass
 * over the stream for all kinds: at each place the acceptor is forked.
 *
 * @param randoms what chooses the places, by mutation
 */
export function tryMutations(
  fresh: AccessorAcceptor,
  stream: readonly Item[],
  times: number,
  randoms: Readonly<Record<Mutation, SeededRandom>>,
): Record<Mutation, Shares> {
  const shares = byMutation(createShares);
  const places = MUTATIONS.flatMap((mutation) =>
    choosePlaces(stream, mutation, times, randoms[mutation]).map((at) => ({ mutation, at })),
  ).toSorted((a, b) => a.at - b.at);
  const accepted: { readonly of: Shares; readonly accessor: number; readonly more: number[] }[] =
    [];
  let done = 0;
  for (const { mutation, at } of places) {
    for (; done < at; done++) give(fresh, stream[done]);
    const of = shares[mutation];
    of.tried++;
    const more = moreChains(fresh, stream, at, mutation);
    if (more !== undefined)
      accepted.push({ of, accessor: accessAt(stream, at)?.accessor ?? 0, more });
  }
  // Which length is usual shows at the end.
  for (; done < stream.length; done++) give(fresh, stream[done]);
  for (const { of, accessor, more } of accepted) {
    of.accepted.push(accessor);
    const counts = fresh.chains.counts.map((count, length) => count + more[length]);
    if ((chainHabit(counts)?.unusual ?? 0) === 0) of.escaped.push(accessor);
  }
  return shares;
}
