/** From the text of perf script, ftrace or trace-cmd to a trace. */
import { createEventLine, KIND, SLOT } from '@vhostscope/model';
import { flushFull } from '../batch-flow.js';
import {
  keepProblem,
  NO_EVENT,
  noteBytes,
  type ImportReport,
  type LineProblem,
} from '../import-report.js';
import { noteFlaw, noteLimit, writeLoss } from '../recorder-notes.js';
import { MAX_OBJECTS } from '../recording-objects.js';
import type { TextImport } from '../text-import.js';
import { RECORDER, type TextFormat, type TextKind } from '../text-kind.js';
import { beginRecording, endRecording, writeEvent, type TraceWriter } from '../trace-writer.js';
import { createUsualLines, rememberLine, tryOtherLength } from './usual-lines-memory.js';
import { readUsualLines } from './usual-lines.js';
import { createFieldPlaces, readFields } from './event-fields.js';
import {
  areBytes,
  baseName,
  createEventNames,
  findPlan,
  planNamed,
  type EventPlan,
} from './event-plans.js';
import { missingEvents } from './missing-events.js';
import {
  isReadWithLeader,
  recordedEvent,
  saidByLine,
  saidByRecord,
  type Said,
} from './other-lines.js';
import { leftOutByCommand } from './perf-command.js';
import {
  createThreadName,
  forgetFirstPart,
  isFirstPart,
  keepFirstPart,
  writeName,
} from './thread-name.js';
import { firstName, placeEnd, toldBefore, type FirstName } from './probe-places.js';
import { createTraceLine, readTraceLine, takeTime } from './trace-line.js';
import { createWholeLines } from './whole-lines.js';

/** Longest line that is read, its line feed included. */
const MAX_LINE_BYTES = 1 << 20;
/** Of a line that is no event nobody reads more. */
const MAX_TEXT_BYTES = 200;
/** And of a command line. */
const MAX_COMMAND_BYTES = 1 << 16;
/** Of a line of the header, behind the numbers that each CPU has for the event: what was to be recorded of it. */
const EVENT_TAIL_BYTES = 1000;
const KEPT_FLAWS = 8;

const LF = 0x0a;
const BLANK = 0x20;
const CR = 0x0d;
const COLON = 0x3a;
const PID = 2 * SLOT.pid;
const VQ = 2 * SLOT.vq;

