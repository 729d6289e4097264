/** Which program printed a text that holds events, by its first lines. */
import { createEventLine, HEADERS, readEventLine } from '@vhostscope/model';
import { createTraceLine, readTraceLine, type Joint } from './trace-events/trace-line.js';

export type TextFormat = 'bpftrace' | 'perf script' | 'ftrace' | 'trace-cmd report';

/** Who loses events, by what printed them. */
export const RECORDER: Readonly<Record<TextFormat, string>> = {
  bpftrace: 'bpftrace',
  'perf script': 'perf',
  ftrace: 'the kernel',
  'trace-cmd report': 'the kernel',
};

export interface TextKind {
  readonly format: TextFormat;
  /** Clock of its times: perf and the kernel have others unless they are told. */
  readonly clock: 'CLOCK_BOOTTIME' | 'unknown';
  /** Of the trace events' lines: how thread and number are joined. */
  readonly joint: Joint;
  /** ns that a step of its times is. */
  readonly timeStep: 1 | 1000;
  /** All of the text was seen, and there is no event in it: what is told of it here is what was left to be taken. */
  readonly saysNothing?: true;
}

const BPFTRACE: TextKind = {
  format: 'bpftrace',
  clock: 'CLOCK_BOOTTIME',
  joint: 'blank',
  timeStep: 1,
};

/** A text in whose first bytes behind a header of comments nothing tells what it is is taken for bpftrace's. */
const HEAD_BYTES = 1 << 16;
/** As much is read of a header: perf's names each event with an id for each CPU. */
const MAX_HEADER_BYTES = 1 << 25;

const LF = 0x0a;
const HASH = 0x23;

/** What bpftrace and the dialect begin with, and nothing else: there is no need to wait for more. */
const BPFTRACE_BEGINS = /^(?:Attach(?:ing|ed) \d+ probes?|\{"type": )/;
/** On whatever line: warnings may stand before it. */
const BPFTRACE_JSON = /^\{"type": "\w+", "data": /;
const FTRACE_BEGINS = /^# tracer: /;
const TRACE_CMD_BEGINS = /^(?:version = \d|cpus=\d+$|trace-cmd )/;
/**
 * In the header of perf script: the number of the clock that `perf record -k` was told. With a name before
 * it, which makes it longer than a thread's name can be.
 */
const PERF_CLOCK = /^# clockid: \w+ \((\d+)\)$/;
const CLOCK_BOOTTIME = '7';

/** Finds out what a text is, from its first bytes as they come. */
export interface TextKindFinder {
  /**
   * @param head all bytes that have come
   * @param isAll whether there are no more, or no more are to be waited for
   * @returns undefined while what there is does not tell
   */
  find(head: Uint8Array, isAll: boolean): TextKind | undefined;
}

/**
 * A line of a trace event decides, wherever it stands: a line of the dialect can be made by a thread's name in which
 * there is a line feed, a line of a trace event cannot, it is too long. Each line is looked at once.
 */
export function createTextKindFinder(): TextKindFinder {
  const line = createTraceLine();
  const event = createEventLine();
  let start = 0;
  /** From here on a line feed is looked for: there is none from `start` to it. */
  let searched = 0;
  let number = 0;
  let holdsDialect = false;
  let isTraceCmd = false;
  let isKernels = false;
  /** Where the first line begins that is no comment; undefined while there is none. */
  let headerEnd: number | undefined;
  let clock: TextKind['clock'] = 'unknown';

  function takeLine(head: Uint8Array, lf: number): TextKind | undefined {
    for (const joint of ['blank', 'dash'] as const) {
      if (isKernels && joint === 'blank') continue;
      if (!readTraceLine(head, start, lf, joint, line)) continue;
      const timeStep = line.timeEnd - line.secondsEnd === 7 ? 1000 : 1;
      if (joint === 'blank') return { format: 'perf script', clock, joint, timeStep };
      const format = isTraceCmd ? 'trace-cmd report' : 'ftrace';
      return { format, clock: 'unknown', joint, timeStep };
    }
    const text = new TextDecoder('latin1').decode(head.subarray(start, Math.min(lf, start + 200)));
    if (number === 0 && (BPFTRACE_BEGINS.test(text) || HEADERS.includes(text))) return BPFTRACE;
    // Longer than a thread's name can be.
    if (BPFTRACE_JSON.test(text)) return BPFTRACE;
    if (TRACE_CMD_BEGINS.test(text)) isTraceCmd = true;
    if (isTraceCmd || FTRACE_BEGINS.test(text)) isKernels = true;
    if (PERF_CLOCK.exec(text)?.[1] === CLOCK_BOOTTIME) clock = 'CLOCK_BOOTTIME';
    if (readEventLine(head, start, lf + 1, event) >= 0) holdsDialect = true;
    return undefined;
  }

  return {
    find: (head, isAll) => {
      for (;;) {
        if (start < head.length && !isComment(head[start])) headerEnd ??= start;
        const lf = head.indexOf(LF, searched);
        if (lf < 0) break;
        const kind = takeLine(head, lf);
        if (kind !== undefined) return kind;
        start = lf + 1;
        searched = start;
        number++;
      }
      searched = head.length;
      const isEnough =
        headerEnd === undefined
          ? head.length >= MAX_HEADER_BYTES
          : head.length - headerEnd >= HEAD_BYTES;
      if (holdsDialect) return BPFTRACE;
      if (isAll) return { ...BPFTRACE, saysNothing: true };
      return isEnough ? BPFTRACE : undefined;
    },
  };
}

/** Whether a line is a comment, or empty, by its first byte. */
function isComment(first: number): boolean {
  return first === HASH || first === LF;
}
