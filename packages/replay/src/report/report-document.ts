/** Makes the document of a report. */
import { OUTCOME_MEANING, type Engine, type Timeline } from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import type { Completeness } from '../completeness.js';
import { infoResult } from '../info-command.js';
import { RATES_ARE_OF } from '../cost-result.js';
import type { CostBasis } from '../cost-options.js';
import type { Replayed } from '../replay-trace.js';
import { runResult } from '../run-result.js';
import { readVersion } from '../version.js';
import { cautionsOf, headlineOf } from './headline.js';
import type { Report } from './report-schema.js';
import { reportTimeline } from './report-timeline.js';

export function reportDocument(
  trace: OpenTrace,
  replayed: Replayed<Engine & { readonly timeline: Timeline }>,
  completeness: Completeness,
  basis: CostBasis,
): Report {
  const { design } = replayed;
  const run = runResult(trace, replayed, completeness, basis);
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
    meanings: { ...OUTCOME_MEANING, rates: RATES_ARE_OF },
  };
}
