/** Maps as they come and go, and what goes wrong with it. */
import { wordsAt, type EventBatch } from '../event-batch.js';
import { KIND } from '../events.js';
import { AMBIGUOUS, HIT } from '../outcome.js';
import { USED } from '../ring.js';
import { addHazard, countHazard } from './hazard.js';
import { endSuspicion } from './stale-maps.js';
import { hasCallbacks, markOf, watched, type WatchedArea, type WatchState } from './watch-state.js';

/** Compares the maps of a virtqueue with what they were. */
export function seeMaps(state: WatchState, batch: EventBatch, i: number, vq: number): void {
  noteBuilt(state, batch, i, vq);
  for (const [area, one] of watched(state, vq).areas.entries()) {
    const map = state.engine.mapOf(vq, area);
    if (map === HIT) continue;
    if (one.suspicion !== undefined) {
      const end = markOf(batch, i, 'the map is not surely there any more');
      endSuspicion(state, vq, area, one, end);
    }
    if (map === AMBIGUOUS || !one.hadMap) continue;
    one.hadMap = false;
    one.built = undefined;
    mapGone(state, batch, i, area);
  }
}

/** Maps that are there now, and were not known to be when they were last compared. */
export function noteBuilt(state: WatchState, batch: EventBatch, i: number, vq: number): void {
  for (const [area, one] of watched(state, vq).areas.entries()) {
    if (one.hadMap || state.engine.mapOf(vq, area) !== HIT) continue;
    mapBuilt(state, batch, i, vq, area, one);
    one.hadMap = true;
  }
}

export function mapBuilt(
  state: WatchState,
  batch: EventBatch,
  i: number,
  vq: number,
  area: number,
  one: WatchedArea,
): void {
  one.built = markOf(batch, i, 'there is a map');
  const common = {
    recording: state.recording,
    vq,
    area,
    begin: one.built.time,
    end: one.built,
    accesses: 0,
  } as const;
  if (one.short !== undefined)
    addHazard(state.list, {
      ...common,
      kind: 'too_few_pages',
      grade: 'proven',
      chain: [one.short, one.built],
    });
  // Only recorded effects tell that the begin of the range came before.
  if (state.engine.order !== 'effects' || !hasCallbacks(state)) return;
  if (!state.engine.countOf(vq).isSettled) return;
  const over = state.ranges.find(
    ({ slots, isDoubtful }) => !isDoubtful && slots.includes(4 * vq + area),
  );
  if (over === undefined) return;
  const chain = [...watched(state, vq).unpaired, over.mark, one.built];
  addHazard(state.list, { ...common, kind: 'forbidden_window', grade: 'proven', chain });
}

/** A map is surely gone: what the design does then. */
export function mapGone(
  { design, list, recording }: WatchState,
  batch: EventBatch,
  i: number,
  area: number,
): void {
  const { dirties } = design;
  const kind = batch.kind[i];
  const isTeardown = kind === KIND.unmap || kind === KIND.reset || kind === KIND.addresses;
  if (!isTeardown)
    countHazard(list, 'notifier_stall', 'counted', recording, markOf(batch, i, 'takes a map away'));
  if (area !== USED) return;
  if (!isTeardown && dirties === 'clear')
    countHazard(
      list,
      'dirty_under_lock',
      'counted',
      recording,
      markOf(batch, i, 'takes a map away'),
    );
  if (dirties === 'never' || (isTeardown && dirties === 'clear'))
    countHazard(list, 'lost_dirty', 'counted', recording, markOf(batch, i, 'drops a map'));
}

/** The driver asks for ceil(size / page) pages, wherever in its page the area begins (reference §3.1). */
export function noteSpan(state: WatchState, batch: EventBatch, i: number): void {
  const { details } = batch;
  const row = batch.detail[i];
  const area = details.area[row];
  const size = Number(wordsAt(details.size, row));
  const { pageBytes } = state.engine;
  const offset = Number(wordsAt(details.address, row) % BigInt(pageBytes));
  const spans = Math.ceil((offset + size) / pageBytes);
  const wanted = Math.ceil(size / pageBytes);
  const isShort = size > 0 && spans > wanted;
  watched(state, batch.vq[i]).areas[area].short = isShort
    ? markOf(batch, i, `the area lies on ${spans} pages, and ${wanted} are asked for`)
    : undefined;
}
