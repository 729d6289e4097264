/** `replay run`: what every access would have become. */
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { withOpenTrace } from './opened-trace.js';
import { chosenDesign } from './chosen-designs.js';
import { replayTrace, type ReplayOptions } from './replay-trace.js';
import { runResult } from './run-result.js';
import { runText } from './run-text.js';

export async function runCommand(
  path: string,
  options: ReplayOptions & { readonly json?: boolean },
): Promise<number> {
  const design = chosenDesign(options);
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const replayed = replayTrace(trace, design, options);
    const result = runResult(trace, replayed, completeness);
    await writeOut(options.json === true ? jsonDocument(result) : runText(result, replayed.design));
    return EXIT.done;
  });
}
