/**
 * The designs, as rows of one table of switches (reference §7). One engine runs them all; adding a
 * design is adding a row. A switch is here only when the engine obeys it.
 */

/** Packets per second, in millions, without the design and with it. */
export interface RateChange {
  readonly before: number;
  readonly after: number;
}

/** What the author of a design measured, by whether the CPU's SMAP was on (reference §3.5). */
export interface PublishedRates {
  readonly smapOn?: RateChange;
  readonly smapOff?: RateChange;
}

export interface Design {
  readonly name: string;
  readonly title: string;
  /** Commit, series or mail that the row describes. */
  readonly source: string;
  /** `round`: every round tries to map what is not mapped; `never`: every access copies. */
  readonly maps: 'round' | 'never';
  /** invalidate_count of a virtqueue goes to 0 when SET_VRING_NUM or SET_VRING_ADDR runs on it. */
  readonly resetsCountOnSetup: boolean;
  /** When that ioctl fails: keep the areas' old ranges, or record what the fields hold by then. */
  readonly keepsRangesOnFailedSetup: boolean;
  /** A non-blockable range is answered -EAGAIN always, or only when it overlaps an area. */
  readonly refusesNonBlockable: 'always' | 'overlap';
  /**
   * Overlap and registration rules. Recorded effects (`effect_start`, `effect_end`) tell when the
   * callbacks of the recording kernel took effect, and only designs that share its rules may use them.
   */
  readonly callbackRules: 'direct-map' | 'none';
  /** When pages of the used ring are marked dirty. It decides no access; hazards are found by it. */
  readonly dirties: 'never' | 'round-end' | 'clear' | 'clear-and-teardown';
  /** Absent where none were published. */
  readonly publishedRates?: PublishedRates | undefined;
}

const MERGED: Design = {
  name: 'merged',
  title: 'direct map as merged for 5.3',
  source: '7f466032dc9e, reverted by 3d2c7d370475',
  maps: 'round',
  resetsCountOnSetup: false,
  keepsRangesOnFailedSetup: false,
  refusesNonBlockable: 'always',
  callbackRules: 'direct-map',
  dirties: 'clear',
  publishedRates: { smapOn: { before: 5.2, after: 6.4 }, smapOff: { before: 7.1, after: 8.2 } },
};

export const DESIGNS: readonly Design[] = [
  MERGED,
  {
    ...MERGED,
    name: 'fixes-v5',
    title: 'direct map with the "Fixes for metadata acceleration" series, V5',
    source: 'mails of 9 Aug 2019, never merged',
    resetsCountOnSetup: true,
    keepsRangesOnFailedSetup: true,
    refusesNonBlockable: 'overlap',
    dirties: 'clear-and-teardown',
    publishedRates: undefined,
  },
  {
    name: 'copy',
    title: 'copy_to/from_user for every access, as mainline does',
    source: 'mainline since 3d2c7d370475',
    maps: 'never',
    resetsCountOnSetup: false,
    keepsRangesOnFailedSetup: false,
    refusesNonBlockable: 'overlap',
    callbackRules: 'none',
    dirties: 'never',
  },
];

/** The row of that name, or undefined. */
export function findDesign(name: string): Design | undefined {
  return DESIGNS.find((design) => design.name === name);
}
