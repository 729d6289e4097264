/** What an import of text read, and what it could not. */
import type { TextFormat } from './text-kind.js';

/** A line that is not what it should be, with where and why. */
export interface LineProblem {
  readonly line: number;
  /** Offset of the line's first byte in the decompressed input. */
  readonly offset: number;
  readonly reason: string;
}

/** What an import read, and what it could not. */
export interface ImportReport {
  /** Which program printed the text. */
  format: TextFormat;
  /** The first bytes, which tell what an input is that holds no events. */
  head: Uint8Array;
  bytes: number;
  lines: number;
  /** Lines that became events. */
  events: number;
  /** Lines that begin like an event and are not one, or were too long, or not whole. */
  rejected: number;
  /** Lines that are no events: other output of the program, or of who recorded. */
  other: number;
  /**
   * Of text of perf, ftrace and trace-cmd: lines that are no events and are understood, or are parts of threads' names.
   * With events, rejected and others they are all lines.
   */
  understood: number;
  /** The first of the rejected, and of the others. */
  readonly rejectedFirst: LineProblem[];
  readonly otherFirst: LineProblem[];
  /** Events that who recorded says were lost. */
  lostEvents: bigint;
  /** What makes the trace incomplete, beside what was lost and rejected: the trace says it, too. */
  readonly flaws: string[];
  /** What the text does not tell, so that the trace does not either. */
  readonly notes: string[];
}

export function createImportReport(): ImportReport {
  return {
    format: 'bpftrace',
    head: new Uint8Array(0),
    bytes: 0,
    lines: 0,
    events: 0,
    rejected: 0,
    other: 0,
    understood: 0,
    rejectedFirst: [],
    otherFirst: [],
    lostEvents: 0n,
    flaws: [],
    notes: [],
  };
}

/** Enough of a text to tell what it is: the first lines of perf's JSON. */
const HEAD_BYTES = 512;

/** Takes bytes of the input into account. */
export function noteBytes(report: ImportReport, bytes: Uint8Array): void {
  report.bytes += bytes.length;
  if (report.head.length < HEAD_BYTES)
    report.head = Buffer.concat([report.head, bytes.subarray(0, HEAD_BYTES)]).subarray(
      0,
      HEAD_BYTES,
    );
}

/** The reason where there is nothing to say of a line. */
export const NO_EVENT = 'not an event';

const KEPT_PROBLEMS = 3;

/** Keeps a problem, if it is one of the first. */
export function keepProblem(list: LineProblem[], problem: LineProblem): void {
  if (list.length < KEPT_PROBLEMS) list.push(problem);
}
