/** `replay info`: what a trace holds. */
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { checkBatches } from '@vhostscope/trace';
import { infoResult } from './info-result.js';
import { infoText } from './info-text.js';
import { withOpenTrace } from './opened-trace.js';

export async function infoCommand(
  path: string,
  options: { readonly json?: boolean; readonly strict?: boolean },
): Promise<number> {
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    // Only who looks through the events finds out that one of them was changed.
    checkBatches(trace);
    const result = infoResult(trace, completeness);
    await writeOut(options.json === true ? jsonDocument(result) : infoText(result));
    return EXIT.done;
  });
}
