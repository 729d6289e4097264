/** Whether each area of a virtqueue is mapped, as slices on a track of its own. */
import {
  ACCESSORS_OF_AREA,
  AMBIGUOUS,
  AREA_COUNT,
  AREAS,
  DOUBT_MEANING,
  HIT,
  IOTLB,
  OUTCOME_MEANING,
  OUTCOME_NAMES,
  type Engine,
} from '@vhostscope/model';
import type { PacketSequence, Time } from './packet-sequence.js';

export interface MapSlices {
  /** Ends the slices of areas whose map is another than it was, and begins the next. */
  update(time: Time, engine: Engine): void;
  end(time: Time): void;
}

const NO_SLICE = -1;

/** @param parent track of the virtqueue */
export function createMapSlices(sequence: PacketSequence, vq: number, parent: number): MapSlices {
  const tracks = AREAS.map((name, rank) => sequence.track({ name, parent, rank }));
  const states = AREAS.map(() => NO_SLICE);
  return {
    update: (time, engine) => {
      for (let area = 0; area < AREA_COUNT; area++) {
        // All accessors of an area meet the same map.
        const outcome = engine.outcomeOf(vq, ACCESSORS_OF_AREA[area]?.[0] ?? 0);
        const doubt = outcome === AMBIGUOUS ? engine.doubtOf(vq, area) : 0;
        const state = 256 * doubt + outcome;
        if (state === states[area]) continue;
        const track = tracks[area] ?? 0;
        if (states[area] !== NO_SLICE) sequence.end(time, track);
        states[area] = state;
        sequence.begin(time, track, nameOf(outcome), { reason: reasonOf(outcome, doubt) });
      }
    },
    end: (time) => {
      for (let area = 0; area < AREA_COUNT; area++) {
        if (states[area] !== NO_SLICE) sequence.end(time, tracks[area] ?? 0);
        states[area] = NO_SLICE;
      }
    },
  };
}

function nameOf(outcome: number): string {
  if (outcome === HIT) return 'mapped';
  if (outcome === IOTLB) return 'device IOTLB';
  return outcome === AMBIGUOUS ? 'unknown' : 'not mapped';
}

function reasonOf(outcome: number, doubt: number): string {
  if (outcome === AMBIGUOUS) return DOUBT_MEANING[doubt] ?? '';
  return OUTCOME_MEANING[OUTCOME_NAMES[outcome] ?? ''] ?? '';
}
