/**
 * Invalidation storms, found as events come: no reading ahead, memory that does not grow with the trace.
 *
 * A moment is stormy when in the second before it as many ranges over rings of the device have begun as
 * `rate`, or ranges were under way for more than a tenth of it. Moments are the events of ranges, and all the
 * time that one range is under way. A storm is stormy moments with no second between two of them; its ranges
 * are those of the second before the first of them, and all up to the last.
 */
import { hasDetail, type EventBatch } from '../event-batch.js';
import { KIND } from '../events.js';
import {
  createRingPlaces,
  notePlaces,
  ringsUnder,
  wordsAt,
  type RingPlaces,
} from './ring-places.js';
import {
  createStormWindow,
  DOWN_LIMIT,
  downUntil,
  isStormy,
  latest,
  rangeBegins,
  rangeEnds,
  SECOND,
  type StormWindow,
} from './storm-window.js';
import { addToStorm, createStorm, type Invalidation, type Storm } from './storm.js';

export const DEFAULT_STORM_RATE = 100;
export const MOST_STORM_RATE = 10_000;

export interface StormOptions {
  /** Ranges over rings of a device in a second. Default 100. */
  readonly rate?: number;
  /** Fills in what is to be counted of the virtqueues of a device: always growing numbers. */
  readonly sample?: (virtqueues: ReadonlySet<number>, into: Float64Array) => void;
  /** How many numbers that are. */
  readonly sampleSize?: number;
  /** A storm is over. */
  readonly onOver: (storm: Storm) => void;
}

export interface Storms {
  /** Whether `consume` wants to see events of a kind: 1 or 0 by kind. */
  readonly wants: Uint8Array;
  /** The next event in time. What is sampled must hold all that came before it. */
  consume(batch: EventBatch, i: number): void;
  /** The storms that are not over at a time, ns; the caller must not change them. */
  active(time: bigint): Storm[];
  /** The trace has ended: all storms are over. */
  finish(): void;
  /** Number of the class of a kernel stack, see INVALIDATION_CLASSES; undefined while it was not told. */
  classOf(recording: number, stack: bigint): number | undefined;
}

/** A range under way. */
interface OpenRange {
  readonly start: bigint;
  readonly end: bigint;
  readonly pid: number;
  /** Told by the memory manager, whatever vhost's notifier does. */
  readonly isCore: boolean;
  readonly range: Invalidation;
}

interface DeviceWeather {
  readonly dev: number;
  readonly window: StormWindow;
  /** Ranges of the last second, and those under way; without those of a storm. */
  recent: Invalidation[];
  open: OpenRange[];
  storm: Storm | undefined;
  /** Sample and time under way at the beginning of the storm. */
  sampleBefore: Float64Array;
  downBefore: bigint;
}

interface StormState {
  readonly options: Required<StormOptions>;
  rings: RingPlaces;
  devices: Map<number, DeviceWeather>;
  readonly classes: Map<string, number>;
  recording: number;
  noticed: number;
  /** Clocks of CPUs may disagree: time never goes back here. */
  now: bigint;
}

/** Ranges of a device under way that are followed. */
const MOST_OPEN = 256;
const MOST_CLASSES = 65_536;

const WANTED: Uint8Array = (() => {
  const wanted = new Uint8Array(256);
  for (const kind of [
    KIND.recording,
    KIND.virtqueue,
    KIND.addresses,
    KIND.reset,
    KIND.notifier,
    KIND.lost,
    KIND.stack,
    KIND.range_start,
    KIND.range_end,
    KIND.core_range_start,
    KIND.core_range_end,
  ])
    wanted[kind] = 1;
  return wanted;
})();

export function createStorms({
  rate = DEFAULT_STORM_RATE,
  sample = () => {},
  sampleSize = 0,
  onOver,
}: StormOptions): Storms {
  const state: StormState = {
    options: { rate, sample, sampleSize, onOver },
    rings: createRingPlaces(),
    devices: new Map(),
    classes: new Map(),
    recording: -1,
    noticed: 0,
    now: 0n,
  };
  return {
    wants: WANTED,
    consume: (batch, i) => consume(state, batch, i),
    active: (time) => activeAt(state, time),
    finish: () => endAll(state),
    classOf: (recording, stack) => state.classes.get(`${recording} ${stack}`),
  };
}

