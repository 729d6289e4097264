/**
 * Looks for hazards beside an engine: what its state and the events prove. It sees every event but
 * accesses, right after the engine; what accesses did in the meantime is the difference of the tallies.
 */
import type { Design } from '../designs.js';
import type { EventBatch } from '../event-batch.js';
import { EVENT_NAMES, KIND } from '../events.js';
import { AMBIGUOUS, HIT, REFUSED_COUNT } from '../outcome.js';
import type { Engine } from '../replay-engine.js';
import {
  ACCESSORS,
  ACCESSORS_OF_AREA,
  AREA_COUNT,
  PAGE_BYTES,
  pagesWanted,
  USED,
} from '../ring.js';
import {
  areasUnder,
  createRingPlaces,
  notePlaces,
  wordsAt,
  type RingPlaces,
} from '../storms/ring-places.js';
import { accessIndex, OBSERVATIONS, type Tallies } from '../tallies.js';
import {
  addHazard,
  countHazard,
  type FoundHazards,
  type HazardList,
  type HazardMark,
} from './hazard.js';
import { beginRange, endRange, isOver, type RangeUnderWay } from './ranges-under-way.js';

export interface HazardWatch {
  /** Event `i`, no access, which the engine has just consumed. */
  see(batch: EventBatch, i: number): void;
  /** The trace has ended, and the engine is finished. */
  finish(): void;
  readonly found: FoundHazards;
}

/** Events of a chain. */
const MOST_MARKS = 8;

/** A map that may have gone stale. */
interface Suspicion {
  grade: 'proven' | 'possible';
  readonly chain: HazardMark[];
  /** Hits of the area by then. */
  readonly hits: number;
  readonly begin: bigint;
  /** The range that makes it proven, until it shows that the callback was called for it all the same. */
  core: { readonly start: bigint; readonly end: bigint; readonly pid: number } | undefined;
}

interface WatchedArea {
  /** A map was surely there, and is not surely gone. */
  hadMap: boolean;
  built: HazardMark | undefined;
  suspicion: Suspicion | undefined;
  /** The set-up by which the area crosses a page too many. */
  short: HazardMark | undefined;
}

interface WrongCount {
  readonly kind: 'stuck_count' | 'negative_count';
  readonly chain: readonly HazardMark[];
  readonly refused: number;
  readonly begin: bigint;
}

interface WatchedVirtqueue {
  readonly areas: readonly WatchedArea[];
  wrong: WrongCount | undefined;
  /** Why its count may be wrong: begins whose ends nobody told, ends whose begins nobody counted. */
  unpaired: HazardMark[];
}

interface WatchState {
  readonly engine: Engine;
  readonly design: Design;
  readonly list: HazardList;
  rings: RingPlaces;
  virtqueues: Map<number, WatchedVirtqueue>;
  ranges: RangeUnderWay[];
  /** By device: when its notifier went off; absent while it is on or nothing is known. */
  off: Map<number, HazardMark>;
  refusedRanges: number;
  recording: number;
}

export function createHazardWatch(engine: Engine): HazardWatch {
  const list: HazardList = { listed: [], counts: new Map() };
  const state: WatchState = {
    engine,
    design: engine.design,
    list,
    rings: createRingPlaces(),
    virtqueues: new Map(),
    ranges: [],
    off: new Map(),
    refusedRanges: 0,
    recording: -1,
  };
  return {
    see: (batch, i) => {
      if (engine.design.maps !== 'never') see(state, batch, i);
    },
    finish: () => endAll(state),
    found: list,
  };
}

function see(state: WatchState, batch: EventBatch, i: number): void {
  const kind = batch.kind[i];
  if (kind === KIND.recording) {
    endAll(state);
    state.rings = createRingPlaces();
    state.recording++;
    return;
  }
  if (kind === KIND.lost) return endAll(state);
  notePlaces(state.rings, batch, i);
  const row = batch.detail[i];
  switch (kind) {
    case KIND.range_start:
    case KIND.range_end:
      return seeRange(state, batch, i, batch.details.dev[row], kind === KIND.range_start);
    case KIND.core_range_start:
    case KIND.core_range_end:
      for (const dev of state.rings.devicesOfOwner.get(batch.details.owner[row]) ?? [])
        seeCoreRange(state, batch, i, dev, kind === KIND.core_range_start);
      return;
    case KIND.notifier:
      return seeNotifier(state, batch, i);
    case KIND.addresses:
      noteSpan(state, batch, i);
      break;
    case KIND.unmap:
    case KIND.reset:
      for (const range of state.ranges)
        if (range.slots.some((slot) => slot >> 2 === batch.vq[i])) range.isDoubtful = true;
      break;
    default:
  }
  if (!ABOUT_ONE[kind]) return;
  seeMaps(state, batch, i, batch.vq[i]);
  if (kind === KIND.round || kind === KIND.prefetch || kind === KIND.reset || kind === KIND.unmap)
    seeCount(state, batch, i, batch.vq[i]);
}

