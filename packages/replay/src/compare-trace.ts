/** Runs many designs over one trace, in one pass. */
import {
  createManyDesigns,
  onPlatform,
  type Design,
  type Engine,
  type EngineOptions,
  type HostKind,
  type Order,
  type Preemption,
} from '@vhostscope/model';
import { visitTrace, type OpenTrace, type RunVisitor } from '@vhostscope/trace';
import { platformOf, type PlatformOptions } from './platform-options.js';
import { hasAllEffects, mayHoldEffects, recordingOf } from './replay-plan.js';
import { visitSpan, type TimeSpan } from './time-span.js';

export interface CompareOptions extends PlatformOptions {
  readonly preempt?: Preemption;
  /** Counts only what lies in it, as it stands in this trace. */
  readonly span?: TimeSpan;
  /** What stands between the trace and who visits it. */
  readonly through?: (visit: RunVisitor) => RunVisitor;
}

/** A design with what it comes to. */
export interface Compared {
  /** As it is on the platform. */
  readonly design: Design;
  readonly engine: Engine;
  readonly order: Order;
  /** What another engine has to be made of to judge as this one. */
  readonly judgedBy: EngineOptions;
}

export interface ComparedTrace {
  readonly host: HostKind;
  readonly preemption: Preemption;
  readonly span: TimeSpan | undefined;
  readonly compared: readonly Compared[];
}

/**
 * The order of each design is the one that `replay run` takes: effects where the trace holds all that it calls
 * for. That shows only at its end; designs for which some are missing go by ranges in a second pass.
 */
export function compareTrace(
  trace: OpenTrace,
  designs: readonly Design[],
  options: CompareOptions,
): ComparedTrace {
  const platform = platformOf(options, trace);
  const recording = recordingOf(trace, options);
  const { host, preemption } = recording;
  const { through = (visit) => visit } = options;
  const runAll = (order: Order, those: readonly Design[]): Compared[] => {
    const chosen = those.map((design) => ({
      ...recording,
      design: onPlatform(design, platform),
      order,
    }));
    const many = createManyDesigns(chosen);
    visitTrace(
      trace.fd,
      trace.index,
      visitSpan(
        options.span,
        (isInside) => many.count(isInside),
        through((batch, from, to) => many.consume(batch, from, to)),
      ),
    );
    many.finish();
    return chosen.map((judgedBy, at) => {
      const engine = many.engines[at];
      return { design: judgedBy.design, engine, order: engine.order, judgedBy };
    });
  };
  const isByEffects = host === 'direct-map' && mayHoldEffects(trace);
  const first = runAll(isByEffects ? 'effects' : 'ranges', designs);
  const lacks = first.map(({ engine, order }) => order === 'effects' && !hasAllEffects(engine));
  const again = designs.filter((_, at) => lacks[at]);
  const byRanges = again.length === 0 ? [] : runAll('ranges', again);
  const compared = first.map((one, at) => (lacks[at] ? (byRanges.shift() ?? one) : one));
  return { host, preemption, span: options.span, compared };
}
