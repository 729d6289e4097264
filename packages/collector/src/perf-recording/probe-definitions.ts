/**
 * The probes of a recording with perf, as definitions of kprobe events (Documentation/trace/kprobetrace.rst). They
 * are made of names of functions that were found on the host, and of numbers: nothing else of it gets in.
 *
 * What a probe at the return of a function can no longer see, the state of a virtqueue, is read where vhost lets go
 * of the mutex of the virtqueue: at the instruction that goes to mutex_unlock, which has the mutex as its argument.
 */
import type { Member } from '../host/kernel-types.js';
import type { StructLayout } from './struct-layout.js';

/** What a probe tells. Those with a `_return` tell that the call which was told last in its thread is over. */
export type PerfEvent =
  | 'round'
  | 'net_rx_end'
  | 'net_tx_end'
  | 'vsock_end'
  | 'set_up'
  | 'set_up_state'
  | 'set_up_return'
  | 'own'
  | 'own_return'
  | 'give_up'
  | 'iotlb_on'
  | 'backend'
  | 'range_start'
  | 'range_start_return'
  | 'range_end'
  | 'range_end_return'
  | 'memory_ends';

export interface ProbeDefinition {
  readonly event: PerfEvent;
  /** `function`, or `module:function+offset` within one. */
  readonly place: string;
  /** Fetch arguments by field. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whether the kernel stack is kept. */
  readonly keepsStack?: boolean;
}

/** Functions that are probed at their begin, and those that matter at their return too. */
export interface ProbedFunctions {
  readonly round: string;
  readonly ringIoctl: string | undefined;
  readonly setOwner: string | undefined;
  readonly cleanup: string | undefined;
  readonly initIotlb: string | undefined;
  readonly initAccess: string | undefined;
  readonly coreRanges: { readonly start: string; readonly end: string } | undefined;
  readonly endOfMemory: string | undefined;
}

/** A place where the mutex of a virtqueue is let go. */
export interface UnlockSite {
  readonly event: PerfEvent;
  readonly place: string;
}

/** Virtqueues of a device that are looked at where a device is all that a probe knows: twice what net and vsock have. */
export const VIRTQUEUES_OF_DEVICE = 4;

/** Of the calling convention of x86-64, where a function's first argument is. */
const FIRST_ARGUMENT = '%di';

export function probeDefinitions(
  functions: ProbedFunctions,
  sites: readonly UnlockSite[],
  layout: StructLayout,
): ProbeDefinition[] {
  const { round, ringIoctl, setOwner, cleanup, initIotlb, initAccess } = functions;
  const { virtqueue } = layout;
  const mutex = virtqueue.mutex.offset;
  const at = (event: PerfEvent, place: string | undefined, fields = {}): ProbeDefinition[] =>
    place === undefined ? [] : [{ event, place, fields }];
  return [
    ...at('round', round, {
      vq: '$arg1:x64',
      ...ringFields(layout, '$arg1', 0),
      ...setUpFields(layout, '$arg1', 0),
    }),
    ...sites.map(({ event, place }) => ({
      event,
      place,
      fields: {
        mutex: `${FIRST_ARGUMENT}:x64`,
        ...ringFields(layout, FIRST_ARGUMENT, mutex),
        ...(event === 'set_up_state' ? setUpFields(layout, FIRST_ARGUMENT, mutex) : {}),
      },
    })),
    // What the ioctl is given lies in the memory of the caller: the number of the virtqueue, then something that is 0
    // in no request which the kernel grants. A page that is not there reads as 0.
    ...at('set_up', ringIoctl, {
      ...deviceFields(layout, '$arg1'),
      command: '$arg2:u32',
      place: '+u0($arg3):u32',
      entries: '+u4($arg3):u32',
      address: '+u8($arg3):x64',
    }),
    ...at('set_up_return', ringIoctl),
    ...at('own', setOwner, { dev: '$arg1:x64' }),
    ...at('own_return', setOwner, { result: '$retval:s32' }),
    ...at('give_up', cleanup, deviceFields(layout, '$arg1')),
    ...at('iotlb_on', initIotlb, deviceFields(layout, '$arg1')),
    ...at('backend', initAccess, {
      vq: '$arg1:x64',
      backend: read(virtqueue.backend, '$arg1'),
    }),
    ...rangeDefinitions(functions, layout),
    ...at('memory_ends', functions.endOfMemory, { mm: '$arg1:x64' }),
  ];
}

