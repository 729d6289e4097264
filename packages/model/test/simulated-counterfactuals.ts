/**
 * What designs with other rules than the simulated kernel's would have decided in the same world: the same
 * rounds, ranges, pages and ioctls, at the same instants (reference §2.1, §3.2). They leave no trace.
 */
import { PAGE, type Area, type Memory } from './simulated-objects.ts';
import { Shadow } from './simulated-shadow.ts';

export type SetupKind = 'num' | 'addr' | 'fails';

/** The designs that a simulation tells the decisions of, apart from the kernel's own and its shadow's. */
export const COUNTERFACTUALS = [
  'vmap-v1',
  'vmap-v2',
  'vmap-v3',
  'vmap-v4',
  'vmap-rfc-v2',
  'mmdrop-fix',
  // No design of the lists: the switches of a user's own row.
  'faults-in',
] as const;
export type CounterfactualName = (typeof COUNTERFACTUALS)[number];

interface Place {
  address: bigint;
  size: bigint;
}

interface Callback {
  readonly index: number;
  readonly start: bigint;
  readonly end: bigint;
}

/** One of the vmap series: the notifier takes vq->mutex, and comes to the map when that is free. */
class Vmap {
  private readonly name: CounterfactualName;
  /** Whether the memory of the ring passes V4's test. */
  private readonly isPlain: boolean;
  private readonly places: Place[] = [0, 1, 2].map(() => ({ address: 0n, size: 0n }));
  private readonly maps = [false, false, false];
  private isLocked = false;
  private waiting: Callback[] = [];

  constructor(name: CounterfactualName, rank: number) {
    this.name = name;
    this.isPlain = name !== 'vmap-v4' || rank % 2 === 0;
  }

  decide(index: number, iotlb: boolean): number {
    if (iotlb) return 2;
    if (this.name === 'vmap-v1') return 1;
    return this.maps[index] ? 1 : 0;
  }

  /** It sleeps and faults pages in, wherever they lie. */
  attempt(index: number): void {
    if (this.isPlain) this.maps[index] = true;
  }

  locked(): void {
    this.isLocked = true;
  }

  unlocked(): void {
    this.isLocked = false;
    for (const callback of this.waiting) this.take(callback);
    this.waiting = [];
  }

  rangeStart(index: number, start: bigint, end: bigint): void {
    if (this.name !== 'vmap-rfc-v2') this.come({ index, start, end });
  }

  /** The page table was changed: some callers call invalidate_range at once. */
  changed(index: number, start: bigint, end: bigint): void {
    if (this.name === 'vmap-rfc-v2' && (start / PAGE) % 2n === 0n) this.come({ index, start, end });
  }

  /** ... and of those some no more at the end of the range. */
  rangeEnd(index: number, start: bigint, end: bigint): void {
    const isOnlyEnd = (start / PAGE) % 4n === 0n;
    if (this.name === 'vmap-rfc-v2' && !isOnlyEnd) this.come({ index, start, end });
  }

  /** A range that must not block: invalidate_range is called all the same. */
  nonBlockable(index: number, start: bigint, end: bigint): void {
    if (this.name === 'vmap-rfc-v2') this.come({ index, start, end });
  }

  setup(kind: SetupKind): void {
    if (kind === 'fails') return;
    if (this.name === 'vmap-v2' && kind === 'num') return;
    this.maps.fill(false);
  }

  recordRange(index: number, { address, size }: Area, failed: boolean): void {
    // Whether a failed ioctl has changed them by then depends on where it failed.
    if (!failed || (address / PAGE) % 2n === 0n) this.places[index] = { address, size };
  }

  reset(): void {
    this.maps.fill(false);
    for (const place of this.places) place.size = 0n;
  }

  private come(callback: Callback): void {
    if (this.isLocked) this.waiting.push(callback);
    else this.take(callback);
  }

  private take({ index, start, end }: Callback): void {
    const { address, size } = this.places[index];
    if (size === 0n) return;
    const isConcerned =
      this.name === 'vmap-v2'
        ? start < address && end >= address
        : !(end < address || start > address - 1n + size);
    if (isConcerned) this.maps[index] = false;
  }
}

/** As merged or its fixes, whichever the kernel is, but with pages that are faulted in and may lie anywhere. */
class FaultsIn extends Shadow {
  override attempt(index: number, _memory: Memory, isOutOfMemory: boolean): void {
    if (!isOutOfMemory) this.build(index);
  }
}

/** Every range of the process counts, three times, and drops all maps of the virtqueue. */
class MmWide {
  private readonly places: Place[] = [0, 1, 2].map(() => ({ address: 0n, size: 0n }));
  private readonly maps = [false, false, false];
  private count = 0n;

  decide(index: number, iotlb: boolean): number {
    if (iotlb) return 2;
    return this.maps[index] ? 1 : 0;
  }

