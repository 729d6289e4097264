/** When something happened to virtqueues: of each, and of any of them, the last moment and the one before it. */

/** ns since the first event; -1 while it did not happen. */
export type LastMoments = readonly [last: number, before: number];

export interface MomentsByVirtqueue {
  /** It happens; at a moment that may be the last one again. HOT: at each round. */
  note(vq: number, moment: number): void;
  /** Undefined: of any. */
  of(vq: number | undefined): LastMoments;
}

export function createMomentsByVirtqueue(): MomentsByVirtqueue {
  /** In pairs, the last first; those of any before those of virtqueue 0. */
  let pairs = new Float64Array(32).fill(-1);

  function move(at: number, moment: number): void {
    if (pairs[at] === moment) return;
    pairs[at + 1] = pairs[at];
    pairs[at] = moment;
  }

  return {
    note: (vq, moment) => {
      const at = 2 * vq + 2;
      if (at >= pairs.length) {
        const before = pairs;
        pairs = new Float64Array(2 * at).fill(-1);
        pairs.set(before);
      }
      move(0, moment);
      move(at, moment);
    },
    of: (vq) => {
      const at = vq === undefined ? 0 : 2 * vq + 2;
      return at < pairs.length ? [pairs[at], pairs[at + 1]] : [-1, -1];
    },
  };
}
