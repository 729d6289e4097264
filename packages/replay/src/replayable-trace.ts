/** Whether the engine reads all that a trace says of a ring. */
import { ATTACH_HEADER, KIND } from '@vhostscope/model';
import { ProgramError } from '@vhostscope/terminal';
import { createBatchMemory, readBatch, type OpenTrace } from '@vhostscope/trace';
import type { Completeness } from './completeness.js';
import { withOpenTrace } from './opened-trace.js';

/**
 * As `withOpenTrace`, for commands that replay.
 *
 * @throws ProgramError for a recording of a stock host: the engine reads neither the core's ranges nor
 *   rounds by their indices yet, and what it said without them would be wrong
 */
export async function withReplayableTrace(
  path: string,
  strict: boolean,
  use: (trace: OpenTrace, completeness: Completeness) => Promise<number>,
): Promise<number> {
  return withOpenTrace(path, strict, async (trace, completeness) => {
    if (trace.index.header.probes !== undefined || hasAttachDialect(trace))
      throw new ProgramError(
        `${trace.name} is a recording of a stock host, which cannot be replayed yet`,
        {
          advice: 'replay info says what it holds',
        },
      );
    return use(trace, completeness);
  });
}

function hasAttachDialect({ fd, index }: OpenTrace): boolean {
  const memory = createBatchMemory();
  return index.recordings.some(({ begin }) => {
    if (begin === undefined) return false;
    const { kind, details } = readBatch(fd, begin, memory);
    const { offsets, bytes } = details.note;
    const note = new TextDecoder().decode(bytes.subarray(offsets[0], offsets[1]));
    return kind[0] === KIND.recording && note === ATTACH_HEADER;
  });
}
