/** A simulated trace with less in it, to test what a model may conclude from less. */
import type { EventRecord } from './event-record.ts';
import type { AccessVerdict } from './oracle.ts';

/** The same list as a trace of ranges only: when callbacks took effect is not in it. */
export function withoutEffects(events: readonly EventRecord[]): EventRecord[] {
  return events.filter(({ event }) => event !== 'effect_start' && event !== 'effect_end');
}

/**
 * The same list without what a model must predict: refused attempts are gone, decisions, masks,
 * counts and `cleared` are blank. `observed` 2 stays: that the device IOTLB is on is an input.
 *
 * Required fields are blanked to 0 rather than removed, optional ones are removed.
 */
export function blankObservations(events: readonly EventRecord[]): EventRecord[] {
  return events
    .filter(({ event, result }) => !(event === 'prefetch' && result === -14))
    .map((event) => {
      const blank: EventRecord = { ...event };
      if (event.observed !== 2) delete blank.observed;
      if (event.event === 'addresses') delete blank.invalidateCount;
      else if (event.invalidateCount !== undefined) blank.invalidateCount = 0;
      if (event.mask !== undefined) blank.mask = 0;
      if (event.cleared !== undefined) blank.cleared = 0;
      return blank;
    });
}

/**
 * The predictions that are sure and untrue: there must be none, however little the model sees.
 *
 * @param truth decision (0, 1, 2) at each access; the recorded one unless given
 */
export function unsoundAccesses(
  events: readonly EventRecord[],
  verdicts: readonly AccessVerdict[],
  truth?: readonly number[],
): { index: number; time: bigint; predicted: string; truth: number }[] {
  const decision = { fallback: 0, hit: 1, iotlb: 2 };
  const accesses = events.filter(({ event }) => event === 'access');
  if (accesses.length !== verdicts.length) {
    throw new Error(`${accesses.length} accesses but ${verdicts.length} verdicts`);
  }
  return accesses.flatMap(({ time, observed }, index) => {
    const decided = truth?.[index] ?? Number(observed);
    const predicted = verdicts[index];
    if (predicted === 'ambiguous' || decision[predicted] === decided) return [];
    return [{ index, time, predicted, truth: decided }];
  });
}
