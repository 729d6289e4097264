/** Maps that outlive a time in which nobody told vhost of ranges. */
import { wordsAt, type EventBatch } from '../event-batch.js';
import { HIT } from '../outcome.js';
import { isSameRange, type RangeIdentity } from '../paired-ranges.js';
import { ACCESSORS_OF_AREA } from '../ring.js';
import { addHazard, type HazardMark } from './hazard.js';
import { counted, lengthen, watched, type WatchedArea, type WatchState } from './watch-state.js';

/** Maps that are there while the notifier goes off may outlive a change of their pages. */
export function suspect(
  state: WatchState,
  batch: EventBatch,
  i: number,
  vq: number,
  off: HazardMark,
): void {
  for (const [area, one] of watched(state, vq).areas.entries()) {
    if (one.suspicion !== undefined) {
      lengthen(one.suspicion.chain, off);
      continue;
    }
    if (state.engine.mapOf(vq, area) !== HIT) continue;
    one.suspicion = {
      grade: 'possible',
      chain: [...built(one), off],
      hits: hitsOf(state, vq, area),
      begin: wordsAt(batch.time, i),
      core: undefined,
    };
  }
}

/** Whether a range of which a callback would acquit is suspected over a ring of the device. */
export function hasCore({ rings, virtqueues }: WatchState, dev: number): boolean {
  for (const vq of rings.virtqueuesOf.get(dev) ?? [])
    for (const { suspicion } of virtqueues.get(vq)?.areas ?? [])
      if (suspicion?.core !== undefined) return true;
  return false;
}

/** The callback was called for the range all the same: unregistration had only begun. */
export function acquit(state: WatchState, slots: readonly number[], range: RangeIdentity): void {
  for (const slot of slots) {
    const one = watched(state, slot >> 2).areas[slot & 3];
    const core = one.suspicion?.core;
    if (core !== undefined && isSameRange(core, range)) one.suspicion = undefined;
  }
}

export function endSuspicion(
  state: WatchState,
  vq: number,
  area: number,
  one: WatchedArea,
  end?: HazardMark,
): void {
  const { suspicion } = one;
  one.suspicion = undefined;
  if (suspicion === undefined) return;
  const accesses = hitsOf(state, vq, area) - suspicion.hits;
  // A map that nobody used harmed nobody.
  if (accesses === 0) return;
  const { grade, chain, begin } = suspicion;
  addHazard(state.list, {
    kind: 'stale_map',
    grade,
    recording: state.recording,
    vq,
    area,
    begin,
    end,
    accesses,
    chain,
  });
}

export function built({ built: mark }: WatchedArea): HazardMark[] {
  return mark === undefined ? [] : [mark];
}

export function hitsOf(state: WatchState, vq: number, area: number): number {
  return ACCESSORS_OF_AREA[area].reduce(
    (sum, accessor) => sum + counted(state, vq, accessor, HIT),
    0,
  );
}