  attempt(index: number, memory: Memory, isOutOfMemory: boolean): void {
    if (this.maps[index] || this.count !== 0n || isOutOfMemory) return;
    const { address, size } = this.places[index];
    const frames: bigint[] = [];
    for (let offset = 0n; offset < size; offset += PAGE) {
      const page = memory.page(address + offset);
      if (!page.present || (index === 2 && !page.writable)) return;
      frames.push(page.frame);
    }
    this.maps[index] = frames.every((frame, page) => frame === frames[0] + BigInt(page));
  }

  rangeStart(): void {
    this.count += 1n;
    this.maps.fill(false);
  }

  rangeEnd(): void {
    this.count -= 1n;
  }

  /** Read at each round from the fields that the ioctl writes; maps stay what they are. */
  recordRange(index: number, { address, size }: Area): void {
    this.places[index] = { address, size };
  }

  reset(): void {
    this.count = 0n;
    this.maps.fill(false);
  }
}

/** Of one virtqueue: what the other of merged and fixes-v5 would decide, and the designs above. */
export class Counterfactuals {
  private readonly shadow: Shadow;
  private readonly vmaps: ReadonlyMap<CounterfactualName, Vmap>;
  private readonly mmWide = new MmWide();
  private readonly faultsIn: FaultsIn;

  constructor(isFixes: boolean, rank: number) {
    this.shadow = new Shadow(isFixes);
    this.faultsIn = new FaultsIn(!isFixes);
    this.vmaps = new Map(
      COUNTERFACTUALS.filter((name) => name.startsWith('vmap')).map((name) => [
        name,
        new Vmap(name, rank),
      ]),
    );
  }

  /** Whether all designs that count as the kernel does have counted that much. */
  areCounts(count: bigint): boolean {
    return this.shadow.isCount(count) && this.faultsIn.isCount(count);
  }

  decideOther(index: number, iotlb: boolean): number {
    return this.shadow.decide(index, iotlb);
  }

  decide(name: CounterfactualName, index: number, iotlb: boolean): number {
    const others = name === 'faults-in' ? this.faultsIn : this.mmWide;
    return (this.vmaps.get(name) ?? others).decide(index, iotlb);
  }

  attempt(index: number, memory: Memory, isOutOfMemory: boolean): void {
    this.shadow.attempt(index, memory, isOutOfMemory);
    this.faultsIn.attempt(index, memory, isOutOfMemory);
    this.mmWide.attempt(index, memory, isOutOfMemory);
    for (const vmap of this.vmaps.values()) vmap.attempt(index);
  }

  locked(): void {
    for (const vmap of this.vmaps.values()) vmap.locked();
  }

  unlocked(): void {
    for (const vmap of this.vmaps.values()) vmap.unlocked();
  }

  startEffect(index: number, start: bigint, end: bigint): void {
    this.shadow.startEffect(index, start, end);
    this.faultsIn.startEffect(index, start, end);
    this.mmWide.rangeStart();
    for (const vmap of this.vmaps.values()) vmap.rangeStart(index, start, end);
  }

  changed(index: number, start: bigint, end: bigint): void {
    for (const vmap of this.vmaps.values()) vmap.changed(index, start, end);
  }

  endEffect(index: number, start: bigint, end: bigint): void {
    this.shadow.endEffect(index, start, end);
    this.faultsIn.endEffect(index, start, end);
    this.mmWide.rangeEnd();
    for (const vmap of this.vmaps.values()) vmap.rangeEnd(index, start, end);
  }

  nonBlockable(index: number, start: bigint, end: bigint): void {
    for (const vmap of this.vmaps.values()) vmap.nonBlockable(index, start, end);
  }

  /** The kernel's notifier is not registered: the one of mmdrop-fix is. */
  unheardStart(): void {
    this.mmWide.rangeStart();
  }

  unheardEnd(): void {
    this.mmWide.rangeEnd();
  }

  /** SET_VRING_NUM or SET_VRING_ADDR comes to the maps. */
  beginSetup(kind: SetupKind): void {
    this.shadow.beginSetup();
    this.faultsIn.beginSetup();
    for (const vmap of this.vmaps.values()) vmap.setup(kind);
  }

  recordRange(index: number, area: Area, failed: boolean): void {
    this.shadow.recordRange(index, area, failed);
    this.faultsIn.recordRange(index, area, failed);
    this.mmWide.recordRange(index, area);
    for (const vmap of this.vmaps.values()) vmap.recordRange(index, area, failed);
  }

  beginReset(): void {
    this.shadow.beginReset();
    this.faultsIn.beginReset();
    this.mmWide.reset();
    for (const vmap of this.vmaps.values()) vmap.reset();
  }

  endReset(): void {
    this.shadow.endReset();
    this.faultsIn.endReset();
  }
}
