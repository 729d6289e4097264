/** What `collector import --merge --json` prints. */
import { fstatSync } from 'node:fs';
import { countsByName, type MergedSource, type TraceWriter } from '@vhostscope/trace';
import { inputResult, type ImportResult } from './import-result.js';

export function mergeResult(
  writer: TraceWriter,
  sources: readonly MergedSource[],
  interrupted: boolean,
  { output, bytes }: { readonly output: string | null; readonly bytes: number },
): Omit<ImportResult, 'published'> {
  return {
    output,
    bytes_written: bytes,
    recordings: writer.recordings,
    events: sources.reduce((sum, { events }) => sum + events, 0),
    interrupted,
    complete: writer.ended?.complete ?? null,
    flaws: writer.ended?.flaws ?? [],
    inputs: sources.map(({ source, events, leftOut }) => {
      const { trace, counts } = source;
      const common = {
        events,
        damage: trace.damage.length === 0 ? null : trace.damage.join('; '),
        clock_offset: source.offset === undefined ? null : String(source.offset),
        left_out: countsByName(leftOut),
      };
      if (trace.imported !== undefined)
        return {
          ...inputResult({ name: source.name, report: trace.imported, damage: undefined }),
          ...common,
        };
      return {
        input: source.name,
        format: 'trace file',
        bytes: fstatSync(trace.fd).size,
        lines: 0,
        rejected: { lines: 0, first: [] },
        other: { lines: 0, first: [] },
        lost_events: String(
          Object.values(counts?.lost ?? {}).reduce((sum, howMany) => sum + BigInt(howMany), 0n),
        ),
        notes: [...(counts?.flaws ?? []), ...(counts?.notes ?? [])],
        ...common,
      };
    }),
  };
}
