/** Devices and what comes over their rings: when it is stormy, and what belongs to the storm. */
import type { HostKind } from '../engine-state.js';
import type { RangeIdentity } from '../paired-ranges.js';
import type { StackClasses } from '../stack-classes.js';
import type { RingPlaces } from './ring-places.js';
import {
  createStormWindow,
  DOWN_LIMIT,
  downUntil,
  isStormy,
  latest,
  rangeEnds,
  SECOND,
  type StormWindow,
} from './storm-window.js';
import { addToStorm, createStorm, type Invalidation, type Storm } from './storm.js';

export interface StormOptions {
  /** Ranges over rings of a device in a second. Default 100. */
  readonly rate?: number;
  /** By which events its ranges are told, see told-ranges.ts. */
  readonly host: HostKind;
  /** What is to be counted of the virtqueues of a device: as many numbers each time, which only grow. */
  readonly sample?: (virtqueues: ReadonlySet<number>) => readonly number[];
  /** A storm is over. */
  readonly onOver: (storm: Storm) => void;
}

/** A range under way. */
export interface OpenRange {
  readonly identity: RangeIdentity;
  readonly range: Invalidation;
}

export interface DeviceWeather {
  readonly dev: number;
  readonly window: StormWindow;
  /** Ranges of the last second, and those under way; without those of a storm. */
  recent: Invalidation[];
  /** With so many of them it is looked through for those that are older by now. */
  forgetAt: number;
  open: OpenRange[];
  storm: Storm | undefined;
  /** The last sample, and at which look at the events it was made. */
  sample: readonly number[];
  sampledAt: number;
  /** Sample and time under way at the beginning of the storm. */
  sampleBefore: readonly number[];
  downBefore: bigint;
}

export interface StormState {
  readonly options: Required<StormOptions>;
  rings: RingPlaces;
  devices: Map<number, DeviceWeather>;
  readonly classes: StackClasses;
  recording: number;
  noticed: number;
  /** Looks at the events: between two of them, anything may have been counted. */
  looks: number;
  /** Clocks of CPUs may disagree: time never goes back here. */
  now: bigint;
}

export function deviceOf({ devices, options }: StormState, dev: number): DeviceWeather {
  const known = devices.get(dev);
  if (known !== undefined) return known;
  const made: DeviceWeather = {
    dev,
    window: createStormWindow(options.rate),
    recent: [],
    forgetAt: FORGET_AT,
    open: [],
    storm: undefined,
    sample: [],
    sampledAt: -1,
    sampleBefore: [],
    downBefore: 0n,
  };
  devices.set(dev, made);
  return made;
}

export function endRange(state: StormState, device: DeviceWeather, at: number): void {
  const [open] = device.open.splice(at, 1);
  if (open === undefined) return;
  open.range.ended = state.now;
  rangeEnds(device.window, state.now);
}

/** What the weather is now, given all that has come. */
export function look(state: StormState, device: DeviceWeather): void {
  const { now } = state;
  const { window } = device;
  const isLong = window.underWay > 0 && now - window.downSince > DOWN_LIMIT;
  const { rate, down } = isStormy(window, now);
  // One that is under way is stormy from a tenth of a second on, whether or not an event tells.
  const since = isLong ? latest(window.downSince + DOWN_LIMIT, device.storm?.end ?? 0n) : now;
  const quietFrom = rate || down ? since : now;
  if (device.storm !== undefined && quietFrom - device.storm.end > SECOND) endStorm(state, device);
  if (rate || down) {
    forgetOld(device, since);
    storm(state, device, rate, down);
  } else if (device.recent.length >= device.forgetAt) forgetOld(device, now);
}

/** Fewer are not worth looking through. */
const FORGET_AT = 16;

/** Ranges that were over a second before a time. Done now and then: each is looked at a few times at most. */
function forgetOld(device: DeviceWeather, time: bigint): void {
  const from = time - SECOND;
  device.recent = device.recent.filter(
    (range) => range.time > from || range.ended === undefined || range.ended > from,
  );
  device.forgetAt = Math.max(FORGET_AT, 2 * device.recent.length);
}

/** Nothing is stormy only because somebody looks, but for a range under way. */
export function activeAt(state: StormState, time: bigint): Storm[] {
  state.looks++;
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
    device.storm = createStorm(++state.noticed, state.recording, device.dev, first, state.now);
    device.sampleBefore = first.sample;
    device.downBefore = first.downBefore;
  }
  const found = device.storm;
  // Looked at again, with nothing new: what was counted since came later.
  if (found.end === state.now && first === undefined) return;
  for (const one of device.recent) addToStorm(found, one);
  device.recent = [];
  found.end = state.now;
  found.isByRate ||= byRate;
  found.isByDown ||= byDown;
  found.down = downUntil(device.window, state.now) - device.downBefore;
  const { sampleBefore } = device;
  found.counted = sampleOf(state, device).map((value, at) => value - sampleBefore[at]);
}

function endStorm({ options }: StormState, device: DeviceWeather): void {
  if (device.storm === undefined) return;
  device.storm.isOver = true;
  options.onOver(device.storm);
  device.storm = undefined;
}

export function endAll(state: StormState): void {
  activeAt(state, state.now);
  for (const device of state.devices.values()) endStorm(state, device);
}

/** What was counted so far; made once at each look, as an event may ask for it several times. */
export function sampleOf(
  { options, rings, looks }: StormState,
  device: DeviceWeather,
): readonly number[] {
  if (device.sampledAt !== looks) {
    device.sample = options.sample(rings.virtqueuesOf.get(device.dev) ?? NONE);
    device.sampledAt = looks;
  }
  return device.sample;
}

const NONE: ReadonlySet<number> = new Set();
