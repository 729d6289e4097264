/** Runs engines over a trace, and chooses the order whose answer is given. */
import {
  createEngine,
  createHazardWatch,
  createInvalidationMakers,
  findAccessorRules,
  KIND,
  NEWEST_RULES,
  onPlatform,
  type Design,
  type AccessorRules,
  type Engine,
  type FoundHazards,
  type HazardWatch,
  type HostKind,
  type InvalidationMakers,
  type Order,
  type Preemption,
  type RoundAccesses,
} from '@vhostscope/model';
import { counted, ProgramError, say } from '@vhostscope/terminal';
import { visitTrace, type OpenTrace, type RunVisitor } from '@vhostscope/trace';
import type { DesignOptions } from './chosen-designs.js';
import { pageBytesOf, platformOf, type PlatformOptions } from './platform-options.js';
import { recordingCounts } from './recording-list.js';
import { hasFilteredRangesOf, hostKindOf } from './replayable-trace.js';
import { spanOf, visitSpan, type TimeSpan, type WantedSpan } from './time-span.js';

export interface ReplayOptions extends DesignOptions, PlatformOptions {
  readonly order: 'auto' | Order;
  /** Absent: what the trace's header says, else unknown. */
  readonly preempt?: Preemption;
  /** In ranges order, recorded attempts settle maps and counts. */
  readonly useObservations?: boolean;
  readonly strict?: boolean;
}

/** What is judged by which rules. */
interface Recorded {
  readonly design: Design;
  /** Of the recording kernel, as assumed in ranges order. */
  readonly preemption: Preemption;
  readonly host: HostKind;
  /** Whether the recorder left out ranges that lie away from the rings. */
  readonly hasFilteredRanges: boolean;
  /** Page size of the host that the design is to run on. */
  readonly pageBytes: number;
  /** By whose rules a stock host's rounds access the ring. */
  readonly rules: AccessorRules;
  /** How the trace of a stock host tells what a round accessed. */
  readonly roundAccesses: RoundAccesses;
}

export interface Replayed<Used extends Engine = Engine> extends Recorded {
  readonly engine: Used;
  readonly order: Order;
  /** Why this order, in words. */
  readonly orderReason: string;
  /** What was counted; undefined for all of the trace. */
  readonly span: TimeSpan | undefined;
  /** Who made the invalidations in the span. */
  readonly makers: InvalidationMakers;
}

/** Beside each engine of a replay, what hazards it shows. */
export interface HazardWatches {
  /** Only what touches it is looked for; undefined for all of the trace. */
  readonly span: TimeSpan | undefined;
  readonly byEngine: Map<Engine, HazardWatch>;
}

/** None yet: a replay fills it. */
export function hazardWatches(span?: TimeSpan): HazardWatches {
  return { span, byEngine: new Map() };
}

/** The hazards that the engine of an answer shows; of a replay that was told to look for them. */
export function hazardsOf(watches: HazardWatches, { engine }: Replayed): FoundHazards {
  const watch = watches.byEngine.get(engine);
  if (watch === undefined) throw new Error('nobody watched this engine');
  return watch.found;
}

/**
 * Replays a trace in one pass. With `watches`, which it fills, it looks for hazards on the way; not with a span,
 * outside of which nothing is counted. Whether recorded effects can be trusted is known only at its end, so
 * both orders run side by side unless one is ruled out from the start.
 */
