/** Made-up numbers for tests of the screen: nothing in them needs to fit together. */
import type {
  CauseView,
  DashboardView,
  Decided,
  QueueDetailView,
  StormView,
  VirtqueueJudgement,
  VirtqueueView,
} from '../src/dashboard.js';

export function decided(hits: number, fallbacks: number, over: Partial<Decided> = {}): Decided {
  const { ambiguous = 0, iotlb = 0 } = over;
  return {
    accesses: hits + fallbacks + ambiguous + iotlb,
    hits,
    fallbacks,
    iotlb,
    ambiguous,
    isEstimated: false,
    ...over,
  };
}

export function judgement(over: Partial<VirtqueueJudgement> = {}): VirtqueueJudgement {
  return {
    total: decided(99_990, 10),
    window: decided(990, 10),
    areas: [
      { map: 'up', reason: undefined },
      { map: 'down', reason: 'a callback has removed the map' },
      { map: 'ambiguous', reason: 'a range may still be under way' },
    ],
    reasons: [['invalidated', 10]],
    count: { least: 0, most: 1 },
    spark: [1, 1, 0.5, Number.NaN, 0.9, 1],
    ...over,
  };
}

export function virtqueue(vq: number, over: Partial<VirtqueueView> = {}): VirtqueueView {
  return {
    vq,
    dev: vq >> 1,
    owner: { pid: 1000 + vq, comm: 'qemu-system-x86' },
    index: vq & 1,
    num: 256,
    transmits: vq % 2 === 1,
    rates: { rounds: 120, accesses: 45_600, heads: 9_000, overlapping: 3 },
    chosen: judgement(),
    beside: undefined,
    gained: [0.95, 1.1],
    ...over,
  };
}

export function storm(number: number, over: Partial<StormView> = {}): StormView {
  return {
    number,
    dev: 0,
    begin: number * 1e9,
    from: number * 1e9 + 1e8,
    end: number * 1e9 + 7.5e8,
    isOver: true,
    ranges: 1234,
    by: ['rate'],
    causes: [
      ['ksm', 1000],
      ['fork', 234],
    ],
    processes: [{ pid: 68, comm: 'ksmd', ranges: 1000 }],
    virtqueues: [
      [0, 700],
      [1, 534],
    ],
    decided: decided(100, 900),
    lost: [0.5, 0.9],
    perSecond: [100, 900, 234],
    ...over,
  };
}

export function cause(over: Partial<CauseView> = {}): CauseView {
  return {
    cause: 'clear',
    className: 'ksm',
    pid: 68,
    comm: 'ksmd',
    ranges: 92,
    inWindow: 7,
    fallbacks: 4,
    ...over,
  };
}

export function queueDetail(vq: number, over: Partial<QueueDetailView> = {}): QueueDetailView {
  return {
    vq,
    timeline: [
      ['up', 'up', 'down', 'ambiguous', 'none', 'up'],
      ['down', 'down', 'down', 'down', 'up', 'up'],
      ['none', 'none', 'none', 'none', 'none', 'up'],
    ],
    addresses: [
      { first: 0x7f00_0000n, last: 0x7f00_0fffn },
      { first: 0x7f00_1000n, last: 0x7f00_1fffn },
      { first: 0x7f00_2000n, last: 0x7f00_2fffn },
    ],
    callbacks: ['range 7f000000-7f001000 entered 1.2 ms ago'],
    ranges: [
      {
        at: 12.25e9,
        start: 0x7f00_0000n,
        end: 0x7f00_1000n,
        cause: 'clear',
        className: 'ksm',
        pid: 68,
        comm: 'ksmd',
        lasted: 4200,
      },
      {
        at: 12.3e9,
        start: 0x7f00_0000n,
        end: 0x7f00_1000n,
        cause: 'unmap',
        className: undefined,
        pid: 1001,
        comm: 'qemu-system-x86',
        lasted: undefined,
      },
    ],
    attempts: [
      ['mapped', 120],
      ['refused', 3],
    ],
    accessors: [
      { name: 'get_avail_idx', decided: decided(3734, 0) },
      { name: 'get_desc', decided: decided(83_000, 128) },
    ],
    hostWork: [
      ['rounds by the device IOTLB', 1200],
      ['bits set for them', 34_567],
    ],
    history: [{ at: 12.31e9, line: 4711, what: 'round begins' }],
    ...over,
  };
}

export function dashboardView(over: Partial<DashboardView> = {}): DashboardView {
  const { design = 'merged', beside, window = 10e9 } = over;
  return {
    wanted: { design, beside, window },
    source: {
      name: 'trace.arrows',
      kind: 'file',
      state: 'ended',
      problems: [],
      isEmpty: false,
      isStuck: false,
    },
    clock: {
      at: 12.345e9,
      end: 60e9,
      boottime: 1_012_345_000_000n,
      isPaused: false,
      isLive: false,
      isLagging: false,
      behind: 0,
      speed: 1,
      seeking: undefined,
      keptUntil: undefined,
      events: 179_142,
    },
    design: 'merged',
    beside: undefined,
    pinning: ['vmap-v1'],
    designs: ['vmap-v1', 'merged', 'fixes-v5', 'copy'],
    window: 10e9,
    total: judgement(),
    besideTotal: undefined,
    rates: { rounds: 240, accesses: 91_200, heads: 18_000, overlapping: 6, ranges: 40 },
    virtqueues: [virtqueue(0), virtqueue(1)],
    storms: [storm(2), storm(1)],
    causes: [cause(), cause({ className: undefined, cause: 'unmap', pid: 7, comm: 'load' })],
    queue: undefined,
    recording: {
      facts: [
        ['kernel', '6.1.0-30-amd64'],
        ['design driver', 'stock'],
      ],
      plan: [{ event: 'round_begin', way: 'kprobe:handle_tx', sureness: 'sure' }],
      complete: 'not known yet',
      counts: [
        ['access', 170_000],
        ['round_begin', 1540],
      ],
      lost: [['access', 12]],
      filtered: [['ranges of other processes', 4000]],
      waiting: { events: 120, lag: 3.2e6 },
      isText: false,
      kept: { bytes: 1 << 20, most: 2 * 2 ** 30 },
      own: { cpu: 0.07, memory: 80e6 },
      order: 'ranges: the trace grows',
      assumptions: ['no map outlives the process that owns the device'],
    },
    costReason: undefined,
    answer: undefined,
    saving: undefined,
    saved: undefined,
    ...over,
  };
}
