/** Runs engines over a trace, and gives the answer of the one whose order can be trusted. */
import {
  createCountWatch,
  createDeviceIotlbWatch,
  createDirtyLogWatch,
  createEngine,
  createHazardWatch,
  createInvalidationMakers,
  DEFAULT_STORM_RATE,
  type Design,
  type DeviceIotlbWatch,
  type DirtyLogWatch,
  type Engine,
  type FoundHazards,
  type HazardWatch,
  type InvalidationMakers,
} from '@vhostscope/model';
import { counted, ProgramError, say } from '@vhostscope/terminal';
import { visitTrace, type OpenTrace, type RunVisitor } from '@vhostscope/trace';
import { planReplay, type ChosenOrder, type Recorded, type ReplayOptions } from './replay-plan.js';
import { spanOf, visitSpan, type TimeSpan, type WantedSpan } from './time-span.js';

export interface Replayed<Used extends Engine = Engine> extends Recorded, ChosenOrder<Used> {
  /** What was counted; undefined for all of the trace. */
  readonly span: TimeSpan | undefined;
  /** Who made the invalidations in the span. */
  readonly makers: InvalidationMakers;
  /** What the device IOTLB did there, and what logging dirty memory cost. */
  readonly iotlb: DeviceIotlbWatch;
  readonly dirtyLog: DirtyLogWatch;
  /** Hazards that were looked for; undefined where none were. */
  readonly found: FoundHazards | undefined;
}

/**
 * Which hazards are looked for on the way: counts that are proven wrong and touch the span that is counted, which is
 * cheaper; or all that touch a span of their own, or are in the trace.
 */
export type HazardSearch =
  | { readonly of: 'wrong counts' }
  | { readonly of: 'all'; readonly span: TimeSpan | undefined };

export const WRONG_COUNTS: HazardSearch = { of: 'wrong counts' };
export const ALL_HAZARDS: HazardSearch = { of: 'all', span: undefined };

/**
 * Replays a trace in one pass, and looks for hazards on the way where it was asked for them. Whether recorded effects can be trusted is known only at its end, so both orders run side by side unless
 * one is ruled out from the start.
 */
export function replayTrace(
  trace: OpenTrace,
  chosen: Design,
  options: ReplayOptions,
  wanted?: WantedSpan,
  search?: HazardSearch,
): Replayed {
  return replayWith(trace, chosen, options, wanted, search, (engine) => engine);
}

/**
 * The same by engines that keep more than tallies.
 *
 * @param wrap makes such an engine of one; that of the answer is one of them
 */
export function replayWith<Used extends Engine>(
  trace: OpenTrace,
  chosen: Design,
  options: ReplayOptions,
  wanted: WantedSpan | undefined,
  search: HazardSearch | undefined,
  wrap: (engine: Engine) => Used,
): Replayed<Used> {
  const span = wanted === undefined ? undefined : spanOf(trace, wanted);
  const plan = planReplay(trace, chosen, options);
  const ranges = wrap(createEngine(plan.ranges));
  const effects = plan.effects === undefined ? undefined : wrap(createEngine(plan.effects));
  const makers = createInvalidationMakers(plan.recorded.host);
  const iotlb = createDeviceIotlbWatch(DEFAULT_STORM_RATE);
  const dirtyLog = createDirtyLogWatch();
  const engines = effects === undefined ? [ranges] : [ranges, effects];
  const watches =
    search === undefined ? [] : engines.map((engine) => watchOf(engine, span, search));
  feed(trace, span, engines, watches, [makers, iotlb, dirtyLog]);
  const chosenOrder = plan.choose(ranges, effects);
  if (chosenOrder.order === 'ranges') checkObservations(ranges);
  const found = watches[engines.indexOf(chosenOrder.engine)]?.found;
  return { ...plan.recorded, ...chosenOrder, span, makers, iotlb, dirtyLog, found };
}

function watchOf(engine: Engine, span: TimeSpan | undefined, search: HazardSearch): HazardWatch {
  return search.of === 'all'
    ? createHazardWatch(engine, search.span)
    : createCountWatch(engine, span);
}

/** What was found, for answers that tell it. */
export function foundIn({ found }: Replayed): FoundHazards {
  if (found === undefined) throw new Error('this replay did not look for hazards');
  return found;
}

/**
 * All of the trace goes through the engines and what counts beside them, and what watches want past these; they count
 * what is in the span.
 */
function feed(
  trace: OpenTrace,
  span: TimeSpan | undefined,
  engines: readonly Engine[],
  watches: readonly HazardWatch[],
  besides: readonly Pick<InvalidationMakers, 'count' | 'consume'>[],
): void {
  const count = (isInside: boolean): void => {
    for (const one of besides) one.count(isInside);
    for (const watch of watches) watch.count(isInside);
    for (const engine of engines) engine.count(isInside);
  };
  const consume: RunVisitor = (batch, from, to) => {
    for (const one of besides) one.consume(batch, from, to);
    for (const engine of engines) engine.consume(batch, from, to);
  };
  // All are of one design and search, and want the same: each event right before and right after the engines.
  const wants = watches[0]?.wants;
  const visit: RunVisitor = (batch, from, to) => {
    if (wants === undefined) return consume(batch, from, to);
    let begin = from;
    for (let i = from; i < to; i++) {
      if (wants[batch.kind[i] ?? 0] === 0) continue;
      if (begin < i) consume(batch, begin, i);
      for (const watch of watches) watch.foresee(batch, i);
      consume(batch, i, i + 1);
      begin = i + 1;
      for (const watch of watches) watch.see(batch, i);
    }
    if (begin < to) consume(batch, begin, to);
  };
  visitTrace(trace.fd, trace.index, visitSpan(span, count, visit));
  // An engine that is finished has taken back what it counted outside of the span.
  for (const watch of watches) watch.count(true);
  for (const engine of engines) engine.finish();
  for (const watch of watches) watch.finish();
}

/** A new engine that judges as the one that replayed the whole trace. */
export function engineOf(replayed: Replayed): Engine {
  return createEngine({ ...replayed, useObservations: replayed.engine.usesObservations });
}

/** Observations settle nothing where they are not all there, or not those of the design. */
function checkObservations({ usesObservations, tallies, uncounted, design }: Engine): void {
  if (!usesObservations) return;
  const disagree = tallies.refusals.disagree + uncounted.disagree;
  if (disagree > 0) {
    say(
      'replay',
      `${counted(disagree, 'recorded attempt')} cannot be of ${design.name}: with --use-observations the answer ` +
        'is right only for the design that the recording kernel ran',
    );
    return;
  }
  const { missing } = tallies.attempts;
  if (missing === 0) return;
  throw new ProgramError(
    `${counted(missing, 'attempt')} to map (P) that must have been made ${missing === 1 ? 'is' : 'are'} not in the trace, ` +
      'so --use-observations has no answer',
    { advice: 'leave it out: ranges order needs no recorded attempts' },
  );
}
