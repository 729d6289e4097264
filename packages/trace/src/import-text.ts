/** From bytes of bpftrace output to a trace: messages, events of the dialect, batches. */
import {
  ATTACH_HEADER,
  createEventLine,
  readEventLine,
  RECORDING_HEADER,
  whyNotAnEvent,
} from '@vhostscope/model';
import { createParser, type Message, type Parser } from 'bpftrace-parser';
import {
  beginRecording,
  endRecording,
  noteFlaw,
  writeAccessLines,
  writeEvent,
  writeLoss,
  type TraceWriter,
} from './trace-writer.js';
import { MAX_OBJECTS } from './recording-objects.js';

/** A line that is not what it should be, with where and why. */
export interface LineProblem {
  readonly line: number;
  /** Offset of the line's first byte in the decompressed input. */
  readonly offset: number;
  readonly reason: string;
}

/** What an import read, and what it could not. */
export interface ImportReport {
  /** The first bytes, which tell what an input is that holds no events. */
  head: Uint8Array;
  bytes: number;
  lines: number;
  /** Lines that became events. */
  events: number;
  /** Lines that begin like an event and are not one, or were too long, or not whole. */
  rejected: number;
  /** Lines that are no events: other output of the program, or of bpftrace. */
  other: number;
  /** The first of the rejected, and of the others. */
  readonly rejectedFirst: LineProblem[];
  readonly otherFirst: LineProblem[];
  /** Events that bpftrace says it lost. */
  lostEvents: bigint;
}

export function createImportReport(): ImportReport {
  return {
    head: new Uint8Array(0),
    bytes: 0,
    lines: 0,
    events: 0,
    rejected: 0,
    other: 0,
    rejectedFirst: [],
    otherFirst: [],
    lostEvents: 0n,
  };
}

const KEPT_PROBLEMS = 3;
const HEAD_BYTES = 16;
const OTHER_DIALECT = /^# (?:vhost-oracle|vhostscope) \S/;

export interface TextImporter {
  push(bytes: Uint8Array): void;
  /**
   * The input has ended, and its recording with it; the trace stays open for another input.
   *
   * @param interrupted the user has stopped the reading: a line that was cut by that is no loss
   */
  end(interrupted?: boolean): void;
  /**
   * Says that the input was damaged, or not read to its end; to be called before `end`. The trace is
   * not complete then, and tells why.
   */
  flaw(what: string): void;
}

/** Imports one input into a trace, adding to a report that several inputs may share. */
export function createTextImporter(writer: TraceWriter, report: ImportReport): TextImporter {
  const line = createEventLine();
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
      const afterRun = writeAccessLines(writer, bytes, start, end, parser.line, taken);
      if (afterRun > start) return afterRun;
      taken.lines = 1;
      const next = readEventLine(bytes, start, end, line);
      if (next < 0) return -1;
      tooMany = !writeEvent(writer, line, bytes, start, parser.line);
      return tooMany ? -1 : next;
    },
  });

  function receive(message: Message): void {
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
    if (text === '') return;
    if (text === RECORDING_HEADER || text === ATTACH_HEADER) {
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
    keep(report.otherFirst, 'not an event', at);
  }

  function lose(events: bigint, at: number): void {
    if (events <= 0n) return;
    lost += events;
    report.lostEvents += events;
    writeLoss(writer, events, 'bpftrace', at);
  }

  function reject(reason: string, at: number): void {
    report.rejected++;
    keep(report.rejectedFirst, reason, at);
    writeLoss(writer, 1n, 'unreadable input', at);
  }

  function keep(list: LineProblem[], reason: string, at: number): void {
    if (list.length < KEPT_PROBLEMS) list.push({ line: at, offset: parser.offset, reason });
  }

  function countEvents(): void {
    report.events += parser.counts.taken - counted;
    counted = parser.counts.taken;
  }

  return {
    flaw: (what) => noteFlaw(writer, what),
    push: (bytes) => {
      if (report.head.length < HEAD_BYTES) {
        report.head = Buffer.concat([report.head, bytes]).subarray(0, HEAD_BYTES);
      }
      report.bytes += bytes.length;
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
