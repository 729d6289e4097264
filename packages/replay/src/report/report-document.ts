/** Makes the document of a report. */
import {
  DESIGNS,
  OUTCOME_MEANING,
  type Engine,
  type FoundHazards,
  type Timeline,
} from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { comparedTraceResult } from '../compare-result.js';
import { compareTrace, type CompareOptions } from '../compare-trace.js';
import type { Completeness } from '../completeness.js';
import type { CostBasis } from '../cost-options.js';
import { costOf, RATES_ARE_OF } from '../cost-result.js';
import { findStorms } from '../find-storms.js';
import { infoResult } from '../info-result.js';
import { platformOf } from '../platform-options.js';
import { engineOf, type Replayed } from '../replay-trace.js';
import { runResult } from '../run-result.js';
import { stormsResult, type StormsResult } from '../storms-result.js';
import { touchesSpan } from '../storms-command.js';
import { extentOf } from '../time-argument.js';
import type { TimeSpan } from '../time-span.js';
import { transmitVirtqueues } from '../transmit-virtqueues.js';
import { readVersion } from '../version.js';
import type { WrongCounts } from '../wrong-counts.js';
import { cautionsOf, headlineOf } from './headline.js';
import type { Report } from './report-schema.js';
import { reportTimeline } from './report-timeline.js';

export interface ReportRequest {
  readonly basis: CostBasis;
  /** Ranges a second that are a storm. */
  readonly stormRate: number;
  /** All that the replay has found; undefined where only a span was counted. */
  readonly hazards: FoundHazards | undefined;
  readonly options: CompareOptions;
}

export function reportDocument(
  trace: OpenTrace,
  replayed: Replayed<Engine & { readonly timeline: Timeline }>,
  completeness: Completeness,
  request: ReportRequest,
): Report {
  const { design } = replayed;
  const { basis, hazards } = request;
  const run = runResult(trace, replayed, completeness, basis, hazards);
  const info = infoResult(trace, completeness);
  return {
    report_version: 1,
    writer: `vhostscope replay ${readVersion()}`,
    headline: headlineOf(run, design),
    cautions: cautionsOf(run, design),
    design: { name: design.name, title: design.title, source: design.source },
    run,
    info,
    timeline: reportTimeline(replayed.engine.timeline, info),
    storms: storms(trace, replayed, completeness, request, run.wrong_counts),
    comparison: comparison(trace, completeness, request, replayed.span),
    meanings: { ...OUTCOME_MEANING, rates: RATES_ARE_OF },
  };
}

/** In a pass of its own, by an engine that judges as the first one did. */
function storms(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
  { stormRate, basis }: ReportRequest,
  wrong: WrongCounts,
): StormsResult {
  const { tallies } = replayed.engine;
  const transmits = new Set(transmitVirtqueues(trace, tallies));
  const found = findStorms(trace, stormRate, engineOf(replayed), transmits);
  const cost = costOf(trace, replayed.design, tallies, basis);
  const inSpan = found.storms.filter((storm) => touchesSpan(storm, replayed.span));
  return stormsResult(
    trace,
    replayed,
    completeness,
    { ...found, storms: inSpan },
    stormRate,
    cost,
    extentOf(trace).first,
    wrong,
  );
}

function comparison(
  trace: OpenTrace,
  completeness: Completeness,
  { options, basis }: ReportRequest,
  span: TimeSpan | undefined,
): Report['comparison'] {
  const compared = compareTrace(trace, DESIGNS, {
    ...options,
    ...(span === undefined ? {} : { span }),
  });
  return comparedTraceResult(
    trace,
    compared,
    completeness,
    platformOf(options, trace).architecture,
    basis,
  );
}
