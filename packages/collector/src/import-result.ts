/** What `collector import --json` prints. */
import type { ImportReport, InputError, TraceWriter } from '@vhostscope/trace';
import type { z } from 'zod';
import { isFlawed } from './import-problems.js';
import type { importResultSchema } from './import-result-schema.js';

export type ImportResult = z.infer<typeof importResultSchema>;

/** An input as it was read. */
export interface ImportedInput {
  readonly name: string;
  readonly report: ImportReport;
  readonly damage: string | undefined;
  /** The error that it is when none of the inputs holds an event. */
  readonly nothing: InputError | undefined;
}

export function importResult(
  output: string | null,
  writer: TraceWriter | undefined,
  inputs: readonly ImportedInput[],
  interrupted: boolean,
): ImportResult {
  return {
    output,
    // What was published only is written, too: that is known at its end.
    bytes_written: 0,
    recordings: writer?.recordings ?? 0,
    events: eventsOf(inputs),
    interrupted,
    // Nobody counts what a text should hold.
    complete: interrupted || inputs.some(isFlawed) ? false : null,
    flaws: [
      ...inputs.flatMap(({ name, report, damage }) =>
        [...(damage === undefined ? [] : [damage]), ...report.flaws].map(
          (flaw) => `${name}: ${flaw}`,
        ),
      ),
      ...(interrupted ? ['the import was interrupted'] : []),
    ],
    published: null,
    inputs: inputs.map(inputResult),
  };
}

/** One of its inputs. */
export function inputResult({
  name,
  report,
  damage,
}: Pick<ImportedInput, 'name' | 'report' | 'damage'>): ImportResult['inputs'][number] {
  return {
    input: name,
    format: report.format,
    bytes: report.bytes,
    lines: report.lines,
    events: report.events,
    rejected: { lines: report.rejected, first: places(report.rejectedFirst) },
    other: { lines: report.other, first: places(report.otherFirst) },
    lost_events: String(report.lostEvents),
    damage: damage ?? null,
    notes: [...report.flaws, ...report.notes],
    clock_offset: null,
    left_out: {},
  };
}

export function eventsOf(inputs: readonly ImportedInput[]): number {
  return inputs.reduce((sum, { report }) => sum + report.events, 0);
}

function places(
  problems: ImportReport['rejectedFirst'],
): ImportResult['inputs'][number]['rejected']['first'] {
  return problems.map(({ line, offset, reason }) => ({ line, byte: offset, reason }));
}
