/** What kind of host a trace was recorded on, and what can be replayed of it. */
import {
  ATTACH_HEADER,
  HEADERS,
  KIND,
  RECORDING_HEADER,
  type EventName,
  type HostKind,
} from '@vhostscope/model';
import { ProgramError } from '@vhostscope/terminal';
import {
  createBatchMemory,
  readBatch,
  RECORDER,
  recordingCounts,
  type OpenTrace,
  type RecordingIndex,
  type TraceBytes,
} from '@vhostscope/trace';
import type { Completeness } from './completeness.js';
import { withOpenTrace } from './opened-trace.js';
import { countRecording } from './recording-list.js';

/** What a trace is called and what it says of itself: enough to plan its replay, while it still grows too. */
export interface PlannedTrace extends Pick<OpenTrace, 'name' | 'index'> {
  readonly fd: TraceBytes;
}

/**
 * The host of a trace: what a live recording says that it is, else by the dialect of its recordings.
 *
 * @throws ProgramError when it holds recordings of both kinds: what one says, the other does not
 */
export function hostKindOf(trace: PlannedTrace): HostKind {
  const { index, name } = trace;
  if (index.header.probes !== undefined) return index.header.probes.hostKind ?? 'stock';
  const kinds = new Set(
    index.recordings.map((recording) => kindOf(trace, recording)).filter((kind) => kind !== null),
  );
  if (kinds.size > 1)
    throw new ProgramError(
      `${name} holds recordings of a stock host and of one with the direct-map driver`,
      { advice: 'import them apart: they are judged by other rules' },
    );
  return kinds.has('stock') ? 'stock' : 'direct-map';
}

/** Null of a recording whose beginning is not there. */
function kindOf(trace: PlannedTrace, recording: RecordingIndex): HostKind | null {
  const header = headerOf(trace, recording);
  if (header === undefined) return null;
  if (header === ATTACH_HEADER) return 'stock';
  if (HEADERS.includes(header)) return 'direct-map';
  const kind = kindByEvents(trace, recording);
  // Accesses with their decisions come from the direct-map driver only, whatever ranges were recorded beside them.
  return kind === 'stock' && isTraceEvents(header) && holdsAccesses(trace, recording)
    ? 'direct-map'
    : kind;
}

/** Of text whose first line is missing: vhost's callbacks come from a driver with the direct-map code only. */
function kindByEvents({ fd }: PlannedTrace, recording: RecordingIndex): HostKind {
  const { events } = recordingCounts(fd, recording) ?? countRecording(fd, recording);
  const holds = (name: EventName): boolean => name in events;
  const isAttached = holds('core_range_start') || holds('heartbeat') || holds('round_end');
  return isAttached && !holds('range_start') && !holds('range_end') ? 'stock' : 'direct-map';
}

function holdsAccesses({ fd }: PlannedTrace, recording: RecordingIndex): boolean {
  return 'access' in (recordingCounts(fd, recording) ?? countRecording(fd, recording)).events;
}

/** First line of a recording, where it has one. */
function headerOf({ fd }: PlannedTrace, { begin }: RecordingIndex): string | undefined {
  if (begin === undefined) return undefined;
  const { kind, details } = readBatch(fd, begin, createBatchMemory());
  if (kind[0] !== KIND.recording) return undefined;
  const { offsets, bytes } = details.note;
  return new TextDecoder().decode(bytes.subarray(offsets[0], offsets[1]));
}

/** Whether a recording is text of perf, ftrace or trace-cmd, of which whoever recorded picked the events. */
export function isTraceEventText(trace: PlannedTrace): boolean {
  const { header, recordings } = trace.index;
  return (
    header.merged?.sources.some(({ isPicked }) => isPicked) ??
    recordings.some((recording) => isTraceEvents(headerOf(trace, recording)))
  );
}

function isTraceEvents(header: string | undefined): boolean {
  return header !== undefined && header !== 'bpftrace' && Object.hasOwn(RECORDER, header);
}

/**
 * Whether ranges away from the rings may be missing. The probes of `collector attach` leave them out; recordings
 * of the oracle, which say so in their first line, hold them all.
 */
export function hasFilteredRangesOf(trace: PlannedTrace): boolean {
  return (
    trace.index.header.probes !== undefined ||
    trace.index.recordings.some((recording) => headerOf(trace, recording) !== RECORDING_HEADER)
  );
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
