/**
 * The rounds of a virtqueue as slices. Only the next event shows that a round of a direct-map kernel was over:
 * such a slice ends with the last thing that it is known to have done.
 */
import type { PacketSequence, Time } from './packet-sequence.js';

export interface RoundSlices {
  /** A round begins, and the one before is over. */
  begin(time: Time): void;
  /** The round does something. */
  act(time: Time): void;
  count(accesses: number, hits: number, ambiguous: number): void;
  /** The round is over, at this time where that was recorded. */
  end(time?: Time): void;
}

/** @param sequence one of its own: a round is written when it is over */
export function createRoundSlices(
  sequence: PacketSequence,
  parent: number,
  rank: number,
): RoundSlices {
  const track = sequence.track({ name: 'rounds', parent, rank });
  let begun: Time | undefined;
  let last: Time = 0;
  let accesses = 0;
  let hits = 0;
  let ambiguous = 0;
  const end = (time: Time = last): void => {
    if (begun === undefined) return;
    const doubtful = ambiguous > 0 ? { ambiguous } : undefined;
    sequence.begin(begun, track, 'round', { accesses, hits, ...doubtful });
    sequence.end(time, track);
    begun = undefined;
  };
  return {
    begin: (time) => {
      end();
      begun = time;
      last = time;
      accesses = 0;
      hits = 0;
      ambiguous = 0;
    },
    act: (time) => {
      last = time;
    },
    count: (more, moreHits, moreAmbiguous) => {
      accesses += more;
      hits += moreHits;
      ambiguous += moreAmbiguous;
    },
    end,
  };
}
