/** What kind of host a trace was recorded on, and what can be replayed of it. */
import { ATTACH_HEADER, KIND, type HostKind } from '@vhostscope/model';
import { ProgramError } from '@vhostscope/terminal';
import { createBatchMemory, readBatch, type OpenTrace } from '@vhostscope/trace';
import type { Completeness } from './completeness.js';
import { withOpenTrace } from './opened-trace.js';

/**
 * The host of a trace: what a live recording says that it is, else by the dialect of its recordings.
 *
 * @throws ProgramError when it holds recordings of both kinds: what one says, the other does not
 */
export function hostKindOf({
  fd,
  index,
  name,
}: Pick<OpenTrace, 'fd' | 'index' | 'name'>): HostKind {
  if (index.header.probes !== undefined) return index.header.probes.hostKind ?? 'stock';
  const memory = createBatchMemory();
  const kinds = new Set<HostKind>();
  for (const { begin } of index.recordings) {
    if (begin === undefined) continue;
    const { kind, details } = readBatch(fd, begin, memory);
    const { offsets, bytes } = details.note;
    const note = new TextDecoder().decode(bytes.subarray(offsets[0], offsets[1]));
    if (kind[0] !== KIND.recording) continue;
    kinds.add(note === ATTACH_HEADER ? 'stock' : 'direct-map');
  }
  if (kinds.size > 1)
    throw new ProgramError(
      `${name} holds recordings of a stock host and of one with the direct-map driver`,
      { advice: 'import them apart: they are judged by other rules' },
    );
  return kinds.has('stock') ? 'stock' : 'direct-map';
}

/** Whether ranges away from the rings may be missing: the probes of a live recording leave them out. */
export function hasFilteredRangesOf(trace: Pick<OpenTrace, 'fd' | 'index' | 'name'>): boolean {
  return trace.index.header.probes !== undefined || hostKindOf(trace) === 'stock';
}

/**
 * As `withOpenTrace`, for commands that need what only a kernel with the direct-map driver shows.
 *
 * @param lacks what a recording of a stock host has none of, as in "it has ..."
 * @throws ProgramError for a recording of a stock host
 */
export async function withDirectMapTrace(
  path: string,
  strict: boolean,
  lacks: string,
  use: (trace: OpenTrace, completeness: Completeness) => Promise<number>,
): Promise<number> {
  return withOpenTrace(path, strict, async (trace, completeness) => {
    if (hostKindOf(trace) === 'stock')
      throw new ProgramError(`${trace.name} is a recording of a stock host: it has ${lacks}`, {
        advice: 'replay run says what a design would have made of it',
      });
    return use(trace, completeness);
  });
}
