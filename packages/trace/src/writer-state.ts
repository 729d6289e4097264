/** A trace that is being written: what of it is in the file, on its way there, and waits for its batch to be full. */
import type { AccessRunMemory } from '@vhostscope/model';
import type { EventBuilder } from './event-builder.js';
import type { LinkedMessage } from './message-writer.js';
import type { RecordingCounts } from './recording-counts.js';
import type { RecordingInProgress } from './recording-in-progress.js';
import type { RecordingObjects } from './recording-objects.js';
import type { TraceOutput } from './trace-output.js';

export interface TraceWriter {
  readonly output: TraceOutput;
  /** The schema's message, with which every stream of the trace begins. */
  readonly schema: LinkedMessage;
  /** What the next message rests on, and what it would if all that was appended were written, as who reads along has it. */
  link: number;
  appendedLink: number;
  /** Link of what is whole in the file. */
  writtenLink: number;
  /** Whether the schema is in the file, or on its way there. */
  schemaIs: 'underway' | 'written' | 'lost';
  readonly keepsPointers: boolean;
  /** Bytes given to the file so far. */
  bytes: number;
  /** Events of all recordings that were given to the file, and that are in it. */
  events: number;
  eventsWritten: number;
  /** Recordings begun. */
  recordings: number;
  /** The recording that is being written; undefined before the first and after the last. */
  current: RecordingInProgress | undefined;
  /** The recording of which the end is on its way to the file; undefined when it is there. */
  ending: RecordingInProgress | undefined;
  /** Counts of the recording that ended last. */
  ended: RecordingCounts | undefined;
  /** Called when a recording ends, with its counts; undefined where nobody asks. */
  onEnd: ((counts: RecordingCounts) => void) | undefined;
  /** Objects of the latest recording: the ids of the next go on from theirs. */
  lastObjects: RecordingObjects | undefined;
  /** Memory that recordings share. */
  readonly builders: (EventBuilder | undefined)[];
  readonly table: EventBuilder;
  /** Builders whose batch is written, to be used again. */
  readonly spare: EventBuilder[];
  /** CPUs seen, and how many rows a batch of one of them gets at present. */
  cpus: number;
  batchRows: number;
  /** Rows written in full batches since the last look for rows that wait for long, and the number of that look. */
  rowsSinceLook: number;
  looks: number;
  /** By CPU, after which look its last batch was written. */
  readonly writtenAfter: number[];
  /** Access lines that look like the latest are read by a path of their own. */
  readonly accessRuns: AccessRunMemory;
}
