/**
 * What becomes of an access, as one small number: the decision and, for a fallback, the reason. The
 * state of an area's map is stored as the outcome that an access would have, so that the hot loop is
 * one load and one count.
 */
export const HIT = 0;
export const IOTLB = 1;
export const AMBIGUOUS = 2;
/** From here on: fallbacks, by the reason why the area has no map. */
export const NOT_SET_UP = 3;
export const INVALIDATED = 4;
export const REFUSED_COUNT = 5;
export const GUP_SHORT = 6;
export const NOT_CONTIGUOUS = 7;
export const NO_MEMORY = 8;
export const NEVER_MAPS = 9;
export const SWITCHED_OFF = 10;

/** Outcomes are below this; a power of two, so that tables are indexed with shifts. */
export const OUTCOMES = 16;

/** Set on an area's state from the start of a round until its attempt to map is judged. */
export const PENDING = 16;

export const OUTCOME_NAMES: readonly string[] = [
  'hit',
  'iotlb',
  'ambiguous',
  'not_set_up',
  'invalidated',
  'refused_count',
  'gup_short',
  'not_contiguous',
  'no_memory',
  'never_maps',
  'switched_off',
];

/** One sentence per outcome, for people. */
export const OUTCOME_MEANING: Readonly<Record<string, string>> = {
  hit: 'direct map',
  iotlb: 'device IOTLB is on, maps are bypassed',
  ambiguous: 'the trace cannot tell',
  not_set_up: 'no round has mapped the area since the ring was set up or reset',
  invalidated: 'an invalidation removed the map in this round',
  refused_count: 'mapping refused: invalidate_count was not 0 then',
  gup_short: 'get_user_pages returned too few pages',
  not_contiguous: 'pages are not contiguous in the direct map',
  no_memory: 'no memory for the map',
  never_maps: 'the design never maps',
  switched_off: 'the platform switches the design off',
};

export type Decision = 'hit' | 'fallback' | 'iotlb' | 'ambiguous';

/** The decision behind an outcome. */
export function decisionOf(outcome: number): Decision {
  if (outcome === HIT) return 'hit';
  if (outcome === IOTLB) return 'iotlb';
  return outcome === AMBIGUOUS ? 'ambiguous' : 'fallback';
}

/** Value of `observed` that agrees with an outcome; one that is never observed where none does. */
export const OBSERVED_OF_OUTCOME: Uint8Array = Uint8Array.from({ length: OUTCOMES }, (_, outcome) =>
  outcome === HIT ? 1 : outcome === IOTLB ? 2 : outcome === AMBIGUOUS ? 254 : 0,
);
