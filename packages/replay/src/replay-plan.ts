/** By which rules a trace is judged, and which order's answer is given. */
import {
  findAccessorRules,
  NEWEST_RULES,
  onPlatform,
  type AccessorRules,
  type Design,
  type Engine,
  type EngineOptions,
  type HostKind,
  type Order,
  type Preemption,
  type RoundAccesses,
} from '@vhostscope/model';
import { counted, ProgramError } from '@vhostscope/terminal';
import { recordingCounts } from '@vhostscope/trace';
import type { DesignOptions } from './chosen-designs.js';
import { pageBytesOf, platformOf, type PlatformOptions } from './platform-options.js';
import { countRecording } from './recording-list.js';
import { hasFilteredRangesOf, hostKindOf, type PlannedTrace } from './replayable-trace.js';

export interface ReplayOptions extends DesignOptions, PlatformOptions {
  readonly order: 'auto' | Order;
  /** Absent: what the trace's header says, else unknown. */
  readonly preempt?: Preemption;
  /** In ranges order, recorded attempts settle maps and counts. */
  readonly useObservations?: boolean;
  readonly strict?: boolean;
}

/** What is judged by which rules. */
export interface Recorded {
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

/** Engines that see the whole trace, side by side; then the answer is that of one of them. */
export interface ReplayPlan {
  readonly recorded: Recorded;
  readonly ranges: EngineOptions;
  /** Undefined where effects are ruled out from the start. */
  readonly effects: EngineOptions | undefined;
  /**
   * @param ranges the engine of that plan; likewise `effects`
   * @throws ProgramError where --order asks for what the trace does not have
   */
  choose<Used extends Engine>(ranges: Used, effects: Used | undefined): ChosenOrder<Used>;
}

export interface ChosenOrder<Used extends Engine> {
  readonly engine: Used;
  readonly order: Order;
  /** Why this order, in words. */
  readonly orderReason: string;
}

/** What was recorded, whatever the design. */
export function recordingOf(
  trace: PlannedTrace,
  options: PlatformOptions & Pick<ReplayOptions, 'preempt'>,
): Omit<Recorded, 'design'> {
  const host = hostKindOf(trace);
  const isStock = host === 'stock';
  return {
    preemption: options.preempt ?? trace.index.header.preemption ?? 'unknown',
    host,
    hasFilteredRanges: hasFilteredRangesOf(trace),
    pageBytes: pageBytesOf(options),
    rules: isStock ? rulesOf(trace) : NEWEST_RULES,
    roundAccesses: isStock ? roundAccessesOf(trace) : 'derived',
  };
}

/** @throws ProgramError where the options contradict the trace */
export function planReplay(
  trace: PlannedTrace,
  chosen: Design,
  options: ReplayOptions,
): ReplayPlan {
  const design = onPlatform(chosen, platformOf(options, trace));
  const recorded: Recorded = { ...recordingOf(trace, options), design };
  if (recorded.host === 'stock') return planStockHost(trace, recorded, options);
  const useObservations = options.useObservations === true;
  if (useObservations) checkObservable(trace, design, options);
  const mayUseEffects = options.order !== 'ranges' && design.callbackRules === 'direct-map';
  return {
    recorded,
    ranges: { ...recorded, order: 'ranges', useObservations },
    effects: mayUseEffects && mayHoldEffects(trace) ? { ...recorded, order: 'effects' } : undefined,
    choose: (ranges, effects) => chooseOrder(design, options.order, mayUseEffects, ranges, effects),
  };
}

function checkObservable(trace: PlannedTrace, design: Design, { order }: ReplayOptions): void {
  if (trace.index.header.probes !== undefined)
    throw new ProgramError(
      `${trace.name} was recorded live: its attempts are told when they have returned, and --use-observations needs the instant at which the lock is held`,
      { advice: 'leave it out' },
    );
  if (design.maps !== 'never' && design.callbackRules === 'none')
    throw new ProgramError(
      `--use-observations is for a design that the recording kernel may have run, and ${design.name} is none`,
      { advice: 'leave it out' },
    );
  if (order === 'effects') {
    throw new ProgramError('--use-observations is for ranges order, and --order is effects', {
      advice: 'recorded effects leave nothing open that observations could settle',
    });
  }
}

function chooseOrder<Used extends Engine>(
  design: Design,
  asked: 'auto' | Order,
  mayUseEffects: boolean,
  ranges: Used,
  effects: Used | undefined,
): ChosenOrder<Used> {
  const byRanges = (orderReason: string): ChosenOrder<Used> => ({
    engine: ranges,
    order: 'ranges',
    orderReason,
  });
  if (asked === 'ranges') return byRanges('as asked for');
  const instead = asked === 'effects' ? 'not effects, as asked for: ' : '';
  if (design.maps === 'never' || design.switchedOff !== undefined)
    return byRanges(`${instead}the design maps nothing, so it does not matter`);
  if (!mayUseEffects)
    return byRanges(`${instead}of ${design.name} no recording holds the effects of callbacks`);
  const told = effects?.tallies.effects ?? { start: 0, end: 0 };
  const overlapping = ranges.tallies.ranges.overlapping + ranges.uncounted.overlapping;
  if (told.start + told.end === 0 && overlapping === 0)
    return byRanges(
      `${instead}no invalidation is known to touch a ring: there were no effects to record`,
    );
  if (effects !== undefined && hasAllEffects(effects)) {
    return {
      engine: effects,
      order: 'effects',
      orderReason: 'every overlapping range has its effects',
    };
  }
  const missing = effects?.missingEffects() ?? 0;
  const lacks =
    told.start + told.end === 0
      ? 'the trace has no recorded effects (IS, IE)'
      : `${counted(missing, 'effect')} (IS, IE) that the ranges call for are not in the trace`;
  if (asked === 'effects') {
    throw new ProgramError(`${lacks}, so --order effects has no answer`, {
      advice: 'use --order ranges, which needs only when the callbacks were entered',
    });
  }
  return byRanges(lacks);
}

/** A stock kernel has no callbacks: their effects can only be concluded from the memory manager's calls. */
function planStockHost(
  trace: PlannedTrace,
  recorded: Recorded,
  { order, useObservations }: ReplayOptions,
): ReplayPlan {
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
  const orderReason =
    order === 'ranges'
      ? 'as asked for'
      : "a stock kernel has no callbacks; the design's run within the memory manager's calls";
  return {
    recorded,
    ranges: { ...recorded, order: 'ranges' },
    effects: undefined,
    choose: (engine) => ({ engine, order: 'ranges', orderReason }),
  };
}

/** By the level of detail of a live recording; of an import, by what it holds. */
export function roundAccessesOf({ index, fd }: PlannedTrace): RoundAccesses {
  const detail = index.header.probes?.detail;
  if (detail !== undefined)
    return detail === 'accesses' ? 'recorded' : detail === 'calls' ? 'counted' : 'derived';
  const held = index.recordings.map(
    // Of one that goes on, what it holds so far.
    (recording) => (recordingCounts(fd, recording) ?? countRecording(fd, recording)).events,
  );
  const total = (name: string): number =>
    held.reduce((sum, events) => sum + (events[name] ?? 0), 0);
  if (total('counted') > 0) return 'counted';
  // Without the level there are only those of backends that are attached; with it, some in every round.
  return total('access') > total('round_end') ? 'recorded' : 'derived';
}

/** The rules of the recorded kernel; the newest where it is not known. */
function rulesOf({ index }: PlannedTrace): AccessorRules {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(index.header.host?.kernel ?? '') ?? [];
  const version = Number(major) * 1000 + Number(minor);
  const name = version < 5018 ? '5.3' : version < 6001 ? '5.18' : '6.1';
  return findAccessorRules(name) ?? NEWEST_RULES;
}

/** Whether a trace may hold recorded effects: its recordings' ends say how many, where they have one. */
export function mayHoldEffects(trace: PlannedTrace): boolean {
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
