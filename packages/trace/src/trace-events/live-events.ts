/**
 * Lines of perf script as they come from a recording under way, for whoever knows what the events are: as
 * `import-trace-events.ts` reads them, with the same rules for names of threads that look like something else.
 */
import { createEventLine, timeOfLine } from '@vhostscope/model';
import { saidByRecord } from './other-lines.js';
import {
  createThreadName,
  forgetFirstPart,
  isFirstPart,
  keepFirstPart,
  writeName,
} from './thread-name.js';
import { createTraceLine, readTraceLine, takeTime } from './trace-line.js';
import { createWholeLines } from './whole-lines.js';

/** An event of any name. */
export interface LiveTraceEvent {
  readonly name: string;
  /** ns. */
  readonly time: bigint;
  readonly cpu: number;
  readonly process: number;
  readonly thread: number;
  /** Printable: other bytes as `\xNN`. */
  readonly comm: string;
  /** What stands behind the name. */
  readonly fields: string;
}

export interface LiveEventHandlers {
  /** Returns whether a call chain may follow: a thread's name may begin as a frame does. */
  onEvent(event: LiveTraceEvent): boolean;
  /** A line behind that of an event, up to the first that is empty: of its call chain. */
  onFrame(text: string): void;
  /** The line that ends a call chain. */
  onChainEnd(): void;
  /** Events are missing here; undefined where nobody says how many. */
  onLost(howMany: bigint | undefined): void;
  /** A line that is none of these, and no part of a thread's name. */
  onOther(text: string): void;
}

export interface LiveEvents {
  push(bytes: Uint8Array): void;
  end(): void;
}

const MAX_LINE_BYTES = 1 << 16;
const MAX_TEXT_BYTES = 300;
const LF = 0x0a;
const TAB = 0x09;

export function createLiveEvents(handlers: LiveEventHandlers): LiveEvents {
  const line = createTraceLine();
  const event = createEventLine();
  const name = createThreadName();
  /** Behind an event that has a call chain, whose frames may follow. */
  let isChain = false;

  function takeLine(bytes: Uint8Array, start: number, lf: number): void {
    // Before all: a frame can look like an event, and a chain ends with an empty line before the next event.
    if (isChain && name.lines === 0 && bytes[start] === TAB) {
      handlers.onFrame(textOf(bytes, start, lf));
      return;
    }
    if (readTraceLine(bytes, start, lf, 'blank', line)) takeKnown(bytes, start, lf);
    else takeOther(bytes, start, lf);
  }

  function takeKnown(bytes: Uint8Array, start: number, lf: number): void {
    if (name.lines > 0 && !isFirstPart(name, start, line)) dropFirstPart();
    isChain = false;
    if (!line.isEvent) {
      const said = saidByRecord(textOf(bytes, line.nameStart, lf));
      if (said.what === 'lost') handlers.onLost(said.events);
      else if (said.what === 'flaw') handlers.onLost(undefined);
    } else if (takeTime(bytes, line, event)) {
      writeName(name, bytes, start, line, event);
      isChain = handlers.onEvent({
        name: textOf(bytes, line.nameStart, line.nameEnd),
        time: timeOfLine(event),
        cpu: line.cpu,
        process: line.pid,
        thread: line.thread,
        comm: textOf(name.text, event.restStart, event.restEnd),
        fields: bytesToText(bytes, line.restStart, lf),
      });
    } else {
      handlers.onOther(textOf(bytes, start, lf));
    }
    forgetFirstPart(name);
  }

  function takeOther(bytes: Uint8Array, start: number, lf: number): void {
    if (lf === start && isChain && name.lines === 0) {
      isChain = false;
      handlers.onChainEnd();
      return;
    }
    isChain = false;
    if (keepFirstPart(name, bytes, start, lf)) return;
    dropFirstPart();
    if (!keepFirstPart(name, bytes, start, lf)) handlers.onOther(textOf(bytes, start, lf));
  }

  /** What was kept is no name's first part. Blank lines say nothing. */
  function dropFirstPart(): void {
    const text = textOf(name.before, 0, name.beforeLength);
    if (/[^\s?]/.test(text)) handlers.onOther(text);
    forgetFirstPart(name);
  }

  const lines = createWholeLines(MAX_LINE_BYTES, {
    onLines: (bytes, start, end) => {
      for (let at = start; at < end;) {
        const lf = bytes.indexOf(LF, at);
        takeLine(bytes, at, lf);
        at = lf + 1;
      }
    },
    onOverlong: () => handlers.onOther('a line that is too long'),
    // Whoever records says how it ended.
    onCut: () => undefined,
  });
  return {
    push: (bytes) => lines.push(bytes),
    end: () => lines.end(),
  };
}

/** For people, and for patterns: what a terminal might act on is taken out. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  return bytesToText(bytes, start, Math.min(end, start + MAX_TEXT_BYTES)).replaceAll(
    /[^\t\x20-\x7e]/g,
    '?',
  );
}

function bytesToText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