/** Kinds of events after which the maps of their virtqueue may be others. */
const ABOUT_ONE: Uint8Array = (() => {
  const kinds = new Uint8Array(256);
  for (const kind of [
    KIND.round,
    KIND.round_end,
    KIND.prefetch,
    KIND.effect_start,
    KIND.effect_end,
    KIND.addresses,
    KIND.unmap,
    KIND.reset,
    KIND.iotlb,
  ])
    kinds[kind] = 1;
  return kinds;
})();

function seeRange(
  state: WatchState,
  batch: EventBatch,
  i: number,
  dev: number,
  isStart: boolean,
  isCore = false,
): void {
  const { details } = batch;
  const row = batch.detail[i];
  if (isStart) noteRefused(state, batch, i);
  if (details.blockable[row] === 0) return;
  const start = wordsAt(details.start, row);
  const end = wordsAt(details.end, row);
  const pid = details.pid[row];
  const slots = slotsUnder(state, dev, start, end);
  if (isStart && slots.length > 0) {
    const mark = markOf(batch, i, 'begins over the ring');
    const isDoubtful = state.off.has(dev);
    beginRange(state.ranges, { dev, start, end, pid, isCore, slots, mark, isDoubtful });
    acquit(state, slots, start, end, pid);
  } else if (!isStart) {
    seeEnd(state, batch, i, slots, endRange(state.ranges, batch, i, dev));
  }
  for (const vq of state.rings.virtqueuesOf.get(dev) ?? []) seeMaps(state, batch, i, vq);
}

/** An end lowers the counts of the rings that it finds, a begin has raised those that it found. */
function seeEnd(
  state: WatchState,
  batch: EventBatch,
  i: number,
  slots: readonly number[],
  begun: RangeUnderWay | undefined,
): void {
  const before = begun?.slots ?? [];
  for (const vq of virtqueuesOf([...before, ...slots])) {
    const found = watched(state, vq);
    if (begun !== undefined) found.unpaired = found.unpaired.filter((mark) => mark !== begun.mark);
    const ofRing = (slot: number): boolean => slot >> 2 === vq;
    if (slots.some((slot) => ofRing(slot) && !before.includes(slot)))
      noteUnpaired(found, markOf(batch, i, 'ends; no begin over the ring was told'));
    if (begun === undefined || before.every((slot) => !ofRing(slot) || slots.includes(slot)))
      continue;
    noteUnpaired(found, begun.mark);
    noteUnpaired(found, markOf(batch, i, 'ends, and the ring lies elsewhere by now'));
  }
}

function virtqueuesOf(slots: readonly number[]): Set<number> {
  return new Set(slots.map((slot) => slot >> 2));
}

/** The first since the count was 0 for sure. */
function noteUnpaired({ unpaired }: WatchedVirtqueue, mark: HazardMark): void {
  lengthen(unpaired, mark);
}

function slotsUnder({ rings }: WatchState, dev: number, start: bigint, end: bigint): number[] {
  return [...(rings.virtqueuesOf.get(dev) ?? [])].flatMap((vq) =>
    areasUnder(rings, vq, start, end).map((area) => 4 * vq + area),
  );
}

/** The memory manager's own call: on a stock host all there is; beside callbacks, what they may have missed. */
function seeCoreRange(
  state: WatchState,
  batch: EventBatch,
  i: number,
  dev: number,
  isStart: boolean,
): void {
  if (state.engine.host === 'stock') return seeRange(state, batch, i, dev, isStart, true);
  const off = state.off.get(dev);
  if (!isStart || off === undefined) return;
  const { details } = batch;
  const row = batch.detail[i];
  const start = wordsAt(details.start, row);
  const end = wordsAt(details.end, row);
  for (const slot of slotsUnder(state, dev, start, end)) {
    const [vq, area] = [slot >> 2, slot & 3];
    const one = watched(state, vq).areas[area];
    if (state.engine.mapOf(vq, area) !== HIT || one.suspicion?.grade === 'proven') continue;
    one.suspicion = {
      grade: 'proven',
      chain: [
        ...built(one),
        off,
        markOf(batch, i, 'the memory manager changes pages of the ring; nobody tells vhost'),
      ],
      hits: hitsOf(state, vq, area),
      begin: wordsAt(batch.time, i),
      core: { start, end, pid: details.pid[row] },
    };
  }
}

