/**
 * Invalidation storms, found as events come: no reading ahead, memory that does not grow with the trace.
 *
 * A moment is stormy when in the second before it as many ranges over rings of the device have begun as
 * `rate`, or ranges were under way for more than a tenth of it. Moments are the events of ranges, and all the
 * time that one range is under way. A storm is stormy moments with no second between two of them; its ranges
 * are those of the second before the first of them, and all up to the last.
 */
import { hasDetail, wordsAt, type EventBatch } from '../event-batch.js';
import { KIND } from '../events.js';
import { kindTable } from '../kind-table.js';
import { findBegin, rangeIdentity, type RangeIdentity } from '../paired-ranges.js';
import { noteStack, stackKey } from '../stack-classes.js';
import { rangeStartOf } from '../told-ranges.js';
import {
  activeAt,
  deviceOf,
  endAll,
  endRange,
  look,
  sampleOf,
  type DeviceWeather,
  type StormOptions,
  type StormState,
} from './device-weather.js';
import { createRingPlaces, notePlaces, ringsUnder } from './ring-places.js';
import { downUntil, latest, rangeBegins } from './storm-window.js';
import { markEvent, type Invalidation, type Storm } from './storm.js';

export type { StormOptions } from './device-weather.js';

export const DEFAULT_STORM_RATE = 100;
export const MOST_STORM_RATE = 10_000;

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

/** Ranges of a device under way that are followed. */
const MOST_OPEN = 256;
const NOTHING_COUNTED: readonly number[] = [];

const WANTED = kindTable([
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
]);

export function createStorms({
  rate = DEFAULT_STORM_RATE,
  host,
  sample = () => NOTHING_COUNTED,
  onOver,
}: StormOptions): Storms {
  const state: StormState = {
    options: { rate, host, sample, onOver },
    rings: createRingPlaces(),
    devices: new Map(),
    classes: new Map(),
    recording: -1,
    noticed: 0,
    looks: 0,
    now: 0n,
  };
  return {
    wants: WANTED,
    consume: (batch, i) => consume(state, batch, i),
    active: (time) => activeAt(state, time),
    finish: () => endAll(state),
    classOf: (recording, stack) => state.classes.get(stackKey(recording, stack)),
  };
}

function consume(state: StormState, batch: EventBatch, i: number): void {
  state.looks++;
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
      noteStack(state.classes, state.recording, batch, i);
      return;
    case KIND.lost:
      // Ends may be among what was lost.
      for (const device of state.devices.values()) forgetOpen(state, device, batch, i);
      return;
    case KIND.notifier: {
      // vhost's callbacks are no longer entered, or not yet: their ends do not come.
      const device = state.devices.get(details.dev[row]);
      if (device !== undefined && isTold(state, KIND.range_start))
        forgetOpen(state, device, batch, i);
      return;
    }
    case KIND.range_start:
    case KIND.range_end:
      if (isTold(state, KIND.range_start))
        range(state, batch, i, details.dev[row], batch.kind[i] === KIND.range_start);
      return;
    case KIND.core_range_start:
    case KIND.core_range_end:
      if (!isTold(state, KIND.core_range_start)) return;
      for (const dev of state.rings.devicesOfOwner.get(details.owner[row]) ?? [])
        range(state, batch, i, dev, batch.kind[i] === KIND.core_range_start);
      return;
    default:
      notePlaces(state.rings, batch, i);
  }
}

/** Whether this is the kind of event that counts as the beginning of a range. */
function isTold({ options: { host } }: StormState, start: number): boolean {
  return rangeStartOf(host) === start;
}

/** The beginning or the end of a range in the memory of a device. Non-blockable ones are refused. */
function range(
  state: StormState,
  batch: EventBatch,
  i: number,
  dev: number,
  isStart: boolean,
): void {
  const { details } = batch;
  const row = batch.detail[i];
  if (details.blockable[row] === 0) return;
  if (isStart) {
    const start = wordsAt(details.start, row);
    const end = wordsAt(details.end, row);
    const virtqueues = ringsUnder(state.rings, dev, start, end);
    if (virtqueues.length === 0) return;
    const device = deviceOf(state, dev);
    state.now = latest(state.now, wordsAt(batch.time, i));
    look(state, device);
    const identity = rangeIdentity(batch, i, dev);
    const begun = beginRange(state, device, batch, i, virtqueues, identity);
    device.open.push({ identity, range: begun });
    if (device.open.length > MOST_OPEN) endRange(state, device, 0);
  } else {
    const device = state.devices.get(dev);
    if (device === undefined) return;
    const at = findBegin(device.open, batch, i, dev);
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

function beginRange(
  state: StormState,
  device: DeviceWeather,
  batch: EventBatch,
  i: number,
  virtqueues: readonly number[],
  { cause, pid, comm }: RangeIdentity,
): Invalidation {
  const { details } = batch;
  const row = batch.detail[i];
  const begun: Invalidation = {
    time: state.now,
    line: batch.line[i],
    cause,
    stack: hasDetail(details, row, 'stack') ? wordsAt(details.stack, row) : undefined,
    pid,
    comm,
    virtqueues,
    sample: sampleOf(state, device),
    downBefore: downUntil(device.window, state.now),
    ended: undefined,
  };
  rangeBegins(device.window, state.now);
  device.recent.push(begun);
  return begun;
}

/** Ranges under way that end without a word. */
function forgetOpen(state: StormState, device: DeviceWeather, batch: EventBatch, i: number): void {
  if (device.open.length === 0) return;
  state.now = latest(state.now, wordsAt(batch.time, i));
  look(state, device);
  for (let at = device.open.length - 1; at >= 0; at--) endRange(state, device, at);
  mark(state, device, batch, i);
}

/** Event `i` is the last of the storm so far, if there is one. */
function mark(
  { now }: StormState,
  { storm: found }: DeviceWeather,
  batch: EventBatch,
  i: number,
): void {
  if (found?.end === now) markEvent(found, batch.line[i], wordsAt(batch.time, i));
}
