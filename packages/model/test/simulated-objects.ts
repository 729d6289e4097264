/** What the simulated kernel is made of: pages, areas, virtqueues, devices; one object per thing. */
import type { SeededRandom } from './seeded-random.ts';
import type { Thread } from './simulated-scheduler.ts';
import type { Counterfactuals } from './simulated-counterfactuals.ts';

export const PAGE = 4096n;

export class Page {
  present: boolean;
  writable: boolean;
  /** Page frame: its place in the direct map. */
  frame: bigint;

  constructor(present: boolean, writable: boolean, frame: bigint) {
    this.present = present;
    this.writable = writable;
    this.frame = frame;
  }
}

/** The page table of the process that owns the rings. */
export class Memory {
  readonly pages: Map<bigint, Page> = new Map();
  private readonly random: SeededRandom;
  /** Share of pages that do not lie where contiguity wants them. */
  private readonly scattered: number;
  private readonly absent: number;

  constructor(random: SeededRandom) {
    this.random = random;
    this.scattered = random.pick([0, 0, 0.1, 0.5]);
    this.absent = random.pick([0, 0.3]);
  }

  page(address: bigint): Page {
    const number = address / PAGE;
    const known = this.pages.get(number);
    if (known !== undefined) return known;
    const present = !this.random.chance(this.absent);
    const created = new Page(present, this.random.chance(0.8), this.frameFor(number));
    this.pages.set(number, created);
    return created;
  }

  /** The frame that a fault gives to a page: the contiguous one, or some other. */
  frameFor(number: bigint): bigint {
    if (!this.random.chance(this.scattered)) return number;
    return number + BigInt(this.random.between(1, 1_000_000));
  }
}

export class Area {
  address = 0n;
  size = 0n;
  map = false;
  /** get_user_pages is asked for writable pages: USED only (§1.1). */
  readonly write: boolean;

  constructor(write: boolean) {
    this.write = write;
  }

  /** §1.4; `end` is inclusive although the memory manager's ranges are half open. */
  overlaps(start: bigint, end: bigint): boolean {
    return this.size !== 0n && !(end < this.address || start > this.address - 1n + this.size);
  }
}

/** Notes on a round; no decision reads them. */
export class Round {
  countAtBegin = 0n;
  started = false;
  /** A start and the ends that brought the count back to 0, all since the round began. */
  whole = false;
  readonly decisions: Set<string> = new Set();
}

export class Virtqueue {
  readonly id: number;
  readonly rank: number;
  readonly desc: Area = new Area(false);
  readonly avail: Area = new Area(false);
  readonly used: Area = new Area(true);
  /** In the order in which the kernel walks them. */
  readonly areas: readonly Area[] = [this.desc, this.avail, this.used];
  invalidateCount = 0n;
  iotlb = false;
  /** Without a backend the worker makes no rounds. */
  backend = false;
  private holder: Thread | undefined = undefined;
  /** What happened since the round began; only to note rare cases. */
  round: Round = new Round();

  /** What other designs would decide. */
  readonly others: Counterfactuals;

  constructor(id: number, rank: number, others: Counterfactuals) {
    this.id = id;
    this.rank = rank;
    this.others = others;
  }

  get mutex(): Thread | undefined {
    return this.holder;
  }

  set mutex(thread: Thread | undefined) {
    this.holder = thread;
    if (thread === undefined) this.others.unlocked();
    else this.others.locked();
  }

  /** Bits of the areas that have a map. */
  get mask(): number {
    return this.areas.reduce((mask, area, bit) => (area.map ? mask | (1 << bit) : mask), 0);
  }

  dropMaps(): void {
    for (const area of this.areas) area.map = false;
  }
}

export class Device {
  readonly id: number;
  /** In address order, which is index order. */
  readonly virtqueues: readonly Virtqueue[];
  /** On the notifier list of the mm. */
  registered = false;
  /** From SET_OWNER to the cleanup: as long as a notifier is registered that set-up leaves alone. */
  owned = false;
  /** Between the begin of an unregistration and the removal from the list. */
  unregistering = false;
  /** Callbacks under way. */
  callbacks = 0;

  constructor(id: number, virtqueues: readonly Virtqueue[]) {
    this.id = id;
    this.virtqueues = virtqueues;
  }
}

/** One walk over the notifier list of the mm, which an unregistration waits for (SRCU). */
export class Traversal {
  done = false;
}
