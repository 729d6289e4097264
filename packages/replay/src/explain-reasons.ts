/** Why invalidate_count is as uncertain as it is, and what would settle it, in words. */
import type { CallbackSnapshot, VirtqueueSnapshot } from '@vhostscope/model';
import { counted } from '@vhostscope/terminal';

/** One sentence for each thing that widens the interval; they add up to its width. */
export function widthReasons(snapshot: VirtqueueSnapshot): string[] {
  const { count, underWay, unfollowed } = snapshot;
  if (count.least !== undefined && count.least === count.most) return [];
  const reasons: string[] = [];
  const starts = underWay.starts - unfollowed.starts;
  const ends = underWay.ends - unfollowed.ends;
  if (starts > 0)
    reasons.push(
      `${counted(starts, 'effect')} of starts under way: each adds 1, now or when it happens`,
    );
  if (ends > 0)
    reasons.push(
      `${counted(ends, 'effect')} of ends under way: each takes 1 away, now or when it happens`,
    );
  if (unfollowed.starts > 0)
    reasons.push(
      `${counted(unfollowed.starts, 'effect')} of older starts, not followed any more: +1 each, or not`,
    );
  if (unfollowed.ends > 0)
    reasons.push(
      `${counted(unfollowed.ends, 'effect')} of earlier ends that may have happened: -1 each, or not; ` +
        'only unregistration of the notifier shows that they have',
    );
  return [...reasons, ...restReason(snapshot)];
}

/** What is left without the effects under way. */
function restReason({ count, underWay }: VirtqueueSnapshot): string[] {
  if (count.least === undefined || count.most === undefined) {
    return [
      'nothing bounds the rest: the count was not seen to start from 0 since the recording began or ' +
        'events were lost, or a callback came when the range of an area was not known',
    ];
  }
  const least = count.least + underWay.ends;
  const most = count.most - underWay.starts;
  if (least === most) return [];
  return [
    `what is over adds up to ${least}…${most}: effects that came about when the ring was set up or reset, ` +
      'before or after it',
  ];
}

/** What would show that the effects of a callback have happened. */
export function boundOf({ dev }: VirtqueueSnapshot, callback: CallbackSnapshot): string[] {
  const bounds: string[] = [];
  if (callback.waitsForCpu !== undefined) {
    bounds.push(
      callback.isStart
        ? `the next event of cpu ${callback.waitsForCpu}: as far as the first area that may have a map`
        : `the next event of cpu ${callback.waitsForCpu}`,
    );
  }
  if (callback.endShows) bounds.push('the entry of its end: same range, process and name');
  bounds.push(`unregistration of the notifier of dev ${dev ?? callback.dev}`);
  return bounds;
}
