/** How the designs that are looked at are judged, on the trace at hand. */
import type { Design } from '@vhostscope/model';
import { planReplay, type ReplayPlan } from '@vhostscope/replay';
import type { AccountOptions } from '../account/account.js';
import type { Source, SourceTrace } from '../source/source.js';
import { firstTimeOf } from './extent.js';
import type { SessionOptions } from './session-options.js';
import { createSurvey, type Judgement, type Survey, type Surveyed } from './survey.js';

/** What is looked at, and how. */
export interface Looking {
  readonly chosen: Design;
  readonly beside: Design | undefined;
  /** ns. */
  readonly window: number;
}

export interface Judging {
  readonly trace: SourceTrace;
  /** First event, ns of the clock. */
  readonly first: bigint;
  /** Moments at which the storms that are known have become storms, ns since the first event, by number. */
  readonly storms: Map<number, number>;
  judgementOf(design: Design): Judgement | undefined;
  /**
   * What must be gone through before the designs can be judged; undefined where nothing.
   *
   * @throws ProgramError where a trace cannot be judged
   */
  surveyFor(looking: Looking): Survey | undefined;
  take(found: Surveyed): void;
  /** Nothing more comes: how each design is judged is to be looked up. */
  endWhole(): void;
  /** Nothing more comes, and not all of it was kept to be looked through. */
  endUnkept(): void;
  /**
   * Whether a trace that grows is by now another one than what it was taken for: which kind of host it is of, and how
   * it tells accesses, a text without its first line says by its events only.
   *
   * @param byKind events of each kind so far
   * @throws ProgramError where a trace cannot be judged
   */
  isOutdated(byKind: Float64Array): boolean;
  /** All of it is judged from what there is now. */
  forget(): void;
  /** Whether the designs are all judged in ranges order. */
  isByRanges(looking: Looking): boolean;
  /** Undefined while the chosen design is not judged. */
  accountOptions(looking: Looking): AccountOptions | undefined;
}

/** Undefined while the trace has no event. */
export function createJudging(
  { preemption, stormRate }: SessionOptions,
  source: Source,
  trace: SourceTrace,
): Judging | undefined {
  const found = firstTimeOf(trace, source.isFinished);
  if (found === undefined) return undefined;
  const first: bigint = found;
  let { isFinished } = source;
  const judgements = new Map<string, Judgement>();
  const storms = new Map<number, number>();
  let surveyed: Surveyed | undefined;
  /** What the trace had told when it was last asked what it is. */
  let asked = '';

  const planOf = (design: Design): ReplayPlan =>
    planReplay({ ...trace, fd: trace.bytes }, design, {
      order: isFinished ? 'auto' : 'ranges',
      ...(preemption !== undefined && { preempt: preemption }),
    });

  function take(survey: Surveyed): void {
    surveyed ??= survey;
    for (const judgement of survey.judgements)
      judgements.set(judgement.plan.recorded.design.name, judgement);
    for (const { number, noticed } of survey.storms)
      storms.set(number, Number(noticed - first) + 1);
  }

  return {
    trace,
    first,
    storms,
    judgementOf: ({ name }) => judgements.get(name),
    surveyFor: (looking) => {
      const [one, ...others] = designsOf(looking).filter(({ name }) => !judgements.has(name));
      if (one === undefined) return undefined;
      const plans: [ReplayPlan, ...ReplayPlan[]] = [planOf(one), ...others.map(planOf)];
      if (isFinished) return createSurvey(trace, plans, stormRate);
      for (const plan of plans)
        judgements.set(plan.recorded.design.name, { engine: plan.ranges, order: BY_RANGES, plan });
      return undefined;
    },
    take,
    isOutdated: (byKind) => {
      const [judgement] = judgements.values();
      if (isFinished || judgement === undefined || trace.index.header.probes !== undefined)
        return false;
      const told = `${trace.index.recordings.length} ${amountOf(byKind)}`;
      if (told === asked) return false;
      asked = told;
      const { recorded: was } = judgement.plan;
      const { recorded: is } = planOf(was.design);
      return (
        is.host !== was.host ||
        is.hasFilteredRanges !== was.hasFilteredRanges ||
        is.roundAccesses !== was.roundAccesses
      );
    },
    forget: () => judgements.clear(),
    endWhole: () => {
      isFinished = true;
      judgements.clear();
    },
    endUnkept: () => {
      for (const [name, judgement] of judgements)
        if (judgement.order === BY_RANGES) judgements.set(name, { ...judgement, order: UNKEPT });
    },
    isByRanges: (looking) =>
      designsOf(looking).every(({ name }) => judgements.get(name)?.engine.order === 'ranges'),
    accountOptions: ({ chosen, beside, window }) => {
      const judgement = judgements.get(chosen.name);
      if (judgement === undefined) return undefined;
      return {
        chosen: judgement.engine,
        beside: beside === undefined ? undefined : judgements.get(beside.name)?.engine,
        stormRate,
        window,
        first,
        transmitting: surveyed?.transmitting,
      };
    },
  };
}

const BY_RANGES =
  'ranges: the trace may still grow, and whether its effects are all there shows at its end';
const UNKEPT =
  'ranges: the trace has ended, and whether its effects are all there cannot be looked up, as not all of it was kept (--keep)';

/** Which kinds of events there are, and, as long as there are few, about how many: what a host is told by. */
function amountOf(byKind: Float64Array): string {
  const kinds = byKind.reduce((found, events) => found + (events > 0 ? 1 : 0), 0);
  const events = byKind.reduce((sum, one) => sum + one, 0);
  return `${kinds} ${Math.min(MOST_DOUBLINGS, Math.floor(Math.log2(1 + events)))}`;
}

/** Of a million events, more do not change what they tell of the host. */
const MOST_DOUBLINGS = 20;

/** One or two of them, each once. */
function designsOf({ chosen, beside }: Looking): Design[] {
  return [...new Map([chosen, beside ?? chosen].map((design) => [design.name, design])).values()];
}
