/** `replay run`: what every access would have become. */
import { EXIT, writeOut } from '@vhostscope/terminal';
import { withOpenTrace } from './opened-trace.js';
import { replayTrace, type ReplayOptions } from './replay-trace.js';
import { runResult } from './run-result.js';
import { runText } from './run-text.js';

export async function runCommand(
  path: string,
  options: ReplayOptions & { readonly json?: boolean },
): Promise<number> {
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const replayed = replayTrace(trace, options);
    const result = runResult(trace, replayed, completeness);
    await writeOut(
      options.json === true
        ? `${JSON.stringify(result, null, 2)}\n`
        : runText(result, replayed.design),
    );
    return EXIT.done;
  });
}