/** The callback was called for the range all the same: unregistration had only begun. */
function acquit(
  state: WatchState,
  slots: readonly number[],
  start: bigint,
  end: bigint,
  pid: number,
): void {
  for (const slot of slots) {
    const one = watched(state, slot >> 2).areas[slot & 3];
    const core = one.suspicion?.core;
    if (core?.start === start && core.end === end && core.pid === pid) one.suspicion = undefined;
  }
}

function seeNotifier(state: WatchState, batch: EventBatch, i: number): void {
  const { details } = batch;
  const row = batch.detail[i];
  const dev = details.dev[row];
  const isOn = details.registered[row] === 1 && details.error[row] === 0;
  const virtqueues = state.rings.virtqueuesOf.get(dev) ?? new Set<number>();
  if (!isOn) {
    const mark = markOf(batch, i, 'the notifier of the device is off from here on');
    state.off.set(dev, mark);
    for (const vq of virtqueues) {
      const open = state.ranges.filter(({ slots }) => slots.some((slot) => slot >> 2 === vq));
      const found = watched(state, vq);
      if (open.length > 0 || found.unpaired.length > 0)
        for (const one of [...open.map((range) => range.mark), mark]) noteUnpaired(found, one);
      suspect(state, batch, i, vq, mark);
    }
    return;
  }
  const off = state.off.get(dev);
  state.off.delete(dev);
  // None was under way when it was registered; this is told a little later.
  state.ranges = state.ranges.filter(
    (range) =>
      range.dev !== dev || range.isCore || (off !== undefined && range.mark.time >= off.time),
  );
  const mark = markOf(batch, i, 'the notifier is on again: what changed meanwhile was not told');
  for (const vq of virtqueues) {
    const found = watched(state, vq);
    if (found.unpaired.length > 0) noteUnpaired(found, mark);
    for (const { suspicion } of found.areas)
      if (suspicion !== undefined) lengthen(suspicion.chain, mark);
    seeMaps(state, batch, i, vq);
  }
}