function rangeDefinitions(
  { coreRanges }: ProbedFunctions,
  { range }: StructLayout,
): ProbeDefinition[] {
  if (coreRanges === undefined) return [];
  const fields = {
    range: '$arg1:x64',
    mm: read(range.mm, '$arg1'),
    start: read(range.start, '$arg1'),
    end: read(range.end, '$arg1'),
    flags: read(range.flags, '$arg1'),
    cause: read(range.cause, '$arg1'),
  };
  const { start, end } = coreRanges;
  return [
    { event: 'range_start', place: start, fields, keepsStack: true },
    { event: 'range_start_return', place: start, fields: {} },
    { event: 'range_end', place: end, fields },
    { event: 'range_end_return', place: end, fields: {} },
  ];
}

/** What decides which accessors run, and who it is. `base` points to `shift` bytes into the virtqueue. */
function ringFields({ virtqueue }: StructLayout, base: string, shift: number): ProbeFields {
  const { num, lastAvailIdx, availIdx, lastUsedIdx, usedFlags } = virtqueue;
  return {
    num: read(num, base, shift),
    last_avail: read(lastAvailIdx, base, shift),
    avail_idx: read(availIdx, base, shift),
    last_used: read(lastUsedIdx, base, shift),
    used_flags: read(usedFlags, base, shift),
    features: read(virtqueue.features, base, shift),
    signalled: read(virtqueue.signalledUsedValid, base, shift),
    call: read(virtqueue.callEventfd, base, shift),
    iotlb: read(virtqueue.iotlb, base, shift),
    polls: read(virtqueue.polls, base, shift),
  };
}

type ProbeFields = Readonly<Record<string, string>>;

/** Where the ring lies, whose it is, and who listens to changes of that memory. */
function setUpFields(layout: StructLayout, base: string, shift: number): ProbeFields {
  const { virtqueue, device, memory, task } = layout;
  const dev = pointer(virtqueue.dev, base, shift);
  const mm = pointer(device.mm, dev);
  return {
    dev: `${dev}:x64`,
    desc: read(virtqueue.desc, base, shift),
    avail: read(virtqueue.avail, base, shift),
    used: read(virtqueue.used, base, shift),
    mm: `${mm}:x64`,
    owner: read(task.process, pointer(memory.owner, mm)),
    notifiers: read(memory.notifiers, mm),
    ...virtqueueFields(layout, dev),
  };
}

function deviceFields(layout: StructLayout, dev: string): ProbeFields {
  return { dev: `${dev}:x64`, ...virtqueueFields(layout, dev) };
}

/** The virtqueues of a device, in the order of their places. */
function virtqueueFields({ device }: StructLayout, dev: string): ProbeFields {
  const table = pointer(device.virtqueues, dev);
  const places = Array.from({ length: VIRTQUEUES_OF_DEVICE }, (_, place) => [
    `vq${place}`,
    `+${8 * place}(${table}):x64`,
  ]);
  return { count: read(device.count, dev), ...Object.fromEntries(places) };
}

function pointer({ offset }: Member, base: string, shift = 0): string {
  const bytes = offset - shift;
  return `${bytes < 0 ? '-' : '+'}${Math.abs(bytes)}(${base})`;
}

/** Reads a number or a pointer. */
function read(member: Member, base: string, shift = 0): string {
  const { bytes } = member;
  return `${pointer(member, base, shift)}:${bytes === 8 ? 'x64' : `u${8 * bytes}`}`;
}

/** Under which names the probes of one recorder stand among those of the host. */
export interface ProbeNames {
  readonly group: string;
  /** Behind the name of each event: the kernel counts by these, whatever their group. */
  readonly suffix: string;
}

/** Of a recording that somebody makes by hand. */
export const PLAIN_NAMES: ProbeNames = { group: 'vhostscope', suffix: '' };

/** As many returns as may be under way at one time; the kernel skips others, and counts them. */
const MOST_RETURNS = 512;

export function eventName(
  { event }: ProbeDefinition,
  index: number,
  { suffix }: ProbeNames,
): string {
  return `${event}_${index}${suffix}`;
}

/** A line for kprobe_events. */
export function definitionLine(
  definition: ProbeDefinition,
  index: number,
  names: ProbeNames,
): string {
  const { event, place, fields } = definition;
  const kind = event.endsWith('_return') ? `r${MOST_RETURNS}` : 'p';
  return [
    `${kind}:${names.group}/${eventName(definition, index, names)}`,
    place,
    ...Object.entries(fields).map(([name, from]) => `${name}=${from}`),
  ].join(' ');
}
