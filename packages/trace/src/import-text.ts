/** From bytes of bpftrace output to a trace: messages, events of the dialect, batches. */
import {
  HEADERS,
  createEventLine,
  KIND,
  readEventLine,
  rememberAccessLine,
  SLOT,
  timeOfLine,
  whyNotAnEvent,
  type EventLine,
  type EventName,
} from '@vhostscope/model';
import { createParser, type Message, type Parser } from 'bpftrace-parser';
import {
  beginRecording,
  endRecording,
  knowObjects,
  writeAccessLines,
  writeEvent,
  type TraceWriter,
} from './trace-writer.js';
import type { EventValues } from './event-builder.js';
import {
  keepProblem,
  NO_EVENT,
  noteBytes,
  type ImportReport,
  type LineProblem,
} from './import-report.js';
import { countArrivals, isWithin, timeSpan, type Arrivals, type TimeSpan } from './live-lines.js';
import { noteFlaw, writeLoss, writeOwnEvent, type OwnEvent } from './recorder-notes.js';
import { MAX_OBJECTS } from './recording-objects.js';
import type { TextImport } from './text-import.js';

const OTHER_DIALECT = /^# (?:vhost-oracle|vhostscope) \S/;

/** What a live recording asks of its importer beyond what a finished text does. */
export interface LiveImport {
  /** Who loses events that a line says are lost. */
  readonly recorder?: string;
  /** Kinds of events that are read and not written: who records writes of them what is wanted. */
  readonly notWritten?: ReadonlySet<number>;
  /**
   * An event was read and, unless it lies outside the recording, written. `line` is reused, and so are
   * the bytes in which its text lies.
   */
  onEvent(line: EventLine, bytes: Uint8Array): void;
  /** bpftrace said something that is no event. */
  onMessage(message: Message): void;
  /**
   * A line of text that is no event, and not empty.
   *
   * @returns whether it is understood: it is counted as other output otherwise
   */
  onText(text: string): boolean;
  /** Instead of a loss in the trace: events are missing here, and who knows of it. */
  onLoss(howMany: bigint, by: string, lineNumber: number): void;
}

/** The import of bpftrace's output. */
export interface TextImporter extends TextImport {
  /** How many lines of a kind have arrived from a CPU, whether or not they were written. */
  arrived(cpu: number, kind: number): number;
  /**
   * Events before `from` or after `until` (ns, both inclusive, undefined for no bound) are read and
   * counted, and not written. Holds for what is pushed from now on.
   */
  setSpan(from: bigint | undefined, until: bigint | undefined): void;
  /**
   * Puts an event of the program's own into its place: on the first CPU whose lines come to its time,
   * which must not lie before that of any line read so far. `values.vq` is an id. An event that no line
   * follows is dropped.
   */
  insert(event: EventName, time: bigint, values: EventValues): void;
}

/**
 * Imports one input into a trace, adding to a report that several inputs may share.
 *
 * @param live whom to tell, where the input is a recording under way
 */
