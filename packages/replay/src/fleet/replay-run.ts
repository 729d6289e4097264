/** Replays one run of a fleet: what `replay compare` and `replay storms` say of it, and its virtqueues. */
import { ACCESSORS, createEngine, type Design, type Preemption } from '@vhostscope/model';
import { withName, type OpenTrace, type RunVisitor } from '@vhostscope/trace';
import { comparedTraceResult } from '../compare-result.js';
import { compareTrace, type ComparedTrace } from '../compare-trace.js';
import { completenessOf } from '../completeness.js';
import type { CostBasis } from '../cost-options.js';
import { addAccessor, createSum, decisionsOf } from '../decision-sums.js';
import { findStorms } from '../find-storms.js';
import { checkHoldsEvents, usingWhatIsWhole } from '../opened-trace.js';
import { platformOf, type PlatformOptions } from '../platform-options.js';
import { recordedSpan } from '../recorded-span.js';
import { listVirtqueues } from '../recording-list.js';
import { openRun, type FleetRun } from './fleet-run.js';
import type { ReplayedRun } from './fleet-result.js';
import { stormSums } from './storm-sums.js';

/** What is asked of every run: plain data, as it is given to other processes. */
export interface FleetQuestion {
  /** Storms, and the worst virtqueues, go by the first. */
  readonly designs: readonly Design[];
  readonly platform: PlatformOptions;
  readonly preempt?: Preemption | undefined;
  readonly stormRate: number;
  readonly basis: CostBasis;
}

export interface AnsweredRun {
  readonly result: ReplayedRun;
  /** What is wrong with the trace, in sentences. */
  readonly problems: readonly string[];
}

/**
 * @param through what stands between the trace and who visits it: nothing is heard while that goes on
 * @throws what the opening and the replay of a trace throw
 */
export async function replayRun(
  run: FleetRun,
  question: FleetQuestion,
  onProgress: (read: number) => void,
  through: (visit: RunVisitor) => RunVisitor,
): Promise<AnsweredRun> {
  const trace = await openRun(run, { onProgress });
  try {
    return await usingWhatIsWhole(trace, (whole) =>
      Promise.resolve(answer(run, question, whole, through)),
    );
  } catch (error) {
    throw withName(trace.name, error);
  } finally {
    trace.close();
  }
}

function answer(
  run: FleetRun,
  question: FleetQuestion,
  trace: OpenTrace,
  through: (visit: RunVisitor) => RunVisitor,
): AnsweredRun {
  const completeness = completenessOf(trace);
  checkHoldsEvents(trace, completeness);
  const { designs, platform, preempt, basis } = question;
  const compared = compareTrace(trace, designs, {
    ...platform,
    through,
    ...(preempt !== undefined && { preempt }),
  });
  const { architecture } = platformOf(platform, trace);
  const { host, merged } = trace.index.header;
  return {
    result: {
      status: 'replayed',
      host: run.host,
      run: run.run,
      path: run.source.path,
      kernel: host?.kernel ?? null,
      merged_hosts: merged?.hosts === 'different' ? merged.sources.length : null,
      recorded_ns: String(recordedIn(trace)),
      comparison: comparedTraceResult(trace, compared, completeness, architecture, basis),
      storms: stormsOf(trace, compared, question.stormRate, through),
      virtqueues: virtqueuesOf(trace, compared),
    },
    problems: completeness.problems,
  };
}

/** ns of all recordings; what lies between two of them was not recorded. */
function recordedIn({ fd, index }: OpenTrace): bigint {
  return index.recordings.reduce((sum, recording) => {
    const span = recordedSpan(fd, recording);
    return span === undefined ? sum : sum + span.last - span.first;
  }, 0n);
}

/** In a second pass: the order by which the design is judged was not known in the first. */
function stormsOf(
  trace: OpenTrace,
  { compared: [first] }: ComparedTrace,
  rate: number,
  through: (visit: RunVisitor) => RunVisitor,
): ReplayedRun['storms'] {
  const engine = first === undefined ? undefined : createEngine(first.judgedBy);
  return stormSums(findStorms(trace, rate, engine, undefined, through));
}

/** Those that were accessed, each under every design. */
function virtqueuesOf(trace: OpenTrace, { compared }: ComparedTrace): ReplayedRun['virtqueues'] {
  return listVirtqueues(trace).flatMap(({ id, recording, dev }) => {
    const designs = compared.map(({ engine: { tallies } }) => {
      const sum = createSum(tallies.derived !== undefined);
      for (const accessor of ACCESSORS.keys()) addAccessor(sum, tallies, id, accessor);
      return decisionsOf(sum);
    });
    const rounds = compared[0]?.engine.tallies.rounds[id] ?? 0;
    return [{ id, recording, dev: dev ?? null, rounds, designs }];
  });
}
