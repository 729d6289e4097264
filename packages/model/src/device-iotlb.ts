/**
 * What the device IOTLB (VIRTIO_F_ACCESS_PLATFORM) did: which lookups of a ring found a translation kept for the whole
 * area (meta-IOTLB), what was missed, and when misses came as a storm. Each miss costs a round and a way to the owner
 * of the device and back; each answer drops what is kept of all rings of the device. Needs no engine, as no design
 * changes the answer. Memory does not grow with the trace.
 */
import { wordsAt, type EventBatch } from './event-batch.js';
import { KIND } from './events.js';
import { kindTable } from './kind-table.js';
import { AREA_COUNT, AREAS } from './ring.js';
import { createRingWord, readRingWord, type RingWord } from './ring-word.js';
import { areasUnder, createRingPlaces, notePlaces, type RingPlaces } from './storms/ring-places.js';

/** What a miss was of: an area of the ring, by number, or a buffer. */
export const MISSED_OF = [...AREAS, 'buffer'] as const;
const BUFFER = AREA_COUNT;

export interface IotlbOfVirtqueue {
  /** Rounds that began with the device IOTLB on. */
  rounds: number;
  /** Of those, rounds that lacked a translation of the ring: their handler left at once. */
  skipped: number;
  /** Misses, by place in MISSED_OF. */
  readonly misses: number[];
  /** Lookups at the beginning of rounds that found the whole area kept, and those that had to look further; by area. */
  readonly metaHits: number[];
  readonly metaMisses: number[];
}

/** At least as many misses of a device within a second as make a storm, until a second passes without. */
export interface MissStorm {
  readonly dev: number;
  readonly recording: number;
  /** ns. */
  readonly begin: bigint;
  end: bigint;
  misses: number;
}

export interface IotlbOfDevice {
  misses: number;
  /** Messages of the owner: translations given, and taken back. */
  updates: number;
  invalidations: number;
  /** Misses of which an update was seen, how long they waited in all, and the longest (ns). */
  answered: number;
  waited: number;
  longest: number;
  storms: number;
}

export interface DeviceIotlbFound {
  readonly virtqueues: ReadonlyMap<number, IotlbOfVirtqueue>;
  readonly devices: ReadonlyMap<number, IotlbOfDevice>;
  /** The first of them. */
  readonly storms: readonly MissStorm[];
}

export interface DeviceIotlbWatch {
  /** By kind: 1 where the watch does anything with such an event. */
  readonly wants: Uint8Array;
  /** Looks at the events from `from` to before `to`, which follow those before in time. */
  consume(batch: EventBatch, from: number, to: number): void;
  /** Whether what follows is counted; at first it is. */
  count(isCounted: boolean): void;
  /** What there is by now; goes on changing. */
  readonly found: DeviceIotlbFound;
}

const MOST_STORMS = 256;
/** Misses of a device that wait for an answer, at most. */
const MOST_WAITING = 1024;
const SECOND = 1_000_000_000n;

/** What is followed of a device. */
interface Followed {
  readonly counts: IotlbOfDevice;
  /** Times of the last misses, as many as make a storm, in a ring. */
  readonly last: BigInt64Array;
  seen: number;
  storm: MissStorm | undefined;
  /** When an address was first asked for, since it was last answered. */
  readonly waiting: Map<bigint, bigint>;
}

interface State {
  readonly stormRate: number;
  rings: RingPlaces;
  recording: number;
  isCounted: boolean;
  readonly virtqueues: Map<number, IotlbOfVirtqueue>;
  readonly devices: Map<number, IotlbOfDevice>;
  readonly storms: MissStorm[];
  /** Of the recording. */
  readonly followed: Map<number, Followed>;
  /** By virtqueue: the area that its round has missed. */
  readonly missedInRound: Map<number, number>;
}

const WANTED = kindTable([
  KIND.recording,
  KIND.virtqueue,
  KIND.addresses,
  KIND.reset,
  KIND.lost,
  KIND.round,
  KIND.round_end,
  KIND.iotlb_miss,
  KIND.iotlb_update,
  KIND.iotlb_invalidate,
]);

const word: RingWord = createRingWord();

/** @param stormRate misses of a device within a second that make a storm */
export function createDeviceIotlbWatch(stormRate: number): DeviceIotlbWatch {
  const state: State = {
    stormRate,
    rings: createRingPlaces(),
    recording: -1,
    isCounted: true,
    virtqueues: new Map(),
    devices: new Map(),
    storms: [],
    followed: new Map(),
    missedInRound: new Map(),
  };
  return {
    wants: WANTED,
    consume: (batch, from, to) => {
      const { kind } = batch;
      for (let i = from; i < to; i++) if (WANTED[kind[i]] === 1) see(state, batch, i);
    },
    count: (isCounted) => {
      state.isCounted = isCounted;
    },
    found: state,
  };
}