export function createTextImporter(
  writer: TraceWriter,
  report: ImportReport,
  live?: LiveImport,
): TextImporter {
  const line = createEventLine();
  const arrivals: Arrivals = [];
  let span: TimeSpan | undefined;
  /** Events of the program's own that wait for their place, oldest first. */
  const own: OwnEvent[] = [];
  const linesBefore = report.lines;
  /** The line at hand is an event, of one virtqueue or device too many. */
  let tooMany = false;
  let interruptedByUser = false;
  /** Lines taken as events that the report knows of. */
  let counted = 0;
  /** Events of this input that bpftrace says it lost. */
  let lost = 0n;
  const parser: Parser = createParser({
    onMessage: (message) => receive(message),
    takeLine: (bytes, start, end, taken) => {
      if (span === undefined && own.length === 0) {
        const afterRun = writeAccessLines(writer, bytes, start, end, parser.line, taken);
        if (afterRun > start) {
          // A run is of the CPU of the event written before it.
          countArrivals(arrivals, writer.current?.latest?.cpu ?? 0, KIND.access, taken.lines);
          return afterRun;
        }
      }
      taken.lines = 1;
      const next = readEventLine(bytes, start, end, line);
      if (next < 0) return -1;
      if (own.length > 0) insertUpTo(timeOfLine(line), line.cpu);
      tooMany =
        (span === undefined || isWithin(span, line)) && live?.notWritten?.has(line.kind) !== true
          ? !write(bytes, start)
          : !knowObjects(writer, line);
      if (tooMany) return -1;
      countArrivals(arrivals, line.cpu, line.kind, 1);
      live?.onEvent(line, bytes);
      return next;
    },
  });

  function write(bytes: Uint8Array, start: number): boolean {
    if (!writeEvent(writer, line, bytes, parser.line)) return false;
    if (line.kind === KIND.access)
      rememberAccessLine(writer.accessRuns, bytes, start, line.words[2 * SLOT.vq]);
    return true;
  }

  function receive(message: Message): void {
    live?.onMessage(message);
    switch (message.type) {
      case 'text':
        receiveText(message.text, message.line);
        return;
      case 'printf':
        for (const text of message.data.replace(/\n$/, '').split('\n'))
          receiveText(text, message.line);
        return;
      case 'lost_events':
        return lose(message.events, message.line);
      case 'lost_total':
        // Of the whole run, at its end: what the messages before it have not told.
        return lose(message.events - lost, message.line);
      case 'truncated':
        if (!interruptedByUser) reject('the input ends within this line', message.line);
        return;
      case 'rejected':
        reject(`not readable: ${message.reason}`, message.line);
        return;
      // Printed by the program, and no event of the dialect.
      case 'time':
      case 'cat':
      case 'join':
      case 'syscall':
      case 'value':
      case 'unknown':
        return other(message.line);
      // What bpftrace prints of itself, and what it prints of the program's maps when it ends.
      case 'attached_probes':
      case 'probes_ready':
      case 'no_probes':
      case 'map':
      case 'hist':
      case 'stats':
      case 'tseries':
      case 'helper_error':
      case 'runtime_error':
      case 'errorf':
      case 'warnf':
      case 'log':
      case 'verbose':
        return;
    }
  }

  function receiveText(text: string, at: number): void {
    if (text === '' || live?.onText(text) === true) return;
    if (HEADERS.includes(text)) {
      beginRecording(writer, text);
      return;
    }
    const why = tooMany
      ? `more than ${MAX_OBJECTS} virtqueues or devices in one trace`
      : text.endsWith('\r')
        ? 'the line ends in CR LF and not in LF: something between bpftrace and here changed the bytes'
        : OTHER_DIALECT.test(text)
          ? 'a recording in a dialect that is not known'
          : whyNotAnEvent(text);
    tooMany = false;
    if (why !== undefined) return reject(why, at);
    other(at);
  }

  function other(at: number): void {
    report.other++;
    keep(report.otherFirst, NO_EVENT, at);
  }

  function lose(events: bigint, at: number): void {
    if (events <= 0n) return;
    lost += events;
    report.lostEvents += events;
    noteLoss(events, live?.recorder ?? 'bpftrace', at);
  }

  function reject(reason: string, at: number): void {
    report.rejected++;
    keep(report.rejectedFirst, reason, at);
    noteLoss(1n, 'unreadable input', at);
  }

  function noteLoss(howMany: bigint, by: string, at: number): void {
    if (live === undefined) writeLoss(writer, howMany, by, at);
    else live.onLoss(howMany, by, at);
  }

  function keep(list: LineProblem[], reason: string, at: number): void {
    keepProblem(list, { line: at, offset: parser.offset, reason });
  }

  function countEvents(): void {
    report.events += parser.counts.taken - counted;
    counted = parser.counts.taken;
  }

  function insertUpTo(time: bigint, cpu: number): void {
    for (let next = own[0]; next !== undefined && next.time <= time; next = own[0]) {
      writeOwnEvent(writer, cpu, next);
      own.shift();
    }
  }

  return {
    insert: (event, time, values) => own.push({ event, time, values }),
    arrived: (cpu, kind) => arrivals[cpu]?.[kind] ?? 0,
    setSpan: (from, until) => {
      span = from === undefined && until === undefined ? undefined : timeSpan(from, until);
    },
    flaw: (what) => noteFlaw(writer, what),
    push: (bytes) => {
      noteBytes(report, bytes);
      parser.push(bytes);
      countEvents();
    },
    end: (interrupted = false) => {
      interruptedByUser = interrupted;
      parser.end();
      countEvents();
      report.lines = linesBefore + parser.counts.lines;
      endRecording(writer);
    },
  };
}
