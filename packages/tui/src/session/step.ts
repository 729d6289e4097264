/** Steps from event to event, from round to round, from invalidation to invalidation. */
import { KIND, rangeStartOf, type HostKind } from '@vhostscope/model';
import { seconds } from '@vhostscope/terminal';
import type { Account } from '../account/account.js';
import type { StepKind } from '../dashboard.js';
import type { Wanted } from './player.js';

export type MomentKind = Exclude<StepKind, 'storm'>;

/**
 * Which events are stepped to.
 *
 * @param vq of which virtqueue; undefined for any
 */
export function wantedEvent(
  kind: MomentKind,
  account: Account,
  host: HostKind,
  vq: number | undefined,
): Wanted {
  switch (kind) {
    case 'event':
      return { kind: undefined, is: () => true };
    case 'round':
      return { kind: KIND.round, is: (batch, i) => vq === undefined || batch.vq[i] === vq };
    case 'invalidation':
      return {
        kind: rangeStartOf(host),
        is: (batch, i) => account.invalidations.isOver(batch, i, vq),
      };
  }
}

/** Moments of the last one, and of the one before it; -1 where there is none. */
export function lastMoments(
  kind: MomentKind,
  account: Account,
  vq: number | undefined,
): readonly [last: number, before: number] {
  switch (kind) {
    case 'event':
      return [account.last, account.beforeLast];
    case 'round':
      return account.lastRound(vq);
    case 'invalidation':
      return account.invalidations.lastOf(vq);
  }
}

/** What to say where there is nothing to step to. */
export const NOT_FOUND: Readonly<Record<StepKind, string>> = {
  event: 'no event comes after this one',
  round: 'no round comes after this one',
  invalidation: 'no invalidation of a ring comes after this one',
  storm: 'no storm is known after this moment',
};
export const NONE_BEFORE: Readonly<Record<StepKind, string>> = {
  event: 'no event came before this one',
  round: 'no round came before this one',
  invalidation: 'no invalidation of a ring came before this one',
  storm: 'no storm began before this moment',
};

/** @param until where what was kept ends, ns since the first event */
export function notKept(until: number): string {
  return `nothing behind ${seconds(BigInt(Math.round(until)))} was kept (--keep): l goes on live`;
}
