/** `replay explain`: the state of a virtqueue around an event, and why it is so. */
import { EXIT, jsonDocument, writeOut } from '@vhostscope/terminal';
import { explainResult } from './explain-result.js';
import { findTarget, readWanted, type ExplainOptions } from './explain-target.js';
import { explainText } from './explain-text.js';
import { explainTrace } from './explain-trace.js';
import { withOpenTrace } from './opened-trace.js';
import { chosenDesign } from './chosen-designs.js';
import type { ReplayOptions } from './replay-plan.js';
import { replayTrace } from './replay-trace.js';

export async function explainCommand(
  path: string,
  options: ReplayOptions & ExplainOptions & { readonly json?: boolean },
): Promise<number> {
  const design = chosenDesign(options);
  const wanted = readWanted(options);
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const target = findTarget(trace, wanted);
    // The whole trace tells which order can be trusted.
    const replayed = replayTrace(trace, design, options);
    const explained = explainTrace(trace, replayed, target);
    const result = explainResult(trace, replayed, completeness, explained);
    await writeOut(
      options.json === true ? jsonDocument(result) : explainText(result, replayed.design),
    );
    return EXIT.done;
  });
}
