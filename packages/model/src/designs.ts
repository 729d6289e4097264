/**
 * The designs, as rows of one table of switches (reference §2, §3, §7). One engine runs them all; adding a
 * design is adding a row. A switch is here only when something obeys it: the engine, unless another is named.
 */
import { DIRECT_MAP_SERIES } from './design-rows/direct-map-series.js';
import { VMAP_SERIES } from './design-rows/vmap-series.js';

/** Packets per second, in millions, without the design and with it. */
export interface RateChange {
  readonly before: number;
  readonly after: number;
}

/** What the author of a design measured, by whether the CPU's SMAP was on (reference §3.5). */
export interface PublishedRates {
  readonly smapOn?: RateChange | undefined;
  readonly smapOff?: RateChange | undefined;
}

/** What decides between a direct map and a copy. */
export interface DesignSwitches {
  /**
   * `round`: every round tries to map what is not mapped; `ioctl`: mapped and pinned when the ring is set up;
   * `never`: every access copies.
   */
  readonly maps: 'round' | 'ioctl' | 'never';
  /** get_user_pages may sleep and fault pages in, so that one that is not there is no failure. */
  readonly faultsPagesIn: boolean;
  /** The pages have to be in low memory and follow each other there: a direct map, not vmap. */
  readonly needsContiguousPages: boolean;
  /** Only memory that is anonymous, of hugetlb or of shmem is mapped. */
  readonly filtersMemory: boolean;
  /** invalidate_count: of each virtqueue, raised by all of the process (`mm`), or `none`. */
  readonly counter: 'virtqueue' | 'mm' | 'none';
  /** invalidate_count of a virtqueue goes to 0 when SET_VRING_NUM or SET_VRING_ADDR runs on it. */
  readonly resetsCountOnSetup: boolean;
  /**
   * Which ranges concern an area: those that touch it, their exclusive end taken for inclusive; those that
   * begin before it and reach its first byte; or all of the process.
   */
  readonly overlap: 'inclusive-end' | 'start-only' | 'always';
  /**
   * When an invalidation takes a map: as its start callback comes to the area; likewise, but not before the
   * virtqueue's mutex is free, which is the end of the round (`start-at-unlock`); from when the page table was
   * changed, in invalidate_range, under the same mutex (`range-at-unlock`); `never`.
   */
  readonly clears: 'start' | 'start-at-unlock' | 'range-at-unlock' | 'never';
  /** A non-blockable range is answered -EAGAIN always, only when it overlaps an area, or never. */
  readonly refusesNonBlockable: 'always' | 'overlap' | 'never';
  /** When SET_VRING_NUM or SET_VRING_ADDR fails: keep the areas' old ranges, or record what the fields hold by then. */
  readonly keepsRangesOnFailedSetup: boolean;
  /** Which set-up ioctls drop the maps of their virtqueue: both, both if they succeed, SET_VRING_ADDR, or none. */
  readonly dropsMapsOn: 'setup' | 'successful-setup' | 'addr' | 'never';
  /** Not compiled where the architecture implements flush_dcache_page; platform.ts obeys it. */
  readonly needsPlainCaches: boolean;
  /** When pages of the used ring are marked dirty. It decides no access; hazards are found by it. */
  readonly dirties: 'never' | 'round-end' | 'clear' | 'clear-and-teardown';
}

export interface Design extends DesignSwitches {
  readonly name: string;
  readonly title: string;
  /** Commit, series or mail that the row describes. */
  readonly source: string;
  /**
   * Recorded effects (`effect_start`, `effect_end`) tell when the callbacks of the recording kernel took
   * effect, and only designs that share its rules of overlap and registration may use them.
   */
  readonly callbackRules: 'direct-map' | 'none';
  /** Absent where none were published. */
  readonly publishedRates?: PublishedRates | undefined;
  /** What has to be known of the rates. */
  readonly ratesNote?: string | undefined;
  /** What is different and no switch says, because it decides no access; in sentences. */
  readonly differs: readonly string[];
  /** Why the platform switches the design off, so that nothing hits; see platform.ts. */
  readonly switchedOff?: string | undefined;
  /** The device IOTLB is on for good: every access goes through it, whatever the design. */
  readonly usesDeviceIotlb?: boolean | undefined;
}

/**
 * How the engine runs a design: every access comes out alike (`fixed`: the design never maps, or pins); maps
 * that go when the virtqueue's mutex is free (`deferred`); or maps that go at once, and a count (`counted`).
 */
export type Mechanism = 'fixed' | 'deferred' | 'counted';

export function mechanismOf({ maps, counter }: DesignSwitches): Mechanism {
  if (maps !== 'round') return 'fixed';
  return counter === 'none' ? 'deferred' : 'counted';
}

/** Whether the callbacks of a kernel with the merged commit have the effects that the design's would have. */
export function sharesCallbacks(switches: DesignSwitches): boolean {
  return (
    switches.maps === 'round' &&
    switches.counter === 'virtqueue' &&
    switches.overlap === 'inclusive-end' &&
    switches.clears === 'start'
  );
}

const COPY: Design = {
  name: 'copy',
  title: 'copy_to/from_user for every access, as mainline does',
  source: 'mainline since 3d2c7d370475',
  maps: 'never',
  faultsPagesIn: false,
  needsContiguousPages: false,
  filtersMemory: false,
  counter: 'none',
  resetsCountOnSetup: false,
  overlap: 'inclusive-end',
  clears: 'never',
  refusesNonBlockable: 'never',
  keepsRangesOnFailedSetup: false,
  dropsMapsOn: 'never',
  needsPlainCaches: false,
  dirties: 'never',
  callbackRules: 'none',
  differs: [],
};

export const DESIGNS: readonly Design[] = [...VMAP_SERIES, ...DIRECT_MAP_SERIES, COPY];

/** The row of that name, or undefined. */
export function findDesign(name: string): Design | undefined {
  return DESIGNS.find((design) => design.name === name);
}