function see(state: State, batch: EventBatch, i: number): void {
  const { details } = batch;
  const row = batch.detail[i];
  switch (batch.kind[i]) {
    case KIND.recording:
      state.rings = createRingPlaces();
      state.recording++;
      state.followed.clear();
      state.missedInRound.clear();
      return;
    case KIND.lost:
      // What was missed, and what was answered, may be among it.
      state.missedInRound.clear();
      for (const device of state.followed.values()) device.waiting.clear();
      return;
    case KIND.round:
      // A miss before it was of busy polling, or of who attached a backend.
      state.missedInRound.delete(batch.vq[i]);
      return;
    case KIND.reset:
      forgetAsked(state, batch.vq[i]);
      return notePlaces(state.rings, batch, i);
    case KIND.round_end:
      return endRound(state, batch.vq[i], details.ringBefore, 2 * row);
    case KIND.iotlb_miss:
      return miss(state, batch.vq[i], wordsAt(details.iova, row), timeAt(batch, i));
    case KIND.iotlb_update:
      return update(state, details.dev[row], details, row, timeAt(batch, i));
    case KIND.iotlb_invalidate:
      if (state.isCounted) followed(state, details.dev[row]).counts.invalidations++;
      return;
    default:
      notePlaces(state.rings, batch, i);
  }
}

/**
 * The word before a round tells what is kept as vq_meta_prefetch begins. It looks up one area after the other, and
 * ends with the first that it misses (reference §1.3).
 */
function endRound(state: State, vq: number, before: Uint32Array, at: number): void {
  const missed = state.missedInRound.get(vq);
  if (missed !== undefined) state.missedInRound.delete(vq);
  readRingWord(before[at], before[at + 1], word);
  if (!word.iotlb || !state.isCounted) return;
  const counts = ofVirtqueue(state, vq);
  counts.rounds++;
  if (missed !== undefined) counts.skipped++;
  if (!word.metaTold) return;
  const kept = [word.metaDesc, word.metaAvail, word.metaUsed];
  for (let area = 0; area < AREA_COUNT; area++) {
    (kept[area] ? counts.metaHits : counts.metaMisses)[area]++;
    if (missed === area) return;
  }
}

/** Nobody answers for a device that is gone. */
function forgetAsked({ rings, followed: all }: State, vq: number): void {
  const dev = rings.deviceOf.get(vq);
  if (dev !== undefined) all.get(dev)?.waiting.clear();
}

function miss(state: State, vq: number, iova: bigint, time: bigint): void {
  const [area] = areasUnder(state.rings, vq, iova, iova);
  if (area !== undefined) state.missedInRound.set(vq, area);
  const dev = state.rings.deviceOf.get(vq);
  const device = dev === undefined ? undefined : followed(state, dev);
  if (device !== undefined && device.waiting.size < MOST_WAITING && !device.waiting.has(iova))
    device.waiting.set(iova, time);
  if (!state.isCounted) return;
  ofVirtqueue(state, vq).misses[area ?? BUFFER]++;
  if (device === undefined || dev === undefined) return;
  device.counts.misses++;
  seeStorm(state, dev, device, time);
}

/** A storm is told by the time of the miss that came as many misses before as make one. */
function seeStorm(state: State, dev: number, device: Followed, time: bigint): void {
  const { last } = device;
  const { stormRate } = state;
  last[device.seen % stormRate] = time;
  device.seen++;
  const first = last[device.seen % stormRate];
  const isStormy = device.seen >= stormRate && time - first < SECOND;
  if (device.storm !== undefined && time - device.storm.end >= SECOND) device.storm = undefined;
  if (device.storm !== undefined) {
    device.storm.misses++;
    device.storm.end = time;
  } else if (isStormy) {
    device.storm = { dev, recording: state.recording, begin: first, end: time, misses: stormRate };
    device.counts.storms++;
    if (state.storms.length < MOST_STORMS) state.storms.push(device.storm);
  }
}

function update(
  state: State,
  dev: number,
  { iova, bytes }: EventBatch['details'],
  row: number,
  time: bigint,
): void {
  const device = followed(state, dev);
  const first = wordsAt(iova, row);
  const length = wordsAt(bytes, row);
  for (const [address, since] of device.waiting) {
    if (address < first || address - first >= length) continue;
    device.waiting.delete(address);
    if (!state.isCounted) continue;
    const waited = Number(time - since);
    device.counts.answered++;
    device.counts.waited += waited;
    device.counts.longest = Math.max(device.counts.longest, waited);
  }
  if (state.isCounted) device.counts.updates++;
}

function ofVirtqueue({ virtqueues }: State, vq: number): IotlbOfVirtqueue {
  const known = virtqueues.get(vq);
  if (known !== undefined) return known;
  const none = (places: number): number[] => Array.from({ length: places }, () => 0);
  const counts = {
    rounds: 0,
    skipped: 0,
    misses: none(MISSED_OF.length),
    metaHits: none(AREA_COUNT),
    metaMisses: none(AREA_COUNT),
  };
  virtqueues.set(vq, counts);
  return counts;
}

function followed({ followed: all, devices, stormRate }: State, dev: number): Followed {
  const known = all.get(dev);
  if (known !== undefined) return known;
  const counts = devices.get(dev) ?? {
    misses: 0,
    updates: 0,
    invalidations: 0,
    answered: 0,
    waited: 0,
    longest: 0,
    storms: 0,
  };
  devices.set(dev, counts);
  const device: Followed = {
    counts,
    last: new BigInt64Array(stormRate),
    seen: 0,
    storm: undefined,
    waiting: new Map(),
  };
  all.set(dev, device);
  return device;
}

function timeAt({ time }: EventBatch, i: number): bigint {
  return BigInt.asIntN(64, wordsAt(time, i));
}