export function replayTrace(
  trace: OpenTrace,
  chosen: Design,
  options: ReplayOptions,
  wanted?: WantedSpan,
  watches?: HazardWatches,
): Replayed {
  return replayWith(trace, chosen, options, wanted, watches, (engine) => engine);
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
  watches: HazardWatches | undefined,
  wrap: (engine: Engine) => Used,
): Replayed<Used> {
  const span = wanted === undefined ? undefined : spanOf(trace, wanted);
  const design = onPlatform(chosen, platformOf(options, trace));
  const preemption = options.preempt ?? trace.index.header.preemption ?? 'unknown';
  const useObservations = options.useObservations === true;
  const pageBytes = pageBytesOf(options);
  if (hostKindOf(trace) === 'stock')
    return replayStockHost(trace, design, options, preemption, span, watches, wrap);
  const hasFilteredRanges = hasFilteredRangesOf(trace);
  const recorded: Recorded = {
    design,
    preemption,
    host: 'direct-map',
    hasFilteredRanges,
    pageBytes,
    rules: NEWEST_RULES,
    roundAccesses: 'derived',
  };
  if (useObservations && trace.index.header.probes !== undefined)
    throw new ProgramError(
      `${trace.name} was recorded live: its attempts are told when they have returned, and --use-observations needs the instant at which the lock is held`,
      { advice: 'leave it out' },
    );
  if (useObservations && design.maps !== 'never' && design.callbackRules === 'none')
    throw new ProgramError(
      `--use-observations is for a design that the recording kernel may have run, and ${design.name} is none`,
      { advice: 'leave it out' },
    );
  if (useObservations && options.order === 'effects') {
    throw new ProgramError('--use-observations is for ranges order, and --order is effects', {
      advice: 'recorded effects leave nothing open that observations could settle',
    });
  }
  const ranges = wrap(
    createEngine({
      design,
      order: 'ranges',
      preemption,
      useObservations,
      pageBytes,
      hasFilteredRanges,
    }),
  );
  const mayUseEffects = options.order !== 'ranges' && design.callbackRules === 'direct-map';
  const effects =
    mayUseEffects && mayHoldEffects(trace)
      ? wrap(createEngine({ design, order: 'effects', pageBytes, hasFilteredRanges }))
      : undefined;
  const makers = createInvalidationMakers('direct-map');
  feed(trace, span, effects === undefined ? [ranges] : [ranges, effects], watches, makers);
  const byRanges = (orderReason: string): Replayed<Used> => {
    checkObservations(ranges);
    return { ...recorded, engine: ranges, order: 'ranges', orderReason, span, makers };
  };
  if (options.order === 'ranges') return byRanges('as asked for');
  const instead = options.order === 'effects' ? 'not effects, as asked for: ' : '';
  if (design.maps === 'never' || design.switchedOff !== undefined)
    return byRanges(`${instead}the design maps nothing, so it does not matter`);
  if (!mayUseEffects) return byRanges(`${instead}recorded effects are not those of ${design.name}`);
  const told = effects?.tallies.effects ?? { start: 0, end: 0 };
  const overlapping = ranges.tallies.ranges.overlapping + ranges.uncounted.overlapping;
  if (told.start + told.end === 0 && overlapping === 0)
    return byRanges(
      `${instead}no invalidation is known to touch a ring: there were no effects to record`,
    );
  if (effects !== undefined && hasAllEffects(effects)) {
    return {
      ...recorded,
      engine: effects,
      order: 'effects',
      orderReason: 'every overlapping range has its effects',
      span,
      makers,
    };
  }
  const missing = effects?.missingEffects() ?? 0;
  const lacks =
    told.start + told.end === 0
      ? 'the trace has no recorded effects (IS, IE)'
      : `${counted(missing, 'effect')} (IS, IE) that the ranges call for are not in the trace`;
  if (options.order === 'effects') {
    throw new ProgramError(`${lacks}, so --order effects has no answer`, {
      advice: 'use --order ranges, which needs only when the callbacks were entered',
    });
  }
  return byRanges(lacks);
}

/** All of the trace goes through the engines; they count what is in the span. */
function feed(
  trace: OpenTrace,
  span: TimeSpan | undefined,
  engines: readonly Engine[],
  watches: HazardWatches | undefined,
  makers: InvalidationMakers,
): void {
  const count = (isInside: boolean): void => {
    makers.count(isInside);
    for (const engine of engines) engine.count(isInside);
  };
  const consume: RunVisitor = (batch, from, to) => {
    makers.consume(batch, from, to);
    for (const engine of engines) engine.consume(batch, from, to);
  };
  for (const engine of engines)
    watches?.byEngine.set(engine, createHazardWatch(engine, watches.span));
  const visit = watches === undefined ? consume : watched(consume, [...watches.byEngine.values()]);
  visitTrace(trace.fd, trace.index, visitSpan(span, count, visit));
  for (const engine of engines) engine.finish();
  for (const watch of watches?.byEngine.values() ?? []) watch.finish();
}

