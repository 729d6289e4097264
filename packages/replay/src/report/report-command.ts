/** `replay report`: all that a trace shows, as one page that needs nothing else. */
import { withTimeline } from '@vhostscope/model';
import { byteSize, EXIT, jsonDocument, ProgramError, say, writeOut } from '@vhostscope/terminal';
import { readBuiltPage } from '../built-page.js';
import { withOpenTrace } from '../opened-trace.js';
import { readCostOptions, type CostOptions } from '../cost-options.js';
import { chosenDesign } from '../chosen-designs.js';
import { readStormRate } from '../find-storms.js';
import type { ReplayOptions } from '../replay-plan.js';
import { ALL_HAZARDS, replayWith, WRONG_COUNTS } from '../replay-trace.js';
import { readSpanOptions, type SpanOptions } from '../time-span.js';
import { reportDocument } from './report-document.js';
import { checkReportOutput, writeReportFile } from './report-output.js';
import { reportPage } from './report-page.js';

export interface ReportOptions {
  /** Name of a file, or `-`; absent where only the data are wanted. */
  readonly output?: string;
  readonly json?: boolean;
}

export async function reportCommand(
  path: string,
  options: ReplayOptions & SpanOptions & CostOptions & ReportOptions,
): Promise<number> {
  const design = chosenDesign(options);
  const span = readSpanOptions(options);
  const basis = readCostOptions(options);
  const stormRate = readStormRate(options.stormRate);
  // Hazards are of a whole trace.
  const isWhole = (options.from ?? options.to) === undefined;
  const { output, json } = options;
  const asJson = json === true;
  checkOptions(path, output, asJson);
  const page = output === undefined ? undefined : readBuiltPage();
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const search = isWhole ? ALL_HAZARDS : WRONG_COUNTS;
    const replayed = replayWith(trace, design, options, span, search, withTimeline);
    const report = reportDocument(trace, replayed, completeness, {
      basis,
      stormRate,
      hazards: isWhole ? replayed.found : undefined,
      options,
    });
    if (asJson) await writeOut(jsonDocument(report));
    if (page === undefined || output === undefined) return EXIT.done;
    const html = reportPage(report, page);
    if (output === '-') {
      await writeOut(html);
    } else {
      await writeReportFile(output, html);
      say('replay', `${output}: ${byteSize(Buffer.byteLength(html))}. ${report.headline}`);
    }
    return EXIT.done;
  });
}

/** What can be known to fail is said before the trace is read. */
function checkOptions(trace: string, output: string | undefined, asJson: boolean): void {
  if (output === undefined) {
    if (asJson) return;
    throw new ProgramError('where should the report go?', {
      advice: 'name a file, as in -o report.html; -o - is standard output, --json prints its data',
    });
  }
  if (output !== '-') checkReportOutput([trace], output);
  else if (asJson)
    throw new ProgramError('the page and --json both go to standard output', {
      advice: 'name a file with -o',
    });
  else if (process.stdout.isTTY)
    throw new ProgramError('a page is nothing that a terminal can show', {
      advice: 'name a file with -o, or send it through a pipe',
    });
}
