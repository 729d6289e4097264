/** `replay hazards`: where would the design have gone wrong, and what proves it? */
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { hazardsResult } from './hazards-result.js';
import { hazardsText } from './hazards-text.js';
import { withOpenTrace } from './opened-trace.js';
import { chosenDesign } from './chosen-designs.js';
import type { ReplayOptions } from './replay-plan.js';
import { replayTrace } from './replay-trace.js';
import { readSpanOptions, spanOf, type SpanOptions } from './time-span.js';

export async function hazardsCommand(
  path: string,
  options: ReplayOptions & SpanOptions & { readonly json?: boolean },
): Promise<number> {
  const design = chosenDesign(options);
  const wanted = readSpanOptions(options);
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const span = spanOf(trace, wanted);
    const replayed = replayTrace(trace, design, options, undefined, { of: 'all', span });
    const result = hazardsResult(trace, replayed, completeness, span);
    await writeOut(
      options.json === true ? jsonDocument(result) : hazardsText(result, replayed.design),
    );
    return EXIT.done;
  });
}