function consume(state: StormState, batch: EventBatch, i: number): void {
  const { details } = batch;
  const row = batch.detail[i];
  switch (batch.kind[i]) {
    case KIND.recording:
      endAll(state);
      state.rings = createRingPlaces();
      state.devices = new Map();
      state.recording++;
      state.now = 0n;
      return;
    case KIND.stack:
      if (state.classes.size < MOST_CLASSES)
        state.classes.set(`${state.recording} ${wordsAt(details.stack, row)}`, details.class[row]);
      return;
    case KIND.lost:
      // Ends may be among what was lost.
      for (const device of state.devices.values()) forgetOpen(state, device, batch, i, () => true);
      return;
    case KIND.notifier: {
      // vhost's callbacks are no longer entered, or not yet: their ends do not come.
      const device = state.devices.get(details.dev[row]);
      if (device !== undefined) forgetOpen(state, device, batch, i, ({ isCore }) => !isCore);
      return;
    }
    case KIND.range_start:
    case KIND.range_end:
      range(state, batch, i, details.dev[row], batch.kind[i] === KIND.range_start, false);
      return;
    case KIND.core_range_start:
    case KIND.core_range_end:
      for (const dev of state.rings.devicesOfOwner.get(details.owner[row]) ?? [])
        range(state, batch, i, dev, batch.kind[i] === KIND.core_range_start, true);
      return;
    default:
      notePlaces(state.rings, batch, i);
  }
}

/** The beginning or the end of a range in the memory of a device. Non-blockable ones are refused. */
function range(
  state: StormState,
  batch: EventBatch,
  i: number,
  dev: number,
  isStart: boolean,
  isCore: boolean,
): void {
  const { details } = batch;
  const row = batch.detail[i];
  if (details.blockable[row] === 0) return;
  const start = wordsAt(details.start, row);
  const end = wordsAt(details.end, row);
  const pid = details.pid[row];
  if (isStart) {
    const virtqueues = ringsUnder(state.rings, dev, start, end);
    if (virtqueues.length === 0) return;
    const device = deviceOf(state, dev);
    state.now = latest(state.now, wordsAt(batch.time, i));
    look(state, device);
    const begun = beginRange(state, device, batch, i, virtqueues);
    device.open.push({ start, end, pid, isCore, range: begun });
    if (device.open.length > MOST_OPEN) endRange(state, device, 0);
  } else {
    const device = state.devices.get(dev);
    if (device === undefined) return;
    const at = device.open.findIndex(
      (open) => open.start === start && open.end === end && open.pid === pid,
    );
    // Ranges beside the rings are none of ours.
    if (at < 0) return;
    state.now = latest(state.now, wordsAt(batch.time, i));
    look(state, device);
    endRange(state, device, at);
  }
  const device = deviceOf(state, dev);
  look(state, device);
  mark(state, device, batch, i);
}

function deviceOf({ devices, options }: StormState, dev: number): DeviceWeather {
  const known = devices.get(dev);
  if (known !== undefined) return known;
  const made: DeviceWeather = {
    dev,
    window: createStormWindow(options.rate),
    recent: [],
    open: [],
    storm: undefined,
    sampleBefore: new Float64Array(options.sampleSize),
    downBefore: 0n,
  };
  devices.set(dev, made);
  return made;
}

function beginRange(
  state: StormState,
  device: DeviceWeather,
  batch: EventBatch,
  i: number,
  virtqueues: readonly number[],
): Invalidation {
  const { details } = batch;
  const row = batch.detail[i];
  const begun: Invalidation = {
    time: state.now,
    line: batch.line[i],
    cause: details.cause[row],
    stack: hasDetail(details, row, 'stack') ? wordsAt(details.stack, row) : undefined,
    pid: details.pid[row],
    comm: nameAt(details.comm, row),
    virtqueues,
    sample: sampleOf(state, device),
    downBefore: downUntil(device.window, state.now),
    ended: undefined,
  };
  rangeBegins(device.window, state.now);
  device.recent.push(begun);
  return begun;
}

function endRange(state: StormState, device: DeviceWeather, at: number): void {
  const [open] = device.open.splice(at, 1);
  if (open === undefined) return;
  open.range.ended = state.now;
  rangeEnds(device.window, state.now);
}

