/**
 * From the events of perf to lines of the dialect that bpftrace prints on a host: what comes behind them, from the
 * trace to the replay, is the same. What the program of bpftrace does in the kernel is done here: a state of a ring
 * that is told already is not told again, calls are paired with their returns by their thread, and ranges are left
 * out that touch no ring of a device's owner.
 *
 * perf script prints the events of all CPUs in the order of time, so that what is learned from one holds for all
 * that follow.
 */
import { ACCESSORS, AREAS, areaBytes, HANDLERS, type Accessor } from '@vhostscope/model';
import type { LiveTraceEvent } from '@vhostscope/trace';
import { EVENT_IDX } from '../recording-program/area-size.js';
import { VHOST_SET_VRING_ADDR, VHOST_SET_VRING_NUM } from '../recording-program/ring-ioctl.js';
import { createCountedLines, UNKNOWN } from './counted-lines.js';
import { bit, fieldsOf, getter, hex, ringOf, virtqueuesOf, type Fields } from './perf-fields.js';
import { VIRTQUEUES_OF_DEVICE, type PerfEvent } from './probe-definitions.js';
import { knowMemory, widen, type Memories } from './ring-memories.js';
import { createToldRanges } from './told-ranges.js';

const SETS_ENTRIES = BigInt(VHOST_SET_VRING_NUM);
const SETS_ADDRESSES = BigInt(VHOST_SET_VRING_ADDR);

export interface ToldByPerf {
  /** @param event what the probe tells, as it was defined */
  hear(event: PerfEvent, from: LiveTraceEvent): void;
  /** A frame of the kernel stack of the event before: the name of a function. */
  hearFrame(name: string): void;
  /** The stack is told. */
  endStack(): void;
  /** A CPU says that it is there. */
  hearHeartbeat(from: LiveTraceEvent): void;
}

interface ToldSetUp {
  readonly who: string;
  readonly where: string;
  readonly iotlb: 0 | 1;
}

const HANDLER_OF: Partial<Record<PerfEvent, string>> = {
  net_rx_end: 'net_rx',
  net_tx_end: 'net_tx',
  vsock_end: 'vsock',
};

/**
 * @param mutexOffset where the mutex of a virtqueue lies in it
 * @param write takes lines, each with its LF
 */
