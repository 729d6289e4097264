/** `replay verify`: does the design decide as the kernel did? */
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { withDirectMapTrace } from './replayable-trace.js';
import { chosenDesign } from './chosen-designs.js';
import type { ReplayOptions } from './replay-plan.js';
import { replayTrace } from './replay-trace.js';
import { readSpanOptions, type SpanOptions } from './time-span.js';
import { verifyResult } from './verify-result.js';
import { verifyText } from './verify-text.js';

const LACKS = 'no decisions of a direct map to compare with';

export async function verifyCommand(
  path: string,
  options: ReplayOptions & SpanOptions & { readonly json?: boolean },
): Promise<number> {
  const design = chosenDesign(options);
  const span = readSpanOptions(options);
  return withDirectMapTrace(path, options.strict === true, LACKS, async (trace, completeness) => {
    const replayed = replayTrace(trace, design, options, span);
    const result = verifyResult(trace, replayed, completeness);
    await writeOut(
      options.json === true ? jsonDocument(result) : verifyText(result, replayed.design),
    );
    return result.disagree > 0 ? EXIT.no : EXIT.done;
  });
}
