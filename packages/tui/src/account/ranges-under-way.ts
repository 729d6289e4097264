/** Ranges over rings that have begun and not ended: which of them an end belongs to, and whether any is over a virtqueue. */
import { findBegin, type EventBatch, type RangeIdentity } from '@vhostscope/model';

export interface RangeUnderWay<Seen> {
  readonly identity: RangeIdentity;
  readonly seen: Seen;
  readonly virtqueues: readonly number[];
}

export interface RangesUnderWay<Seen> {
  begin(range: RangeUnderWay<Seen>): void;
  /** What was seen of the range that event `i` ends; undefined where its begin was not seen. */
  end(batch: EventBatch, i: number, whose: number): Seen | undefined;
  /** The ends of all of them, or of those of a device, may not come: they are not followed any more. */
  drop(whose: number | 'all'): Seen[];
  /** Asked at each round, so it is counted and not looked for. */
  readonly isOver: (vq: number) => boolean;
}

/** That are followed. Only lost ends let them pile up. */
const MOST = 1024;

export function createRangesUnderWay<Seen>(): RangesUnderWay<Seen> {
  let ranges: RangeUnderWay<Seen>[] = [];
  /** By virtqueue, how many are over it. */
  const over = new Map<number, number>();

  function count({ virtqueues }: RangeUnderWay<Seen>, by: 1 | -1): void {
    for (const vq of virtqueues) over.set(vq, (over.get(vq) ?? 0) + by);
  }

  function take(at: number): Seen {
    const [range] = ranges.splice(at, 1);
    count(range, -1);
    return range.seen;
  }

  return {
    begin: (range) => {
      ranges.push(range);
      count(range, 1);
      if (ranges.length > MOST) take(0);
    },
    end: (batch, i, whose) => {
      const found = findBegin(ranges, batch, i, whose);
      return found < 0 ? undefined : take(found);
    },
    drop: (whose) => {
      const isGone = ({ identity }: RangeUnderWay<Seen>): boolean =>
        whose === 'all' || identity.whose === whose;
      const gone = ranges.filter(isGone);
      for (const range of gone) count(range, -1);
      ranges = ranges.filter((range) => !isGone(range));
      return gone.map(({ seen }) => seen);
    },
    isOver: (vq) => (over.get(vq) ?? 0) > 0,
  };
}