export function createToldByPerf(mutexOffset: number, write: (text: string) => void): ToldByPerf {
  const lines = createCountedLines(write);
  const { emit, countOnly } = lines;
  /** What was told of each virtqueue: it is told again when it is another. */
  const told = new Map<bigint, ToldSetUp>();
  const memories: Memories = new Map();
  const ranges = createToldRanges(lines, memories);
  /** By thread: the round under way; the device whose ring is set up, and the virtqueue that lost its maps. */
  const rounds = new Map<number, { readonly vq: bigint; readonly ring: bigint }>();
  const setUps = new Map<number, { readonly dev: bigint; vq: bigint | undefined }>();
  const owning = new Map<number, bigint>();

  function tellSetUp(from: LiveTraceEvent, vq: bigint, fields: Fields, isNew: boolean): void {
    const get = getter(fields);
    const dev = get('dev');
    const owner = get('owner');
    const mm = get('mm');
    const num = get('num');
    const place = virtqueuesOf(fields).indexOf(vq);
    const addresses = AREAS.map((area) => get(area));
    const iotlb = get('iotlb') === 0n ? 0 : 1;
    const notified = get('notifiers') === 0n ? 0 : 1;
    const before = told.get(vq);
    const who = [dev, owner, mm, place, notified].join(' ');
    // Which features are acked decides when the ring is set up, and not any more when that changes.
    const where = [num, ...addresses].join(' ');
    told.set(vq, { who, where, iotlb });
    if (before?.who !== who) {
      if (mm !== 0n && owner !== 0n) knowMemory(memories, mm, owner);
      emit(from, 'state', 'V', hex(vq), hex(dev), owner, place < 0 ? UNKNOWN : place, notified);
    }
    if (isNew || before?.iotlb !== iotlb) emit(from, 'state', 'I', hex(vq), iotlb);
    if (!isNew && before?.where === where) return;
    const hasEventIdx = bit(get('features'), EVENT_IDX) === 1n;
    const sizes = AREAS.map((area) =>
      addresses[0] === 0n ? 0 : areaBytes(area, Number(num), hasEventIdx),
    );
    for (const [area, address] of addresses.entries())
      emit(from, 'state', 'U', hex(vq), area, hex(address), sizes[area] ?? 0, UNKNOWN);
    const memory = memories.get(mm);
    if (memory === undefined || iotlb === 1) return;
    for (const [area, address] of addresses.entries())
      if (address !== 0n) widen(memory, address, sizes[area] ?? 0);
  }

  function beginRound(from: LiveTraceEvent, fields: Fields): void {
    // Where the round before it let go of the mutex was not told.
    if (rounds.has(from.thread)) countOnly(from, 'rounds');
    const vq = getter(fields)('vq');
    tellSetUp(from, vq, fields, false);
    rounds.set(from.thread, { vq, ring: ringOf(fields) });
    emit(from, 'rounds', 'M', hex(vq));
  }

  function endRound(from: LiveTraceEvent, fields: Fields, handler: string): void {
    const round = rounds.get(from.thread);
    const vq = getter(fields)('mutex') - BigInt(mutexOffset);
    // A handler that found no backend, or gave back another virtqueue that it polled.
    if (round?.vq !== vq) return;
    rounds.delete(from.thread);
    const num = getter(fields)('num');
    // How long its chains are perf cannot see: 0 descriptors says that it was not read.
    emit(
      from,
      'rounds',
      'E',
      hex(vq),
      HANDLERS.indexOf(handler),
      num,
      0,
      hex(round.ring),
      hex(ringOf(fields)),
    );
  }

  function beginSetUp(from: LiveTraceEvent, fields: Fields): void {
    setUps.delete(from.thread);
    const get = getter(fields);
    const command = get('command');
    const place = get('place');
    if (command !== SETS_ENTRIES && command !== SETS_ADDRESSES) return;
    if (place >= get('count')) return;
    const dev = get('dev');
    const wasRead = place !== 0n || get(command === SETS_ENTRIES ? 'entries' : 'address') !== 0n;
    const vq = wasRead ? virtqueuesOf(fields)[Number(place)] : undefined;
    setUps.set(from.thread, { dev, vq });
    emit(from, 'state', 'N', hex(dev), 0, 0);
    if (vq !== undefined) emit(from, 'state', 'X', hex(vq), UNKNOWN, UNKNOWN);
  }

  /** The mutex is let go: the ring as it was set up. */
  function stateSetUp(from: LiveTraceEvent, fields: Fields): void {
    const setUp = setUps.get(from.thread);
    if (setUp === undefined) return;
    const vq = getter(fields)('mutex') - BigInt(mutexOffset);
    if (setUp.vq !== vq) emit(from, 'state', 'X', hex(vq), UNKNOWN, UNKNOWN);
    setUp.vq = vq;
    tellSetUp(from, vq, fields, true);
  }

  function forEachVirtqueue(
    from: LiveTraceEvent,
    fields: Fields,
    tell: (vq: bigint) => void,
  ): void {
    const count = getter(fields)('count');
    for (const vq of virtqueuesOf(fields)) tell(vq);
    // Of the others nothing can be told.
    if (count > BigInt(VIRTQUEUES_OF_DEVICE)) countOnly(from, 'state');
  }

  function giveUp(from: LiveTraceEvent, fields: Fields): void {
    forEachVirtqueue(from, fields, (vq) => {
      emit(from, 'state', 'X', hex(vq), UNKNOWN, UNKNOWN);
      emit(from, 'state', 'Z', hex(vq));
      told.delete(vq);
    });
    emit(from, 'state', 'N', hex(getter(fields)('dev')), 0, 0);
  }

  function attachBackend(from: LiveTraceEvent, fields: Fields): void {
    const get = getter(fields);
    if (get('backend') === 0n) return;
    for (const accessor of ['put_used_flags', 'get_used_idx'] satisfies Accessor[])
      emit(from, 'accesses', 'A', hex(get('vq')), ACCESSORS.indexOf(accessor), UNKNOWN, 1);
  }

  return {
    hear: (event, from) => {
      ranges.release();
      const fields = fieldsOf(from.fields);
      switch (event) {
        case 'round':
          return beginRound(from, fields);
        case 'net_rx_end':
        case 'net_tx_end':
        case 'vsock_end':
          return endRound(from, fields, HANDLER_OF[event] ?? 'other');
        case 'set_up':
          return beginSetUp(from, fields);
        case 'set_up_state':
          return stateSetUp(from, fields);
        case 'set_up_return': {
          const setUp = setUps.get(from.thread);
          if (setUp === undefined) return;
          setUps.delete(from.thread);
          return emit(from, 'state', 'N', hex(setUp.dev), 1, 0);
        }
        case 'own':
          owning.set(from.thread, getter(fields)('dev'));
          return;
        case 'own_return': {
          const dev = owning.get(from.thread);
          owning.delete(from.thread);
          if (dev !== undefined && getter(fields)('result') === 0n)
            emit(from, 'state', 'N', hex(dev), 1, 0);
          return;
        }
        case 'give_up':
          return giveUp(from, fields);
        case 'iotlb_on':
          return forEachVirtqueue(from, fields, (vq) => emit(from, 'state', 'I', hex(vq), 1));
        case 'backend':
          return attachBackend(from, fields);
        case 'range_start':
          return ranges.begin(from, fields);
        case 'range_start_return':
          return ranges.endCall(from, 'start');
        case 'range_end':
          return ranges.end(from, fields);
        case 'range_end_return':
          return ranges.endCall(from, 'end');
        case 'memory_ends':
          memories.delete(getter(fields)('mm'));
          return;
      }
    },
    hearFrame: (name) => ranges.hearFrame(name),
    endStack: () => ranges.release(),
    hearHeartbeat: (from) => {
      ranges.release();
      lines.heartbeat(from);
    },
  };
}
