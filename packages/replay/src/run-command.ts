/** `replay run`: what every access would have become. */
import { EXIT, jsonDocument, ProgramError, writeOut } from '@vhostscope/terminal';
import { readCostOptions, type CostOptions } from './cost-options.js';
import { withOpenTrace } from './opened-trace.js';
import { chosenDesign } from './chosen-designs.js';
import type { ReplayOptions } from './replay-plan.js';
import { ALL_HAZARDS, replayTrace, WRONG_COUNTS } from './replay-trace.js';
import { readSpanOptions, type SpanOptions } from './time-span.js';
import { runResult } from './run-result.js';
import { runText } from './run-text.js';

export async function runCommand(
  path: string,
  options: ReplayOptions &
    SpanOptions &
    CostOptions & { readonly json?: boolean; readonly hazards?: boolean },
): Promise<number> {
  const design = chosenDesign(options);
  const span = readSpanOptions(options);
  const wantsHazards = options.hazards === true;
  if (wantsHazards && (options.from ?? options.to) !== undefined)
    throw new ProgramError('--hazards is of a whole trace, and --from or --to is given', {
      advice: 'replay hazards lists those of a span',
    });
  const basis = readCostOptions(options);
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const search = wantsHazards ? ALL_HAZARDS : WRONG_COUNTS;
    const replayed = replayTrace(trace, design, options, span, search);
    const hazards = wantsHazards ? replayed.found : undefined;
    const result = runResult(trace, replayed, completeness, basis, hazards);
    await writeOut(options.json === true ? jsonDocument(result) : runText(result, replayed.design));
    return EXIT.done;
  });
}
