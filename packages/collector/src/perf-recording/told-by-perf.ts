/**
 * From the events of perf to lines of the dialect that bpftrace prints on a host: what comes behind them, from the
 * trace to the replay, is the same. What the program of bpftrace does in the kernel is done here: a state of a ring
 * that is told already is not told again, calls are paired with their returns by their thread, and ranges are left
 * out that touch no ring of a device's owner.
 *
 * perf script prints the events of all CPUs in the order of time, so that what is learned from one holds for all
 * that follow.
 */
import {
  ACCESSORS,
  AREAS,
  areaBytes,
  ATTACH_HEADER,
  HANDLERS,
  createRingWord,
  ringWord,
  type Accessor,
} from '@vhostscope/model';
import type { LiveTraceEvent } from '@vhostscope/trace';
import { EVENT_IDX } from '../recording-program/area-size.js';
import { IN_ORDER, NOTIFY_ON_EMPTY } from '../recording-program/virtqueue-state.js';
import { VHOST_SET_VRING_ADDR, VHOST_SET_VRING_NUM } from '../recording-program/ring-ioctl.js';
import { VIRTQUEUES_OF_DEVICE, type PerfEvent } from './probe-definitions.js';

const SETS_ENTRIES = BigInt(VHOST_SET_VRING_NUM);
const SETS_ADDRESSES = BigInt(VHOST_SET_VRING_ADDR);

/** Fields of an event, by name. */
type Fields = ReadonlyMap<string, bigint>;

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

interface Counts {
  state: number;
  rounds: number;
  ranges: number;
  accesses: number;
  foreign: number;
  elsewhere: number;
}

interface Memory {
  readonly owner: bigint;
  /** Bounds of its rings, both inclusive. */
  low: bigint;
  high: bigint;
}

interface ToldSetUp {
  readonly who: string;
  readonly where: string;
  readonly iotlb: 0 | 1;
}

/** A range whose begin was told, and which call of it is under way. */
interface Call {
  readonly columns: (is: number) => string;
  readonly stage: 'start' | 'end';
}

const HANDLER_OF: Partial<Record<PerfEvent, string>> = {
  net_rx_end: 'net_rx',
  net_tx_end: 'net_tx',
  vsock_end: 'vsock',
};

const UNKNOWN = '-';
/** Ranges that were refused have no end, and stay here until another comes to lie where they were. */
const MOST_RANGES = 65_536;
const MOST_STACKS = 3000;

/**
 * @param mutexOffset where the mutex of a virtqueue lies in it
 * @param write takes lines, each with its LF
 */
