/** Plays a trace into an account, up to any moment, as far as time allows. */
import type { EventBatch } from '@vhostscope/model';
import {
  createLiveMerge,
  type LiveMerge,
  type MergeStop,
  type MergeVisitor,
} from '@vhostscope/trace';
import { createAccount, type Account, type AccountOptions } from '../account/account.js';
import type { SourceTrace } from '../source/source.js';

export interface Player {
  readonly account: Account;
  readonly merge: LiveMerge;
  /** All events before this moment are in the account, ns since the first event. */
  readonly at: number;
  /** The trace has ended, and all of it is in the account. */
  readonly isAtEnd: boolean;
  /**
   * Goes on until `before`, or the end.
   *
   * @param before moment; Infinity for all that there is
   * @param wanted ends the way just behind the first event that is
   */
  play(before: number, pace: Pace, wanted?: Wanted): MergeStop;
}

/** Events that are stepped to. */
export interface Wanted {
  /** Of this kind; undefined for any. */
  readonly kind: number | undefined;
  /** Asked when all before the event is in the account. */
  is(batch: EventBatch, i: number): boolean;
}

export interface Pace {
  /** ms of this program's clock at which to stop. */
  readonly deadline: number;
  /** ms, to know which CPUs are silent. */
  readonly now: number;
  /** Nothing more comes. */
  readonly isOver: boolean;
}

/** Events between two looks at the clock. */
const AT_ONCE = 1 << 15;

export function createPlayer({ bytes, index }: SourceTrace, options: AccountOptions): Player {
  const account = createAccount(options);
  const merge = createLiveMerge(bytes, index);
  /** The latest moment of an event: the clock of a recording may be behind that of one before it. */
  let furthest = -1;
  const take = (batch: EventBatch, from: number, to: number): void => {
    account.consume(batch, from, to);
    furthest = Math.max(furthest, account.last);
  };
  const all: MergeVisitor = {
    words: (batch, from, to) => account.hear(batch, from, to),
    events: (batch, from, to) => {
      take(batch, from, to);
      return to;
    },
  };
  const timeOf = (moment: number): bigint | undefined =>
    moment === Infinity ? undefined : options.first + BigInt(moment);
  let at = 0;
  let isAtEnd = false;

  function play(before: number, { deadline, now, isOver }: Pace, wanted?: Wanted): MergeStop {
    if (isAtEnd) return 'over';
    const visitor = wanted === undefined ? all : upTo(wanted, all.words, take);
    const advance = (until: number, events: number, visit: MergeVisitor): MergeStop =>
      merge.advance({ before: timeOf(until), events, now, isOver }, visit);
    let stop: MergeStop;
    do stop = advance(before, AT_ONCE, visitor);
    while (stop === 'limit' && performance.now() < deadline);
    // Events of the same ns go together.
    if (stop === 'limit' || stop === 'stopped') advance(account.last + 1, Infinity, all);
    at = Math.max(at, stop === 'before' ? before : furthest + 1);
    if (stop === 'over') {
      isAtEnd = true;
      account.finish();
    }
    return stop;
  }

  return {
    account,
    merge,
    get at() {
      return at;
    },
    get isAtEnd() {
      return isAtEnd;
    },
    play,
  };
}

/** Takes events up to the first that is wanted. */
function upTo(
  wanted: Wanted,
  words: MergeVisitor['words'],
  take: MergeVisitor['words'],
): MergeVisitor {
  let isFound = false;
  return {
    words,
    events: (batch, from, to) => {
      let begin = from;
      for (let i = from; i < to && !isFound; i++) {
        if (wanted.kind !== undefined && batch.kind[i] !== wanted.kind) continue;
        if (i > begin) take(batch, begin, i);
        begin = i;
        isFound = wanted.is(batch, i);
      }
      const end = isFound ? begin + 1 : to;
      if (end > begin) take(batch, begin, end);
      return end;
    },
    isDone: () => isFound,
  };
}
