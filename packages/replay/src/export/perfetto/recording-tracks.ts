/** The tracks of one recording, as a tree: owner of the memory, device, virtqueue, and what these have. */
import type { PacketSequence, PacketStream, Time } from './packet-sequence.js';
import { createMapSlices, type MapSlices } from './map-slices.js';
import { createRangeLanes, type RangeLanes } from './range-lanes.js';
import { createRateCounters, type RateCounters } from './rate-counters.js';
import { createRoundSlices, type RoundSlices } from './round-slices.js';

export interface VirtqueueTracks {
  readonly track: number;
  readonly maps: MapSlices;
  readonly rounds: RoundSlices;
  readonly accesses: (more: number) => void;
  readonly ratios: (accesses: number, hits: number, ambiguous: number) => void;
}

export interface RecordingTracks {
  readonly sequence: PacketSequence;
  readonly root: number;
  readonly counters: RateCounters;
  readonly accesses: (more: number) => void;
  readonly ratios: (accesses: number, hits: number, ambiguous: number) => void;
  readonly invalidations: (more: number) => void;
  /** Those that were asked for. */
  readonly virtqueues: ReadonlyMap<number, VirtqueueTracks>;
  /** A virtqueue belongs to a device, and that to a process; where known, before the virtqueue is asked for. */
  place(vq: number, dev: number | undefined, owner: number | undefined): void;
  /** Virtqueues that were placed. */
  placed(): Iterable<number>;
  virtqueue(vq: number): VirtqueueTracks;
  device(dev: number | undefined): number;
  /** Ranges in the memory that a device uses, or that a process owns. */
  rangesOfDevice(dev: number): RangeLanes;
  rangesOfOwner(pid: number): RangeLanes;
  /** The track of flushes of the TLB of a process. */
  flushes(pid: number): number;
  /** All ranges under way are not followed any more. */
  abandonRanges(time: Time): void;
  end(time: Time): void;
}

const OTHERS = -1;

/** Order of what a device, or an owner, has. */
const RANGES = 0;
const FLUSHES = 1;
export const STORMS = 2;
const FIRST_VIRTQUEUE = 3;
/** Order of what a virtqueue has, behind its areas. */
const ROUNDS = 3;
const ACCESSES = 4;
const RATIOS = 5;

/**
 * @param label tells the recording from others of the trace; empty when there are none
 * @param first time of its first event
 * @param width of a step of its counters, ns
 */
export function createRecordingTracks(
  stream: PacketStream,
  label: string,
  first: bigint,
  width: number,
): RecordingTracks {
  const sequence = stream.sequence();
  const root = sequence.track({ name: `vhost${label}` });
  const counterSequence = stream.sequence();
  const counters = createRateCounters(counterSequence, first, width);
  const accesses = counters.rate('accesses/s', root, 0);
  const ratios = counters.ratios(root, 1);
  const invalidations = counters.rate('invalidations/s', root, 3);
  const placed = new Set<number>();
  const deviceOf = new Map<number, number>();
  const ownerOf = new Map<number, number>();
  const ownerPids = new Set<number>();
  const owners = new Map<number, number>();
  const devices = new Map<number, number>();
  const virtqueues = new Map<number, VirtqueueTracks>();
  const deviceRanges = new Map<number, RangeLanes>();
  const ownerRanges = new Map<number, RangeLanes>();
  const flushTracks = new Map<number, number>();

  const owner = (pid: number): number =>
    found(owners, pid, () =>
      pid === OTHERS
        ? sequence.track({ name: `other processes${label}`, parent: root, rank: 4 })
        : sequence.track({ name: `pid ${pid}`, pid }),
    );
  /** Of processes that own no device of the trace, as only a forger tells, not each has a track. */
  const known = (pid: number): number => (ownerPids.has(pid) ? pid : OTHERS);
  const device = (dev: number | undefined): number =>
    found(devices, dev ?? -1, () => {
      const pid = ownerOf.get(dev ?? -1);
      return sequence.track({
        name: dev === undefined ? `device not known${label}` : `vhost dev ${dev}${label}`,
        parent: pid === undefined ? root : owner(pid),
        rank: 5 + (dev ?? 0),
      });
    });
  const virtqueue = (vq: number): VirtqueueTracks =>
    found(virtqueues, vq, () => {
      const parent = device(deviceOf.get(vq));
      const track = sequence.track({ name: `vq ${vq}`, parent, rank: FIRST_VIRTQUEUE + vq });
      return {
        track,
        maps: createMapSlices(sequence, vq, track),
        rounds: createRoundSlices(stream.sequence(), track, ROUNDS),
        accesses: counters.rate('accesses/s', track, ACCESSES),
        ratios: counters.ratios(track, RATIOS),
      };
    });
  const abandonRanges = (time: Time): void => {
    for (const lanes of [...deviceRanges.values(), ...ownerRanges.values()]) lanes.abandon(time);
  };
  return {
    sequence,
    root,
    counters,
    accesses,
    ratios,
    invalidations,
    virtqueues,
    placed: () => placed,
    place: (vq, dev, pid) => {
      placed.add(vq);
      if (dev !== undefined) deviceOf.set(vq, dev);
      if (dev === undefined || pid === undefined) return;
      ownerOf.set(dev, pid);
      ownerPids.add(pid);
    },
    virtqueue,
    device,
    rangesOfDevice: (dev) =>
      found(deviceRanges, dev, () => createRangeLanes(sequence, device(dev), RANGES)),
    rangesOfOwner: (pid) =>
      found(ownerRanges, known(pid), () => createRangeLanes(sequence, owner(known(pid)), RANGES)),
    flushes: (pid) =>
      found(flushTracks, known(pid), () =>
        sequence.track({ name: 'TLB flushes', parent: owner(known(pid)), rank: FLUSHES }),
      ),
    abandonRanges,
    end: (time) => {
      abandonRanges(time);
      for (const { maps, rounds } of virtqueues.values()) {
        maps.end(time);
        rounds.end();
      }
      counters.end();
    },
  };
}

/** What stands under the key; made when nothing does. */
function found<Value>(values: Map<number, Value>, key: number, make: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  const made = make();
  values.set(key, made);
  return made;
}
