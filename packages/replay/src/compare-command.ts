/** `replay compare`: many designs on the same traces, and traces against a baseline. */
import type { Design } from '@vhostscope/model';
import { EXIT, jsonDocument, printable, ProgramError, say, writeOut } from '@vhostscope/terminal';
import { chosenDesigns } from './chosen-designs.js';
import {
  againstBaseline,
  comparedTraceResult,
  type ComparedTraceResult,
  type CompareResult,
} from './compare-result.js';
import { compareText } from './compare-text.js';
import { readCostOptions, type CostBasis, type CostOptions } from './cost-options.js';
import { compareTrace, type CompareOptions } from './compare-trace.js';
import { withOpenTrace } from './opened-trace.js';
import { platformOf } from './platform-options.js';
import { readSpanOptions, spanOf, type SpanOptions, type WantedSpan } from './time-span.js';

export interface CompareCommandOptions
  extends Omit<CompareOptions, 'span'>, SpanOptions, CostOptions {
  readonly designs: string;
  readonly designFile?: string;
  readonly baseline?: string;
  readonly failIfWorse?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
}

export async function compareCommand(
  paths: readonly string[],
  options: CompareCommandOptions,
): Promise<number> {
  const designs = chosenDesigns(options.designs, options.designFile);
  const allowed = allowedPoints(options);
  const basis = readCostOptions(options);
  const wanted = readSpanOptions(options);
  const found: ComparedTraceResult[] = [];
  const read = async (path: string, into: ComparedTraceResult[]): Promise<number> =>
    readOne(path, designs, options, { basis, wanted }, into);
  let exitCode: number = EXIT.done;
  const keep = (code: number): void => {
    if (exitCode === EXIT.done) exitCode = code;
  };
  for (const path of paths) {
    const code = await read(path, found);
    if (code === EXIT.interrupted) return code;
    keep(code);
  }
  const baselines: ComparedTraceResult[] = [];
  if (options.baseline !== undefined) {
    const code = await read(options.baseline, baselines);
    if (code === EXIT.interrupted) return code;
    keep(code);
  }
  const [baseline] = baselines;
  const result: CompareResult = {
    traces: found,
    baseline: baseline ?? null,
    fail_if_worse: allowed ?? null,
    against_baseline: baseline === undefined ? [] : againstBaseline(found, baseline, allowed),
  };
  await writeOut(options.json === true ? jsonDocument(result) : compareText(result));
  if (allowed === undefined) return exitCode;
  // A gate does not let pass what it knows too little of.
  for (const { trace, design, open } of result.against_baseline)
    if (open !== null)
      say(
        'replay',
        printable(`${trace}: that ${design} is worse than allowed cannot be ruled out: ${open}`),
      );
  return result.against_baseline.every(({ is_worse: isWorse }) => isWorse === false)
    ? exitCode
    : EXIT.no;
}

async function readOne(
  path: string,
  designs: readonly Design[],
  options: CompareCommandOptions,
  { basis, wanted }: { readonly basis: CostBasis; readonly wanted: WantedSpan },
  into: ComparedTraceResult[],
): Promise<number> {
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const span = spanOf(trace, wanted);
    const compared = compareTrace(trace, designs, {
      ...options,
      ...(span === undefined ? {} : { span }),
    });
    const { architecture } = platformOf(options, trace);
    into.push(comparedTraceResult(trace, compared, completeness, architecture, basis));
    return EXIT.done;
  });
}

/** Percentage points of --fail-if-worse; undefined when it was not asked for. */
function allowedPoints({ failIfWorse, baseline }: CompareCommandOptions): number | undefined {
  if (failIfWorse === undefined) return undefined;
  if (baseline === undefined)
    throw new ProgramError('--fail-if-worse needs a --baseline to hold traces against', {
      exitCode: EXIT.unusable,
    });
  const [, digits] = /^(\d{1,3}(?:\.\d{1,6})?) ?%?$/.exec(failIfWorse) ?? [];
  if (digits === undefined || Number(digits) > 100)
    throw new ProgramError(`--fail-if-worse is no share: "${printable(failIfWorse)}"`, {
      advice: 'percentage points of the hit ratio, as in 0.5%',
      exitCode: EXIT.unusable,
    });
  return Number(digits);
}