/** Imports one such text into a trace, adding to a report that several inputs may share. */
export function createTraceEventImport(
  writer: TraceWriter,
  report: ImportReport,
  kind: TextKind,
): TextImport {
  const { format, joint } = kind;
  const line = createTraceLine();
  const event = createEventLine();
  const names = createEventNames();
  const places = createFieldPlaces();
  const usual = createUsualLines();
  const name = createThreadName();
  /** Number of the line at hand, from 1, and what to add to an index for its place in the input. */
  let number = 0;
  let toOffset = 0;
  /** The first line that may be the first part of a name. */
  let firstPart: LineProblem | undefined;
  /** How many of those are nothing else that is known. */
  let unknownParts = 0;
  const linesBefore = report.lines;
  /** What lines say was lost where they stand, and what others say was lost in all. */
  let lostHere = 0n;
  let lostInAll = 0n;
  let lost = 0n;
  const flaws = new Set<string>();
  const notes = new Set<string>();
  /** Kinds of event that came, and that the text says were recorded, come or not. */
  const seen = new Set<number>();
  const recorded = new Set<number>();
  /** Names of events that were sampled by the leader of their group. */
  const members = new Set<string>();
  /** By kind, the first name under which it came: another is another probe, which tells the same again. */
  const firstNames = new Map<number, FirstName>();
  /** The field that told the first device. */
  let deviceField: Uint8Array | undefined;
  let interruptedByUser = false;
  let namesThreadsOnly = false;

  beginRecording(writer, format);
  report.format = format;

  function takeLines(bytes: Uint8Array, start: number, end: number, offset: number): void {
    toOffset = offset - start;
    for (let at = start; at < end;) {
      const next = name.lines === 0 ? takeUsual(bytes, at, end) : at;
      if (next > at) {
        at = next;
        continue;
      }
      const lf = bytes.indexOf(LF, at);
      number++;
      takeLine(bytes, at, lf);
      at = lf + 1;
    }
  }

  /** Accesses and rounds, as long as they are of the usual shape. */
  function takeUsual(bytes: Uint8Array, start: number, end: number): number {
    const next = takeRun(bytes, start, end);
    return next > start || !tryOtherLength(usual) ? next : takeRun(bytes, start, end);
  }

  function takeRun(bytes: Uint8Array, start: number, end: number): number {
    const recording = writer.current;
    if (recording?.latest === undefined) return start;
    const { builders, batchRows } = writer;
    const { latest } = recording;
    const next = readUsualLines(usual, bytes, start, end, builders, latest, batchRows, number + 1);
    if (usual.lines === 0 || usual.builder === undefined) return start;
    number += usual.lines;
    report.events += usual.lines;
    recording.latest = usual.builder;
    flushFull(writer, recording, usual.builder);
    return next;
  }

  function takeLine(bytes: Uint8Array, start: number, lf: number): void {
    if (lf + 1 - start > MAX_LINE_BYTES) return rejectOverlong(start + toOffset);
    if (!readTraceLine(bytes, start, lf, joint, line)) return takeOther(bytes, start, lf);
    if (name.lines > 0 && !isFirstPart(name, start, line)) dropFirstPart();
    if (line.isEvent) {
      const plan = findPlan(names, bytes, line.nameStart, line.nameEnd);
      if (plan === undefined) other(`${nameOf(bytes)} is none of vhost's events`, start);
      else takeEvent(plan, bytes, start, lf);
    } else {
      report.understood++;
      take(saidByRecord(textOf(bytes, line.nameStart, lf)));
    }
    // What was kept is the first part of this line's name.
    report.understood += unknownParts;
    forget();
  }

  function takeEvent(plan: EventPlan, bytes: Uint8Array, start: number, lf: number): void {
    if (!readFields(plan, bytes, line.restStart, lf, event, places)) {
      // Without its group a name may be that of another event.
      if (places.isOther && !isFullName(bytes))
        other(`${nameOf(bytes)} has none of the fields of ${plan.name}`, start);
      else reject(places.problem, start);
      return;
    }
    if (members.size > 0 && members.has(nameOf(bytes)))
      return reject(`${nameOf(bytes)} stands for an event of the leader of its group`, start);
    const conflict = conflictOf(plan, bytes);
    if (conflict !== undefined) return reject(conflict, start);
    if (!takeTime(bytes, line, event)) return reject('the time is out of range', start);
    event.cpu = line.cpu;
    if (plan.namesThread) {
      event.words[PID] = line.pid;
      event.words[PID + 1] = 0;
      namesThreadsOnly ||= !line.namesProcess;
      writeName(name, bytes, start, line, event);
    }
    if (!writeEvent(writer, event, name.text, number))
      return reject(`more than ${MAX_OBJECTS} virtqueues or devices in one trace`, start);
    report.events++;
    seen.add(event.kind);
    if (event.kind === KIND.access || event.kind === KIND.round)
      rememberLine(usual, bytes, start, lf, line, event.kind, places, event.words[VQ]);
  }

  /** What of an event contradicts those before it. */
  function conflictOf(plan: EventPlan, bytes: Uint8Array): string | undefined {
    const first = firstNames.get(event.kind);
    const end = placeEnd(bytes, line.restStart);
    if (first === undefined || !areBytes(bytes, line.nameStart, end, first.bytes)) {
      const full = nameOf(bytes);
      const place = textOf(bytes, line.restStart, end).trim();
      if (first !== undefined) {
        const told = toldBefore(first, full, baseName(full, plan), place);
        if (told !== undefined) return told;
      } else
        firstNames.set(
          event.kind,
          firstName(bytes.slice(line.nameStart, end), full, baseName(full, plan), place),
        );
    }
    if (plan.device < 0) return undefined;
    const equals = places.starts[plan.device] - 1;
    const field = fieldStart(bytes, equals);
    deviceField ??= bytes.slice(field, equals);
    if (areBytes(bytes, field, equals, deviceField)) return undefined;
    const before = textOf(deviceField, 0, deviceField.length);
    return `the device is told by ${textOf(bytes, field, equals)}, and by ${before} before, which is another address: record one of them in all events`;
  }

  function takeOther(bytes: Uint8Array, start: number, lf: number): void {
    const end = lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
    const text = textOf(bytes, start, end);
    const recordedName = recordedEvent(text);
    if (recordedName !== undefined) {
      if (
        isReadWithLeader(
          textOf(bytes, Math.max(start, end - EVENT_TAIL_BYTES), end, EVENT_TAIL_BYTES),
        )
      )
        knowMember(recordedName);
      else for (const code of planNamed(recordedName)?.kinds ?? []) recorded.add(code);
    }
    if (text.startsWith('# cmdline')) {
      const leftOut = leftOutByCommand(textOf(bytes, start, end, MAX_COMMAND_BYTES));
      if (leftOut?.missing !== undefined) tell(leftOut.missing);
      if (leftOut?.unknown !== undefined) notes.add(leftOut.unknown);
    }
    const said = saidByLine(text);
    // A blank line ends a call chain, and may be a name's, too.
    if (said !== undefined && (said.what !== 'nothing' || name.lines === 0)) {
      dropFirstPart();
      report.understood++;
      return take(said);
    }
    // What is shorter may be the first part of a name, which can look like an event.
    const heldName = said === undefined && end - start > 16 ? heldEvent(text) : undefined;
    if (heldName !== undefined) {
      dropFirstPart();
      return reject(`${heldName} stands there, but not behind thread, CPU and time`, start);
    }
    if (!keepFirstPart(name, bytes, start, lf)) {
      dropFirstPart();
      if (said !== undefined) {
        report.understood++;
        return;
      }
      if (!keepFirstPart(name, bytes, start, lf)) return other(NO_EVENT, start);
    }
    firstPart ??= { line: number, offset: start + toOffset, reason: NO_EVENT };
    if (said === undefined) unknownParts++;
    else report.understood++;
  }

  /** An event of which none was recorded, whatever lines name it. */
  function knowMember(of: string): void {
    members.add(of);
    if (flaws.size < KEPT_FLAWS)
      tell(
        `perf record sampled ${of} by the leader of its group ({…}:S): its own events are missing, and lines that name it are of the leader's`,
      );
  }

  /** What was kept is no name's first part. */
  function dropFirstPart(): void {
    if (name.lines === 0) return forget();
    report.other += unknownParts;
    if (firstPart !== undefined) keepProblem(report.otherFirst, firstPart);
    forget();
  }

  function forget(): void {
    forgetFirstPart(name);
    firstPart = undefined;
    unknownParts = 0;
  }

  function take(said: Said): void {
    switch (said.what) {
      case 'nothing':
        return;
      case 'flaw':
        if (flaws.size < KEPT_FLAWS) tell(said.text);
        return;
      case 'lost':
        lostHere += said.events;
        return lose();
      case 'lost in all':
        lostInAll += said.events;
        return lose();
    }
  }

  function tell(flaw: string): void {
    if (!flaws.has(flaw)) report.flaws.push(flaw);
    flaws.add(flaw);
  }

  /** Both tell of the same losses: the greater of them is what is known to be lost. */
  function lose(): void {
    const known = lostHere > lostInAll ? lostHere : lostInAll;
    if (known <= lost) return;
    report.lostEvents += known - lost;
    writeLoss(writer, known - lost, RECORDER[format], number);
    lost = known;
  }

  function reject(reason: string, start: number): void {
    rejectAt(reason, start + toOffset);
  }

  function rejectAt(reason: string, offset: number): void {
    report.rejected++;
    keepProblem(report.rejectedFirst, { line: number, offset, reason });
    writeLoss(writer, 1n, 'unreadable input', number);
  }

  function rejectOverlong(offset: number): void {
    dropFirstPart();
    rejectAt(`the line is longer than ${MAX_LINE_BYTES} bytes`, offset);
  }

  function other(reason: string, start: number): void {
    report.other++;
    keepProblem(report.otherFirst, { line: number, offset: start + toOffset, reason });
  }

  function nameOf(bytes: Uint8Array): string {
    return textOf(bytes, line.nameStart, line.nameEnd);
  }

  function isFullName(bytes: Uint8Array): boolean {
    return bytes.subarray(line.nameStart, line.nameEnd).includes(COLON);
  }

  const lines = createWholeLines(MAX_LINE_BYTES, {
    onLines: takeLines,
    onOverlong: (offset) => {
      number++;
      rejectOverlong(offset);
    },
    onCut: (offset) => {
      number++;
      if (!interruptedByUser) rejectAt('the input ends within this line', offset);
    },
  });
  return {
    push: (bytes) => {
      noteBytes(report, bytes);
      lines.push(bytes);
    },
    flaw: (what) => void flaws.add(what),
    end: (interrupted = false) => {
      interruptedByUser = interrupted;
      lines.end();
      dropFirstPart();
      for (const missing of missingEvents(seen, recorded)) tell(missing);
      for (const flaw of flaws) noteFlaw(writer, flaw);
      report.lines = linesBefore + number;
      for (const note of [...notes, ...notesOn(kind, namesThreadsOnly)]) {
        report.notes.push(note);
        noteLimit(writer, note);
      }
      endRecording(writer);
    },
  };
}