/** Lets watches see every event that is no access, right before and right after the engines. */
export function watched(consume: RunVisitor, watches: readonly HazardWatch[]): RunVisitor {
  return (batch, from, to) => {
    let begin = from;
    for (let i = from; i < to; i++) {
      if (batch.kind[i] === KIND.access) continue;
      if (begin < i) consume(batch, begin, i);
      for (const watch of watches) watch.foresee(batch, i);
      consume(batch, i, i + 1);
      begin = i + 1;
      for (const watch of watches) watch.see(batch, i);
    }
    if (begin < to) consume(batch, begin, to);
  };
}

/** A new engine that judges as the one that replayed the whole trace. */
export function engineOf(replayed: Replayed): Engine {
  return createEngine({ ...replayed, useObservations: replayed.engine.usesObservations });
}

/** A stock kernel has no callbacks: their effects can only be concluded from the memory manager's calls. */
function replayStockHost<Used extends Engine>(
  trace: OpenTrace,
  design: Design,
  options: ReplayOptions,
  preemption: Preemption,
  span: TimeSpan | undefined,
  watches: HazardWatches | undefined,
  wrap: (engine: Engine) => Used,
): Replayed<Used> {
  const { order, useObservations } = options;
  if (order === 'effects')
    throw new ProgramError(
      `${trace.name} is a recording of a stock host: it has no effects of callbacks, so --order effects has no answer`,
      { advice: 'use --order ranges' },
    );
  if (useObservations === true)
    throw new ProgramError(
      `${trace.name} is a recording of a stock host: it has no attempts to map that --use-observations could use`,
      { advice: 'leave it out' },
    );
  const recorded: Recorded = {
    design,
    preemption,
    host: 'stock',
    hasFilteredRanges: true,
    pageBytes: pageBytesOf(options),
    rules: rulesOf(trace),
    roundAccesses: roundAccessesOf(trace),
  };
  const engine = wrap(createEngine({ ...recorded, order: 'ranges' }));
  const makers = createInvalidationMakers('stock');
  feed(trace, span, [engine], watches, makers);
  const orderReason =
    order === 'ranges'
      ? 'as asked for'
      : "a stock kernel has no callbacks; the design's run within the memory manager's calls";
  return { ...recorded, engine, order: 'ranges', orderReason, span, makers };
}

/** By the level of detail of a live recording; of an import, by what it holds. */
export function roundAccessesOf({ index, fd }: OpenTrace): RoundAccesses {
  const detail = index.header.probes?.detail;
  if (detail !== undefined)
    return detail === 'accesses' ? 'recorded' : detail === 'calls' ? 'counted' : 'derived';
  const total = (name: string): number =>
    index.recordings.reduce(
      (sum, recording) => sum + (recordingCounts(fd, recording)?.events[name] ?? 0),
      0,
    );
  if (total('counted') > 0) return 'counted';
  // Without the level there are only those of backends that are attached; with it, some in every round.
  return total('access') > total('round_end') ? 'recorded' : 'derived';
}

/** The rules of the recorded kernel; the newest where it is not known. */
export function rulesOf({ index }: OpenTrace): AccessorRules {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(index.header.host?.kernel ?? '') ?? [];
  const version = Number(major) * 1000 + Number(minor);
  const name = version < 5018 ? '5.3' : version < 6001 ? '5.18' : '6.1';
  return findAccessorRules(name) ?? NEWEST_RULES;
}

/** Whether a trace may hold recorded effects: its recordings' ends say how many, where they have one. */
export function mayHoldEffects(trace: OpenTrace): boolean {
  return trace.index.recordings.some((recording) => {
    const events = recordingCounts(trace.fd, recording)?.events;
    return events === undefined || 'effect_start' in events || 'effect_end' in events;
  });
}

/**
 * Whether effects order has an answer: the recording tells of effects, and of all that the ranges call for. A start
 * that is under way calls for none yet, so that none at all may be missing where none is told.
 */
export function hasAllEffects(engine: Engine): boolean {
  const { effects } = engine.tallies;
  return effects.start + effects.end > 0 && engine.missingEffects() === 0;
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
