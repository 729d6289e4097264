/** `replay storms`: when did invalidations come as a storm, who made them, and what did that cost? */
import type { Storm } from '@vhostscope/model';
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { readCostOptions, type CostOptions } from './cost-options.js';
import { costOf } from './cost-result.js';
import { findStorms, readStormRate } from './find-storms.js';
import { withOpenTrace } from './opened-trace.js';
import { chosenDesign } from './chosen-designs.js';
import type { ReplayOptions } from './replay-plan.js';
import { engineOf, replayTrace, WRONG_COUNTS } from './replay-trace.js';
import { stormsResult } from './storms-result.js';
import { stormsText } from './storms-text.js';
import { extentOf } from './time-argument.js';
import { readSpanOptions, type SpanOptions, type TimeSpan } from './time-span.js';
import { transmitVirtqueues } from './transmit-virtqueues.js';
import { wrongCounts } from './wrong-counts.js';

export async function stormsCommand(
  path: string,
  options: ReplayOptions & SpanOptions & CostOptions & { readonly json?: boolean },
): Promise<number> {
  const design = chosenDesign(options);
  const basis = readCostOptions(options);
  const wanted = readSpanOptions(options);
  const rate = readStormRate(options.stormRate);
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    // One pass tells which order can be trusted, a second one what was accessed in each storm.
    const replayed = replayTrace(trace, design, options, wanted, WRONG_COUNTS);
    const { tallies } = replayed.engine;
    const engine = engineOf(replayed);
    const transmits = new Set(transmitVirtqueues(trace, tallies));
    const found = findStorms(trace, rate, engine, transmits);
    const cost = costOf(trace, replayed.design, tallies, basis);
    const storms = found.storms.filter((storm) => touchesSpan(storm, replayed.span));
    const result = stormsResult(
      trace,
      replayed,
      completeness,
      { ...found, storms },
      rate,
      cost,
      extentOf(trace).first,
      wrongCounts(replayed),
    );
    await writeOut(
      options.json === true ? jsonDocument(result) : stormsText(result, replayed.design),
    );
    return EXIT.done;
  });
}

/** Storms keep their numbers whatever the span. */
export function touchesSpan({ begin, end }: Storm, span: TimeSpan | undefined): boolean {
  if (span === undefined) return true;
  const isLate = span.to !== undefined && begin >= span.to;
  return !isLate && (span.from === undefined || end >= span.from);
}