/** Where the name of a field begins that ends at its `=`. */
function fieldStart(bytes: Uint8Array, equals: number): number {
  let start = equals;
  while (bytes[start - 1] !== BLANK) start--;
  return start;
}

/** Beginning of a piece of a line, for people: all that a terminal might act on is taken out. */
function textOf(bytes: Uint8Array, start: number, end: number, most = MAX_TEXT_BYTES): string {
  const piece = bytes.subarray(start, Math.min(end, start + most));
  return new TextDecoder('latin1').decode(piece).replaceAll(/[^\t\x20-\x7e]/g, '?');
}

/** In full, or as ftrace prints it before the place of a probe. */
const HELD_NAMES = / (\w+:\w+): | (\w+): +\(/g;

/** An event of ours that a line holds somewhere. */
function heldEvent(text: string): string | undefined {
  for (const [, full, short] of text.matchAll(HELD_NAMES)) {
    const name = full ?? short ?? '';
    if (planNamed(name) !== undefined) return name;
  }
  return undefined;
}

/** What a text of this kind does not tell. */
function notesOn({ format, timeStep }: TextKind, namesThreadsOnly: boolean): string[] {
  const notes: string[] = [];
  if (timeStep > 1)
    notes.push(
      `times are whole microseconds${format in WITH_NANOSECONDS ? `: ${WITH_NANOSECONDS[format]} tells nanoseconds` : ', as ftrace prints them'}`,
    );
  if (namesThreadsOnly)
    notes.push(
      `ranges are told with the thread that made them, not with its process${format in WITH_PROCESSES ? `: ${WITH_PROCESSES[format]} tells both` : ''}`,
    );
  return notes;
}

const WITH_NANOSECONDS: Partial<Record<TextFormat, string>> = {
  'perf script': 'perf script --ns',
  'trace-cmd report': 'trace-cmd report -t',
};

const WITH_PROCESSES: Partial<Record<TextFormat, string>> = {
  'perf script': 'perf script -F comm,pid,tid,cpu,time,event,trace',
  ftrace: 'the trace option record-tgid',
};