/** Maps that are there while the notifier goes off may outlive a change of their pages. */
function suspect(
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

/** A map may outlive any number of such times: the first of them are enough. */
function lengthen(chain: HazardMark[], mark: HazardMark): void {
  if (chain.length < MOST_MARKS) chain.push(mark);
}

/** Compares the maps of a virtqueue with what they were. */
function seeMaps(state: WatchState, batch: EventBatch, i: number, vq: number): void {
  const found = watched(state, vq);
  for (let area = 0; area < AREA_COUNT; area++) {
    const one = found.areas[area];
    const map = state.engine.mapOf(vq, area);
    if (map === HIT) {
      if (!one.hadMap) mapBuilt(state, batch, i, vq, area, one);
      one.hadMap = true;
      continue;
    }
    if (one.suspicion !== undefined) endSuspicion(state, vq, area, one, wordsAt(batch.time, i));
    if (map === AMBIGUOUS || !one.hadMap) continue;
    one.hadMap = false;
    one.built = undefined;
    mapGone(state, batch, i, area);
  }
}

function mapBuilt(
  state: WatchState,
  batch: EventBatch,
  i: number,
  vq: number,
  area: number,
  one: WatchedArea,
): void {
  one.built = markOf(batch, i, 'there is a map');
  const time = wordsAt(batch.time, i);
  const common = {
    recording: state.recording,
    vq,
    area,
    begin: time,
    end: time,
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
  if (state.engine.order !== 'effects' || !state.engine.countOf(vq).isSettled) return;
  const over = state.ranges.find(
    ({ slots, isDoubtful }) => !isDoubtful && slots.includes(4 * vq + area),
  );
  if (over === undefined) return;
  const chain = [...watched(state, vq).unpaired, over.mark, one.built];
  addHazard(state.list, { ...common, kind: 'forbidden_window', grade: 'proven', chain });
}

/** A map is surely gone: what the design does then. */
function mapGone({ design, list }: WatchState, batch: EventBatch, i: number, area: number): void {
  const { dirties } = design;
  const kind = batch.kind[i];
  const isTeardown = kind === KIND.unmap || kind === KIND.reset || kind === KIND.addresses;
  if (!isTeardown)
    countHazard(list, 'notifier_stall', 'counted', markOf(batch, i, 'takes a map away'));
  if (area !== USED) return;
  if (!isTeardown && dirties === 'clear')
    countHazard(list, 'dirty_under_lock', 'counted', markOf(batch, i, 'takes a map away'));
  if (dirties === 'never' || (isTeardown && dirties === 'clear'))
    countHazard(list, 'lost_dirty', 'counted', markOf(batch, i, 'drops a map'));
}

/** Whether invalidate_count is one that nothing under way explains. */
function seeCount(state: WatchState, batch: EventBatch, i: number, vq: number): void {
  const found = watched(state, vq);
  const { low, high, isSettled } = state.engine.countOf(vq);
  const { wrong } = found;
  if (wrong !== undefined) {
    const isStill = wrong.kind === 'stuck_count' ? low > 0 : high < 0;
    if (isStill) return;
    endWrong(state, vq, found, wordsAt(batch.time, i));
  }
  const isQuiet = isSettled && !isOver(state.ranges, vq);
  const isExplained = (low <= 0 && high >= 0) || !isQuiet;
  if (low === 0 && high === 0 && isQuiet) found.unpaired = [];
  if (isExplained || batch.kind[i] !== KIND.round) return;
  const kind = low > 0 ? 'stuck_count' : 'negative_count';
  const count = low === high ? String(low) : `${low} to ${high}`;
  found.wrong = {
    kind,
    chain: [
      ...found.unpaired,
      markOf(batch, i, `no range over the ring is under way, and invalidate_count is ${count}`),
    ],
    refused: refusedOf(state, vq),
    begin: wordsAt(batch.time, i),
  };
}

function endWrong(state: WatchState, vq: number, found: WatchedVirtqueue, end?: bigint): void {
  const { wrong } = found;
  found.wrong = undefined;
  if (wrong === undefined) return;
  addHazard(state.list, {
    kind: wrong.kind,
    grade: 'proven',
    recording: state.recording,
    vq,
    area: undefined,
    begin: wrong.begin,
    end,
    accesses: refusedOf(state, vq) - wrong.refused,
    chain: wrong.chain,
  });
}

function endSuspicion(
  state: WatchState,
  vq: number,
  area: number,
  one: WatchedArea,
  end?: bigint,
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

function noteRefused(state: WatchState, batch: EventBatch, i: number): void {
  const { refused } = state.engine.tallies.ranges;
  if (refused === state.refusedRanges) return;
  state.refusedRanges = refused;
  const time = wordsAt(batch.time, i);
  addHazard(state.list, {
    kind: 'refused_range',
    grade: 'proven',
    recording: state.recording,
    vq: undefined,
    area: undefined,
    begin: time,
    end: time,
    accesses: 0,
    chain: [markOf(batch, i, 'must not block')],
  });
}

/** The driver asks for ceil(size / page) pages, wherever in its page the area begins (reference §3.1). */
function noteSpan(state: WatchState, batch: EventBatch, i: number): void {
  const { details } = batch;
  const row = batch.detail[i];
  const area = details.area[row];
  const size = Number(wordsAt(details.size, row));
  const offset = Number(wordsAt(details.address, row) % BigInt(PAGE_BYTES));
  const spans = Math.ceil((offset + size) / PAGE_BYTES);
  const isShort = size > 0 && spans > pagesWanted(size);
  watched(state, batch.vq[i]).areas[area].short = isShort
    ? markOf(batch, i, `the area lies on ${spans} pages, and ${pagesWanted(size)} are asked for`)
    : undefined;
}

/** Nothing goes on from here: what there is is told, and what was known is forgotten. */
function endAll(state: WatchState): void {
  for (const [vq, found] of state.virtqueues) {
    endWrong(state, vq, found);
    for (const [area, one] of found.areas.entries()) endSuspicion(state, vq, area, one);
  }
  state.virtqueues = new Map();
  state.ranges = [];
  state.off = new Map();
}

function watched({ virtqueues }: WatchState, vq: number): WatchedVirtqueue {
  const known = virtqueues.get(vq);
  if (known !== undefined) return known;
  const areas = Array.from({ length: AREA_COUNT }, (): WatchedArea => ({
    hadMap: false,
    built: undefined,
    suspicion: undefined,
    short: undefined,
  }));
  const made: WatchedVirtqueue = { areas, wrong: undefined, unpaired: [] };
  virtqueues.set(vq, made);
  return made;
}

function built({ built: mark }: WatchedArea): HazardMark[] {
  return mark === undefined ? [] : [mark];
}

function hitsOf({ engine }: WatchState, vq: number, area: number): number {
  return ACCESSORS_OF_AREA[area].reduce(
    (sum, accessor) => sum + counted(engine.tallies, vq, accessor, HIT),
    0,
  );
}

function refusedOf({ engine }: WatchState, vq: number): number {
  let sum = 0;
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++)
    sum += counted(engine.tallies, vq, accessor, REFUSED_COUNT);
  return sum;
}

function counted({ accesses }: Tallies, vq: number, accessor: number, outcome: number): number {
  const first = accessIndex(vq, accessor, outcome);
  let sum = 0;
  for (let k = 0; k < OBSERVATIONS; k++) sum += accesses[first + k] ?? 0;
  return sum;
}

function markOf(batch: EventBatch, i: number, what: string): HazardMark {
  return {
    line: batch.line[i],
    time: wordsAt(batch.time, i),
    event: EVENT_NAMES[batch.kind[i]] ?? '',
    what,
  };
}
