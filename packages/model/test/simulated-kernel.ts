/** The kernel that the threads run in: its state, its knobs of chance, and the trace it leaves. */
import type { FieldName } from '../src/event-fields.ts';
import type { EventName } from '../src/events.ts';
import type { EventRecord } from './event-record.ts';
import type { RareCase } from './rare-cases.ts';
import { SeededRandom } from './seeded-random.ts';
import { Device, Memory, PAGE, Virtqueue, type Area, type Traversal } from './simulated-objects.ts';
import { Looks } from './simulated-looks.ts';
import { PROCESS, StockView } from './simulated-stock-view.ts';
import {
  COUNTERFACTUALS,
  Counterfactuals,
  type CounterfactualName,
} from './simulated-counterfactuals.ts';
import { Scheduler, type Steps, type Thread } from './simulated-scheduler.ts';

export type SimulatedDesign = 'merged' | 'fixes-v5';
export type Preemption = 'voluntary' | 'full';

export interface SimulationOptions {
  readonly seed: number;
  /** Scheduler steps. Fewer steps of one seed give a prefix of the same events. */
  readonly steps: number;
  readonly design: SimulatedDesign;
  readonly preempt: Preemption;
  /**
   * Whether callbacks can take effect between `count = 0` and `size = 0` of a reset (bug 10 of §3.1):
   * the count that they leave outlives the `reset` event. Off by default: the text dialect says
   * that the count is 0 at `Z`, and a model that believes it is wrong only here.
   */
  readonly resetWindow?: boolean;
  /**
   * Whether a notifier is registered only while no range is under way, as mmu_notifier_register sees
   * to (mm_take_all_locks): no end comes whose start was not reported. Off by default, which is harder.
   */
  readonly exclusiveRegister?: boolean;
  /**
   * Whether the recording is that of a live collector on this kernel: the device IOTLB is told when it begins to be
   * switched on, and nothing switches it off but a reset.
   */
  readonly isLive?: boolean;
  /** Whether workers go by ring indices, and what a stock host's recording would hold is noted as well. */
  readonly stock?: boolean;
  /** Of a stock host: whether the recording looks at page tables where rounds begin. */
  readonly looks?: boolean;
  /** Of a stock host: whether the recording tells accesses in rounds, too, one by one. */
  readonly tellsAccesses?: boolean;
  /**
   * Of a stock host: the step from which on it is recorded, once no ioctl is under way. A device is told of at its
   * first round or set-up after that, as the recording program does it. Absent: from before it was opened.
   */
  readonly recordedFrom?: number;
}

export class SimulatedKernel {
  readonly design: SimulatedDesign;
  readonly preempt: Preemption;
  readonly resetWindow: boolean;
  readonly exclusiveRegister: boolean;
  readonly isLive: boolean;
  readonly tellsAccesses: boolean;
  /** Threads that wait for ranges to end, so that they can register; no new range begins. */
  registering = 0;
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  readonly devices: readonly Device[];
  readonly traversals: Set<Traversal> = new Set();
  readonly events: EventRecord[] = [];
  /** What the other design would have observed, for each `access` event. */
  readonly otherDecisions: number[] = [];
  /** What designs with other rules would have, likewise. */
  readonly counterfactuals: ReadonlyMap<CounterfactualName, number[]> = new Map(
    COUNTERFACTUALS.map((name) => [name, []]),
  );
  /** Rare cases that have happened. */
  readonly seen: Set<RareCase> = new Set();
  /** Invalidations under way; `inside`: every start callback has returned. Only notes read it. */
  readonly open: Map<{ readonly start: bigint; readonly end: bigint }, 'starting' | 'inside'> =
    new Map();
  /** Likewise, whether the stock host's recording told of the call; and areas that it has counted by now. */
  readonly counted: Map<
    { readonly start: bigint; readonly end: bigint },
    { readonly isTold: boolean; readonly areas: Area[] }
  > = new Map();
  /** Ioctls under way that set up or reset. */
  ioctls = 0;
  /** Lowest address of the rings; with five levels of page tables it is above 2^53. */
  readonly base: bigint;
  /** Whether `iotlb` events are traced; otherwise only `observed` 2 tells, as in the text dialect. */
  readonly iotlbTraced: boolean;
  readonly idle: {
    readonly worker: number;
    readonly invalidator: number;
    readonly control: number;
  };
  readonly chances: {
    readonly noMemory: number;
    readonly nonBlockable: number;
    readonly nested: number;
    readonly failedSetup: number;
    readonly iotlb: number;
    readonly reset: number;
  };
  readonly longestRcu: number;
  readonly longestWindow: number;
  /** The same execution as a stock host's recording shows it; undefined where nobody asked. */
  readonly stock: StockView | undefined;
  /** Undefined where the recording does not look at page tables in the kernel. */
  readonly looks: Looks | undefined;

