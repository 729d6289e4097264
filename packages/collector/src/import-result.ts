/** What `collector import --json` prints. */
import type { ImportReport, TraceWriter } from '@vhostscope/trace';
import { z } from 'zod';

const count = z.number().int().nonnegative();
const problem = z.object({ line: count, byte: count, reason: z.string() });

export const importResultSchema = z.object({
  output: z.string(),
  bytes_written: count,
  recordings: count,
  /** Of the decompressed input. */
  bytes_read: count,
  lines: count,
  events: count,
  /** Lines that could not be read, and the first of them. */
  rejected: z.object({ lines: count, first: z.array(problem) }),
  /** Lines that hold no event, and the first of them. */
  other: z.object({ lines: count, first: z.array(problem) }),
  /** Events that bpftrace says it lost, decimal. */
  lost_events: z.string(),
  damage: z.array(z.string()),
  interrupted: z.boolean(),
});
export type ImportResult = z.infer<typeof importResultSchema>;

export function importResult(
  output: string,
  writer: TraceWriter,
  report: ImportReport,
  damage: readonly string[],
  interrupted: boolean,
): ImportResult {
  const places = (problems: ImportReport['rejectedFirst']): z.infer<typeof problem>[] =>
    problems.map(({ line, offset, reason }) => ({ line, byte: offset, reason }));
  return {
    output,
    bytes_written: writer.bytes,
    recordings: writer.recordings,
    bytes_read: report.bytes,
    lines: report.lines,
    events: report.events,
    rejected: { lines: report.rejected, first: places(report.rejectedFirst) },
    other: { lines: report.other, first: places(report.otherFirst) },
    lost_events: String(report.lostEvents),
    damage: [...damage],
    interrupted,
  };
}
