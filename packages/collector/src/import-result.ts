/** What `collector import --json` prints. The schema is the contract; keys are stable. */
import type { ImportReport, InputError, TraceWriter } from '@vhostscope/trace';
import { z } from 'zod';

const count = z.number().int().nonnegative();
const decimal = z.string().regex(/^\d+$/);
const lines = z.object({
  lines: count,
  /** The first of them. */
  first: z.array(z.object({ line: count, byte: count, reason: z.string() })),
});

const importedInput = z.object({
  input: z.string(),
  /** Decompressed. */
  bytes: count,
  lines: count,
  events: count,
  /** Lines that begin like an event and are none, or that could not be read. */
  rejected: lines,
  /** Lines that hold no event. */
  other: lines,
  /** Events that bpftrace says it lost. */
  lost_events: decimal,
  /** What is wrong with the input as a whole. */
  damage: z.string().nullable(),
});

export const importResultSchema = z.object({
  /** null when nothing was written, which only an interruption leaves without an error. */
  output: z.string().nullable(),
  bytes_written: count,
  recordings: count,
  events: count,
  interrupted: z.boolean(),
  inputs: z.array(importedInput),
});
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
  writer: TraceWriter,
  inputs: readonly ImportedInput[],
  interrupted: boolean,
): ImportResult {
  return {
    output,
    bytes_written: output === null ? 0 : writer.bytes,
    recordings: writer.recordings,
    events: eventsOf(inputs),
    interrupted,
    inputs: inputs.map(({ name, report, damage }) => ({
      input: name,
      bytes: report.bytes,
      lines: report.lines,
      events: report.events,
      rejected: { lines: report.rejected, first: places(report.rejectedFirst) },
      other: { lines: report.other, first: places(report.otherFirst) },
      lost_events: String(report.lostEvents),
      damage: damage ?? null,
    })),
  };
}

export function eventsOf(inputs: readonly ImportedInput[]): number {
  return inputs.reduce((sum, { report }) => sum + report.events, 0);
}

function places(problems: ImportReport['rejectedFirst']): z.infer<typeof lines>['first'] {
  return problems.map(({ line, offset, reason }) => ({ line, byte: offset, reason }));
}
