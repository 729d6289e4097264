/** `replay verify`: does the design decide as the kernel did? */
import { EXIT, writeOut } from '@vhostscope/terminal';
import { withOpenTrace } from './opened-trace.js';
import { replayTrace, type ReplayOptions } from './replay-trace.js';
import { verifyResult } from './verify-result.js';
import { verifyText } from './verify-text.js';

export async function verifyCommand(
  path: string,
  options: ReplayOptions & { readonly json?: boolean },
): Promise<number> {
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const replayed = replayTrace(trace, options);
    const result = verifyResult(trace, replayed, completeness);
    await writeOut(
      options.json === true ? `${JSON.stringify(result, null, 2)}\n` : verifyText(result),
    );
    return result.disagree > 0 ? EXIT.no : EXIT.done;
  });
}
