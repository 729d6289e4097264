/** `replay run`: what every access would have become. */
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { readCostOptions, type CostOptions } from './cost-options.js';
import { withOpenTrace } from './opened-trace.js';
import { designNamed, replayTrace, type ReplayOptions } from './replay-trace.js';
import { readSpanOptions, type SpanOptions } from './time-span.js';
import { runResult } from './run-result.js';
import { runText } from './run-text.js';

export async function runCommand(
  path: string,
  options: ReplayOptions & SpanOptions & CostOptions & { readonly json?: boolean },
): Promise<number> {
  const design = designNamed(options.design);
  const span = readSpanOptions(options);
  const basis = readCostOptions(options);
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const replayed = replayTrace(trace, design, options, span);
    const result = runResult(trace, replayed, completeness, basis);
    await writeOut(options.json === true ? jsonDocument(result) : runText(result, design));
    return EXIT.done;
  });
}