export function createToldByPerf(mutexOffset: number, write: (text: string) => void): ToldByPerf {
  const countsOf = new Map<number, Counts>();
  /** What was told of each virtqueue: it is told again when it is another. */
  const told = new Map<bigint, ToldSetUp>();
  const memories = new Map<bigint, Memory>();
  /** By thread: the round under way; the device whose ring is set up, and the virtqueue that lost its maps. */
  const rounds = new Map<number, { readonly vq: bigint; readonly ring: bigint }>();
  const setUps = new Map<number, { readonly dev: bigint; vq: bigint | undefined }>();
  const owning = new Map<number, bigint>();
  const calls = new Map<number, Call>();
  const begun = new Set<bigint>();
  /** Numbers of stacks by their functions. */
  const stacks = new Map<string, bigint>();
  /** A range whose stack comes behind it. */
  let held: { readonly from: LiveTraceEvent; readonly tell: (stack: string) => void } | undefined;
  let frames: string[] = [];

  function countsAt(cpu: number): Counts {
    let counts = countsOf.get(cpu);
    if (counts === undefined) {
      counts = { state: 0, rounds: 0, ranges: 0, accesses: 0, foreign: 0, elsewhere: 0 };
      countsOf.set(cpu, counts);
    }
    return counts;
  }

  function emit(
    { time, cpu }: LiveTraceEvent,
    of: keyof Counts,
    tag: string,
    ...columns: readonly (string | number | bigint)[]
  ): void {
    countsAt(cpu)[of]++;
    write(`${tag} ${time} ${cpu} ${columns.join(' ')}\n`);
  }

  /** Something was to be told and cannot be: a heartbeat says that a line was made which did not arrive. */
  function miss({ cpu }: LiveTraceEvent, of: keyof Counts): void {
    countsAt(cpu)[of]++;
  }

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
      if (mm !== 0n && owner !== 0n) knowMemory(mm, owner);
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

  function knowMemory(mm: bigint, owner: bigint): void {
    if (memories.get(mm)?.owner !== owner) memories.set(mm, { owner, low: -1n, high: -1n });
  }

  function beginRound(from: LiveTraceEvent, fields: Fields): void {
    // Where the round before it let go of the mutex was not told.
    if (rounds.has(from.thread)) miss(from, 'rounds');
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
    if (count > BigInt(VIRTQUEUES_OF_DEVICE)) miss(from, 'state');
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

  function beginRange(from: LiveTraceEvent, fields: Fields): void {
    if (calls.delete(from.thread)) miss(from, 'ranges');
    const get = getter(fields);
    const range = get('range');
    // One that was refused had no end, and another comes to lie where it was.
    begun.delete(range);
    const columns = touchingRings(from, fields);
    if (columns === undefined) return;
    if (begun.size >= MOST_RANGES) {
      const [oldest = 0n] = begun;
      begun.delete(oldest);
      miss(from, 'ranges');
    }
    begun.add(range);
    calls.set(from.thread, { columns: (is) => columns(is, UNKNOWN), stage: 'start' });
    held = { from, tell: (stack) => emit(from, 'ranges', 'K', columns(1, stack)) };
  }

  function endRange(from: LiveTraceEvent, fields: Fields): void {
    if (calls.delete(from.thread)) miss(from, 'ranges');
    if (!begun.delete(getter(fields)('range'))) return;
    const columns = columnsOf(from, fields);
    if (columns === undefined) return;
    emit(from, 'ranges', 'K', columns(0, UNKNOWN));
    calls.set(from.thread, { columns: (is) => columns(is, UNKNOWN), stage: 'end' });
  }

  function endCall(from: LiveTraceEvent, stage: Call['stage']): void {
    const call = calls.get(from.thread);
    if (call?.stage !== stage) return;
    calls.delete(from.thread);
    emit(from, 'ranges', 'K', call.columns(stage === 'start' ? 2 : 3));
  }

  /** The columns of a range that may touch a ring; undefined of others, which are counted. */
  function touchingRings(
    from: LiveTraceEvent,
    fields: Fields,
  ): ((is: number, stack: string) => string) | undefined {
    const get = getter(fields);
    const memory = memories.get(get('mm'));
    const counts = countsAt(from.cpu);
    if (memory === undefined) {
      counts.foreign++;
      return undefined;
    }
    // As the design tests it, the end of a range counts as in it.
    if (get('start') > memory.high || get('end') < memory.low) {
      counts.elsewhere++;
      return undefined;
    }
    return columnsOf(from, fields);
  }

  function columnsOf(
    from: LiveTraceEvent,
    fields: Fields,
  ): ((is: number, stack: string) => string) | undefined {
    const get = getter(fields);
    const memory = memories.get(get('mm'));
    if (memory === undefined) return undefined;
    // MMU_NOTIFIER_RANGE_BLOCKABLE is bit 0.
    const rest = [
      hex(get('start')),
      hex(get('end')),
      get('cause'),
      bit(get('flags'), 0),
      from.process,
    ].join(' ');
    return (is, stack) => `${memory.owner} ${is} ${rest} ${stack} ${from.comm}`;
  }

  function release(): void {
    if (held === undefined) return;
    const { from, tell } = held;
    held = undefined;
    const key = frames.join(' ');
    let stack = stacks.get(key);
    if (stack === undefined && frames.length > 0 && stacks.size < MOST_STACKS) {
      stack = from.time;
      stacks.set(key, stack);
      const lines = frames.map((name) => `  ${name}\n`).join('');
      write(`stack ${stack} ${from.cpu}\n${lines}stack end\n`);
    }
    frames = [];
    tell(stack === undefined ? UNKNOWN : String(stack));
  }

  write(`${ATTACH_HEADER}\n`);
  return {
    hear: (event, from) => {
      release();
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
          return beginRange(from, fields);
        case 'range_start_return':
          return endCall(from, 'start');
        case 'range_end':
          return endRange(from, fields);
        case 'range_end_return':
          return endCall(from, 'end');
        case 'memory_ends':
          memories.delete(getter(fields)('mm'));
          return;
      }
    },
    hearFrame: (name) => {
      if (held !== undefined && frames.length < MOST_FRAMES) frames.push(name);
    },
    endStack: release,
    hearHeartbeat: ({ time, cpu }) => {
      release();
      const { state, rounds: ofRounds, ranges, accesses, foreign, elsewhere } = countsAt(cpu);
      write(
        `H ${time} ${cpu} ${state} ${ofRounds} ${ranges} ${accesses} ${foreign} ${elsewhere}\n`,
      );
    },
  };
}

const MOST_FRAMES = 24;

const FIELD = /(\w+)=(0x[0-9a-f]{1,16}|-?\d{1,20})(?= |$)/g;

function fieldsOf(text: string): Fields {
  const fields = new Map<string, bigint>();
  for (const [, name = '', value = '0'] of text.matchAll(FIELD)) fields.set(name, BigInt(value));
  return fields;
}

/** A field that is missing could not be read; the kernel gives those 0, too. */
function getter(fields: Fields): (name: string) => bigint {
  return (name) => fields.get(name) ?? 0n;
}

/** Those of a device, by their places. */
function virtqueuesOf(fields: Fields): bigint[] {
  const get = getter(fields);
  const count = Math.min(Number(get('count')), VIRTQUEUES_OF_DEVICE);
  return Array.from({ length: count }, (_, place) => get(`vq${place}`));
}

function ringOf(fields: Fields): bigint {
  const get = getter(fields);
  const features = get('features');
  return ringWord({
    ...createRingWord(),
    lastAvailIdx: Number(get('last_avail')),
    availIdx: Number(get('avail_idx')),
    lastUsedIdx: Number(get('last_used')),
    // VRING_USED_F_NO_NOTIFY is 1.
    noNotify: bit(get('used_flags'), 0) === 1n,
    signalledUsedValid: get('signalled') !== 0n,
    callEventfd: get('call') !== 0n,
    eventIdx: bit(features, EVENT_IDX) === 1n,
    notifyOnEmpty: bit(features, NOTIFY_ON_EMPTY) === 1n,
    iotlb: get('iotlb') !== 0n,
    inOrder: bit(features, IN_ORDER) === 1n,
    busyPoll: get('polls') !== 0n,
  });
}

function widen(memory: Memory, start: bigint, bytes: number): void {
  const last = start + BigInt(bytes) - 1n;
  if (memory.low < 0n || start < memory.low) memory.low = start;
  if (last > memory.high) memory.high = last;
}

function bit(word: bigint, place: number): bigint {
  return (word >> BigInt(place)) & 1n;
}

function hex(value: bigint): string {
  return value.toString(16);
}
