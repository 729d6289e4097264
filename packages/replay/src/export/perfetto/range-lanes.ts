/**
 * Invalidations under way, as slices from the entry of their start to that of their end. They overlap and do
 * not nest, so each takes a free lane: a track of its own, which viewers draw together as they have one name.
 */
import type { Annotations, PacketSequence, Time } from './packet-sequence.js';

export interface RangeLanes {
  /** @param key what its start and its end have in common */
  start(time: Time, key: string, name: string, annotations: Annotations): void;
  end(time: Time, key: string, name: string): void;
  /** What has not ended is not followed any more. */
  abandon(time: Time): void;
}

/** More at a time means that ends are missing: the oldest gives its lane away. */
const MOST_LANES = 256;

const UNSEEN = { note: 'its end is not in the trace' };

export function createRangeLanes(
  sequence: PacketSequence,
  parent: number,
  rank: number,
): RangeLanes {
  const tracks: number[] = [];
  const free: number[] = [];
  /** Lanes of those under way by key, oldest first, in the order in which they began. */
  const open = new Map<string, number[]>();
  const laneOf = (time: Time): number => {
    const lane = free.pop();
    if (lane !== undefined) return lane;
    if (tracks.length === MOST_LANES) {
      const [oldest] = open.keys();
      return release(time, oldest ?? '', UNSEEN) ?? 0;
    }
    tracks.push(sequence.track({ name: 'invalidations', parent, rank }));
    return tracks.length - 1;
  };
  /** Ends the slice of the oldest of that key; returns its lane. */
  const release = (time: Time, key: string, annotations?: Annotations): number | undefined => {
    const lanes = open.get(key);
    const lane = lanes?.shift();
    if (lane === undefined) return undefined;
    if (lanes?.length === 0) open.delete(key);
    sequence.end(time, tracks[lane] ?? 0, annotations);
    return lane;
  };
  return {
    start: (time, key, name, annotations) => {
      const lane = laneOf(time);
      const alike = open.get(key);
      if (alike === undefined) open.set(key, [lane]);
      else alike.push(lane);
      sequence.begin(time, tracks[lane] ?? 0, name, annotations);
    },
    end: (time, key, name) => {
      const lane = release(time, key);
      if (lane !== undefined) {
        free.push(lane);
        return;
      }
      const own = laneOf(time);
      sequence.instant(time, tracks[own] ?? 0, name, { note: 'its start is not in the trace' });
      free.push(own);
    },
    abandon: (time) => {
      for (const key of open.keys())
        for (
          let lane = release(time, key, UNSEEN);
          lane !== undefined;
          lane = release(time, key, UNSEEN)
        )
          free.push(lane);
    },
  };
}