  constructor(options: SimulationOptions) {
    const random = new SeededRandom(options.seed);
    this.random = random;
    this.design = options.design;
    this.preempt = options.preempt;
    this.resetWindow = options.resetWindow ?? false;
    this.isLive = options.isLive ?? false;
    this.tellsAccesses = options.tellsAccesses ?? false;
    this.exclusiveRegister = (options.exclusiveRegister ?? false) || options.stock === true;
    this.stock =
      options.stock === true ? new StockView(options.recordedFrom === undefined) : undefined;
    this.looks =
      this.stock !== undefined && options.looks === true ? new Looks(this.stock.events) : undefined;
    this.scheduler = new Scheduler(random, random.pick([1, 1, 2, 2, 3, 4]), options.preempt);
    this.memory = new Memory(random);
    this.base = random.pick([0x7f00_0000_0000n, 0xff_8000_0000_0000n]);
    this.iotlbTraced = random.chance(0.5) && options.stock !== true;
    this.idle = {
      worker: random.pick([20, 200, 1_000]),
      invalidator: random.pick([50, 500, 5_000]),
      control: random.pick([300, 3_000, 20_000, 1_000_000]),
    };
    this.chances = {
      noMemory: options.stock === true ? 0 : random.pick([0, 0.03]),
      nonBlockable: random.pick([0, 0.1]),
      nested: random.pick([0, 0.25]),
      failedSetup: options.stock === true ? 0 : random.pick([0, 0.3]),
      iotlb: random.pick([0, 0.1, 0.4]),
      reset: random.pick([0, 0.2]),
    };
    this.longestRcu = random.pick([50, 500, 5_000]);
    this.longestWindow = random.pick([10, 1_000]);
    // Which device is told of last matters only where there are several.
    this.devices = this.makeDevices(
      random.pick(options.recordedFrom === undefined ? [1, 1, 2] : [1, 2, 3]),
    );
  }

  private makeDevices(length: number): Device[] {
    const sizes = Array.from({ length }, () => this.random.between(1, 3));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    // Ids are in no order at all: a callback walks by address, which is `rank`.
    const ids = this.random.shuffled(Array.from({ length: total }, (_, index) => index));
    let rank = 0;
    const devices = sizes.map((size, id) => {
      const virtqueues = Array.from({ length: size }, () => {
        const vq = new Virtqueue(
          ids[rank],
          rank,
          new Counterfactuals(this.design === 'merged', rank),
        );
        rank += 1;
        return vq;
      });
      return new Device(id, virtqueues);
    });
    for (const device of devices) {
      for (const vq of device.virtqueues) {
        const fields = { vq: vq.id, dev: device.id, rank: vq.rank };
        this.emit(0, 'virtqueue', fields);
        this.tellVirtqueue({ cpu: 0 }, vq, device);
      }
    }
    return devices;
  }

  private emit(cpu: number, event: EventName, fields: Fields): void {
    this.events.push({ event, time: this.scheduler.stamp(cpu), cpu, ...fields });
  }

  see(rare: RareCase, holds = true): void {
    if (holds) this.seen.add(rare);
  }

  /** An event of a stock host's recording. */
  logStock(
    { cpu }: Pick<Thread, 'cpu'>,
    event: EventName,
    fields: Fields,
  ): EventRecord | undefined {
    if (this.stock?.isSeen !== true) return undefined;
    const logged = { event, time: this.scheduler.stamp(cpu), cpu, ...fields };
    this.stock.events.push(logged);
    return logged;
  }

  /** The recording program tells of a virtqueue, if it has not yet. */
  tellVirtqueue(where: Pick<Thread, 'cpu'>, vq: Virtqueue, { id: dev }: Device): void {
    const { stock } = this;
    if (stock?.isSeen !== true || stock.told.has(vq.id)) return;
    stock.told.add(vq.id);
    this.logStock(where, 'virtqueue', { vq: vq.id, dev, rank: vq.rank, owner: PROCESS });
    if (this.hasUntoldRange(vq)) stock.isOver = true;
  }

