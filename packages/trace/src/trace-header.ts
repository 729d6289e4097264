/** What a trace file says about itself at its start: the metadata of its Arrow schema. */
import { EVENT_NAMES, FIELDS } from '@vhostscope/model';
import type { z } from 'zod';
import { InputError, PlaceError } from './file-errors.js';
import type { TextKind } from './text-kind.js';
import type { traceHeaderSchema } from './trace-header-reader.js';

/** What each version of the format brought, from 1: one more with every change of the layout. */
export const FORMAT_VERSIONS: readonly string[] = [
  'the events of imported text',
  'the events of `collector attach`, and fields at the end for them',
  'a checksum of every message, each resting on the one before, and a batch that closes the trace',
];

/** From this one on all messages have checksums. */
export const FIRST_WITH_CHECKSUMS = 3;

/** What is written. A reader refuses a newer one, and keeps reading older ones. */
export const FORMAT_VERSION: number = FORMAT_VERSIONS.length;

export const FORMAT = 'vhostscope';

/** What is known when a trace is begun. What is not known is absent. */
export type TraceHeader = z.infer<typeof traceHeaderSchema>;

/** The file is not a trace that this program can read; the message says why. */
export class TraceFormatError extends Error {
  override name = 'TraceFormatError';
}

/** Reads a trace of which errors are to name the file. */
export function naming<Result>(name: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw withName(name, error);
  }
}

/** An error of reading a trace, with the name of its file. */
export function withName(name: string, error: unknown): unknown {
  if (error instanceof PlaceError)
    return new InputError(`cannot read ${name} at byte ${error.offset}: ${error.reason}`);
  return error instanceof TraceFormatError
    ? new TraceFormatError(`${name}: ${error.message}`, { cause: error })
    : error;
}

/** What a trace says that is made of a text. */
export function headerOfText(
  { clock, timeStep }: TextKind,
  rest: Pick<TraceHeader, 'sources' | 'writer' | 'keepsPointers'>,
): TraceHeader {
  return { ...rest, clock, ...(timeStep > 1 && { timeStep }) };
}

export function headerMetadata(header: TraceHeader): Map<string, string> {
  const docs = Object.fromEntries(Object.entries(FIELDS).map(([name, { doc }]) => [name, doc]));
  return new Map([
    ['format', FORMAT],
    ['format_version', String(FORMAT_VERSION)],
    ['header', JSON.stringify(header)],
    ['kinds', JSON.stringify(EVENT_NAMES)],
    ['fields', JSON.stringify({ time: timeDoc(header), cpu: 'CPU', line: 'input line', ...docs })],
  ]);
}

function timeDoc({ clock, timeStep = 1 }: TraceHeader): string {
  const unit = timeStep === 1 ? 'ns' : `ns, in steps of ${timeStep}`;
  return clock === 'unknown' ? `${unit}, of a clock that is not known` : `${unit}, ${clock}`;
}