/** Ranges under way that end without a word. */
function forgetOpen(
  state: StormState,
  device: DeviceWeather,
  batch: EventBatch,
  i: number,
  isForgotten: (open: OpenRange) => boolean,
): void {
  if (!device.open.some(isForgotten)) return;
  state.now = latest(state.now, wordsAt(batch.time, i));
  look(state, device);
  for (let at = device.open.length - 1; at >= 0; at--)
    if (isForgotten(device.open[at])) endRange(state, device, at);
  mark(state, device, batch, i);
}

/** Event `i` is the last of the storm so far, if there is one. */
function mark(
  { now }: StormState,
  { storm: found }: DeviceWeather,
  batch: EventBatch,
  i: number,
): void {
  if (found?.end === now) found.last = { line: batch.line[i], time: wordsAt(batch.time, i) };
}

/** What the weather is now, given all that has come. */
function look(state: StormState, device: DeviceWeather): void {
  const { now } = state;
  const { window } = device;
  const isLong = window.underWay > 0 && now - window.downSince > DOWN_LIMIT;
  const { rate, down } = isStormy(window, now);
  // One that is under way is stormy from a tenth of a second on, whether or not an event tells.
  const since = isLong ? latest(window.downSince + DOWN_LIMIT, device.storm?.end ?? 0n) : now;
  const quietFrom = rate || down ? since : now;
  if (device.storm !== undefined && quietFrom - device.storm.end > SECOND) endStorm(state, device);
  const from = (rate || down ? since : now) - SECOND;
  device.recent = device.recent.filter(
    ({ time, ended }) => time > from || ended === undefined || ended > from,
  );
  if (rate || down) storm(state, device, rate, down);
}

/** Nothing is stormy only because somebody looks, but for a range under way. */
function activeAt(state: StormState, time: bigint): Storm[] {
  for (const device of state.devices.values()) {
    if (device.window.underWay > 0) {
      state.now = latest(state.now, time);
      look(state, device);
    } else if (device.storm !== undefined && time - device.storm.end > SECOND) {
      endStorm(state, device);
    }
  }
  return [...state.devices.values()].flatMap(({ storm: found }) => found ?? []);
}

/** It is stormy now. */
function storm(state: StormState, device: DeviceWeather, byRate: boolean, byDown: boolean): void {
  const [first] = device.recent;
  if (device.storm === undefined) {
    if (first === undefined) return;
    device.storm = createStorm(++state.noticed, state.recording, device.dev, first);
    device.sampleBefore = first.sample;
    device.downBefore = first.downBefore;
  }
  const found = device.storm;
  // Looked at again, with nothing new: what was counted since came later.
  if (found.end === state.now && first === undefined) return;
  for (const one of device.recent) {
    addToStorm(found, one);
    found.last = { line: one.line, time: one.time };
  }
  device.recent = [];
  found.end = state.now;
  found.isByRate ||= byRate;
  found.isByDown ||= byDown;
  found.down = downUntil(device.window, state.now) - device.downBefore;
  const sample = sampleOf(state, device);
  found.counted = sample.map((value, at) => value - device.sampleBefore[at]);
}

function endStorm({ options }: StormState, device: DeviceWeather): void {
  if (device.storm === undefined) return;
  device.storm.isOver = true;
  options.onOver(device.storm);
  device.storm = undefined;
}

function endAll(state: StormState): void {
  activeAt(state, state.now);
  for (const device of state.devices.values()) endStorm(state, device);
}

function sampleOf({ options, rings }: StormState, { dev }: DeviceWeather): Float64Array {
  const sample = new Float64Array(options.sampleSize);
  options.sample(rings.virtqueuesOf.get(dev) ?? NONE, sample);
  return sample;
}

const NONE: ReadonlySet<number> = new Set();

/** How the dialect writes a zero byte: what follows is left over from a longer name. */
const NAME_END = '\\x00';

function nameAt(
  { offsets, bytes }: { readonly offsets: Int32Array; readonly bytes: Uint8Array },
  row: number,
): string {
  const recorded = String.fromCharCode(...bytes.subarray(offsets[row], offsets[row + 1]));
  const end = recorded.indexOf(NAME_END);
  return end < 0 ? recorded : recorded.slice(0, end);
}