  /** A round begins: the program tells of the device's rings, of idle ones too. */
  tellDevice(thread: Thread, device: Device): void {
    for (const vq of device.virtqueues) {
      if (this.stock?.isSeen !== true || this.stock.told.has(vq.id)) continue;
      this.seeFirst(vq);
      this.tellVirtqueue(thread, vq, device);
      for (const [area, { address, size }] of vq.areas.entries())
        this.logStock(thread, 'addresses', { vq: vq.id, area, address, size });
      this.logStock(thread, 'iotlb', { vq: vq.id, enabled: vq.iotlb ? 1 : 0 });
    }
  }

  /** An event is about to name a virtqueue: its count is taken to be what the ranges that were told explain. */
  seeFirst(vq: Virtqueue): void {
    const { stock } = this;
    if (stock?.isSeen !== true || stock.told.has(vq.id)) return;
    if (!this.isCountExplained(vq) || this.hasUntoldRange(vq)) stock.isOver = true;
  }

  /** Whether the recording may begin: no ioctl is under way, and the ranges under way explain all counts. */
  get isQuiet(): boolean {
    const virtqueues = this.devices.flatMap((device) => device.virtqueues);
    return this.ioctls === 0 && virtqueues.every((vq) => this.isCountExplained(vq));
  }

  private isCountExplained(vq: Virtqueue): boolean {
    let count = 0n;
    for (const { areas } of this.counted.values())
      for (const area of areas) if (vq.areas.includes(area)) count += 1n;
    return vq.invalidateCount === count && vq.others.areCounts(count);
  }

  /** Whether a range is over a ring, or has counted there, that was not told. */
  private hasUntoldRange(vq: Virtqueue): boolean {
    for (const [{ start, end }, { isTold, areas }] of this.counted)
      for (const area of vq.areas)
        if (!isTold && (areas.includes(area) || area.overlaps(start, end))) return true;
    return false;
  }

  log(thread: Thread, event: EventName, fields: Fields): void {
    this.emit(thread.cpu, event, fields);
  }

  sleep(longest: number): { readonly sleep: number } {
    return { sleep: this.random.between(1, longest) };
  }

  *lock(thread: Thread, vq: Virtqueue): Steps {
    while (vq.mutex !== undefined) yield { until: () => vq.mutex === undefined };
    vq.mutex = thread;
  }

  /** A new place and size for a ring: pages of its own, packed, in a page shared with others. */
  chooseRing(vq: Virtqueue, isNumOnly = false): Ring {
    const eventIdx = this.random.chance(0.5) ? 2n : 0n;
    const slot = this.base + BigInt(vq.rank * 3 + this.random.between(0, 2)) * 0x4_0000n;
    const kind = this.random.pick(['apart', 'apart', 'packed', 'shared', 'askew'] as const);
    const num = kind === 'shared' ? 16n : this.random.pick([16n, 64n, 256n, 512n, 1024n]);
    const sizes = [16n * num, 4n + 2n * num + eventIdx, 4n + 8n * num + eventIdx] as const;
    if (isNumOnly)
      return ring(
        vq.areas.map(({ address }) => address),
        sizes,
      );
    if (kind === 'apart') {
      const avail = slot + roundUp(sizes[0], PAGE);
      return ring([slot, avail, avail + roundUp(sizes[1], PAGE)], sizes);
    }
    // All virtqueues of a run may meet in the pages at `base`; `askew` crosses a page boundary more.
    const desc =
      kind === 'shared'
        ? this.base + BigInt(vq.rank) * 1024n
        : kind === 'askew'
          ? slot + 0xf80n
          : slot;
    const avail = desc + sizes[0];
    return ring([desc, avail, roundUp(avail + sizes[1], 4n)], sizes);
  }
}

export type Fields = Partial<Record<FieldName, number | bigint | string>>;
export type Ring = readonly { readonly address: bigint; readonly size: bigint }[];

function ring(addresses: readonly bigint[], sizes: readonly bigint[]): Ring {
  return addresses.map((address, index) => ({ address, size: sizes[index] }));
}

function roundUp(value: bigint, multiple: bigint): bigint {
  return ((value + multiple - 1n) / multiple) * multiple;
}
