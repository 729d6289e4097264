/** A stream of a trace, or of a text that holds events, that is kept as it comes and is a trace that grows. */
import {
  batchEnd,
  closeTrace,
  createImportReport,
  createTextImport,
  createTraceWriter,
  flushTrace,
  headerOfText,
  isArrowStream,
  nothingFound,
  OutputError,
  readFully,
  STREAM_MARK_BYTES,
  type BatchPlace,
  type ImportReport,
  type InputEnd,
  type TextImport,
  type TraceOutput,
  type TraceWriter,
} from '@vhostscope/trace';
import { createGrowingTrace, type GrowingTrace } from './growing-trace.js';
import { openSpool, type Spool, type Stretch } from './spool.js';
import type { Kept } from './source.js';

export interface SpooledStream {
  readonly growing: GrowingTrace;
  readonly kept: Kept;
  /** See Source. */
  readonly keptBytes: number | undefined;
  /** Bytes behind what is kept, that nobody has replayed. */
  readonly passing: number;
  /** See Source: whoever fills it is to wait. */
  readonly isBehind: boolean;
  /** How text was read; undefined for a trace, and while it is not known which it is. */
  readonly report: ImportReport | undefined;
  /** Nothing more comes. */
  readonly isOver: boolean;
  /** What came was neither a trace nor text with events. */
  readonly trouble: string | undefined;
  /** The bytes are the caller's again when it returns. @throws OutputError */
  push(bytes: Uint8Array): void;
  end(end: InputEnd): void;
  /** Looks for what has come. */
  refresh(now: number): void;
  release(upTo: number): void;
  /** What comes from now on is not kept. */
  stop(): void;
  close(): void;
}

/** ms between two batches of a text that comes slowly. */
const FLUSH_EVERY = 100;

/** Bytes that may wait to be replayed, where nothing is kept any more. */
export const MOST_PASSING = 256 * 2 ** 20;
export const WAITS_FOR_SCREEN =
  'more comes than can be shown in time, and nothing of it is kept (--keep): no more is read until half of what waits was shown';

/** @throws OutputError where nothing can be kept */
export function createSpooledStream(
  name: string,
  most: number,
  mostPassing = MOST_PASSING,
): SpooledStream {
  const spool = openSpool(most);
  const growing = createGrowingTrace(name, spool);
  const report = createImportReport();
  let head: Uint8Array | undefined = new Uint8Array(0);
  let text: TextImport | undefined;
  let writer: TraceWriter | undefined;
  let isText = false;
  let isOver = false;
  let isFull = false;
  let isStopped = false;
  let isBehind = false;
  /** Up to there what only passes was let go. */
  let released = 0;
  let trouble: string | undefined;
  let flushedAt = -Infinity;

  function begin(bytes: Uint8Array): void {
    head = undefined;
    if (!isArrowStream(bytes)) {
      isText = true;
      const said = { sources: [name], writer: 'vhostscope tui', keepsPointers: false };
      const output = outputTo((piece) => spool.append(piece));
      text = createTextImport(
        report,
        (kind) => (writer = createTraceWriter(output, headerOfText(kind, said))),
      );
    }
    take(bytes);
  }

  function take(bytes: Uint8Array): void {
    if (text === undefined) spool.append(bytes);
    else text.push(bytes);
  }

  function look(): void {
    isBehind = !isStopped && spool.passing > (isBehind ? mostPassing / 2 : mostPassing);
  }

  function finish(end: InputEnd): void {
    if (head !== undefined) begin(head);
    if (text === undefined) return;
    if (end.damage !== undefined) text.flaw(end.damage);
    text.end(end.interrupted);
    if (writer !== undefined) closeTrace(writer);
    if (report.events === 0) trouble = nothingFound(name, report, end).message;
  }

  return {
    growing,
    get kept() {
      return { bytes: spool.kept, most };
    },
    get keptBytes() {
      return spool.size > spool.kept ? spool.kept : undefined;
    },
    get passing() {
      return spool.passing;
    },
    get isBehind() {
      return isBehind;
    },
    get report() {
      return isText ? report : undefined;
    },
    get isOver() {
      return isOver;
    },
    get trouble() {
      return trouble;
    },
    push: (bytes) => {
      // Nothing tells where a batch begins behind the damage.
      if (isStopped || growing.damage !== undefined) return;
      try {
        if (head === undefined) take(bytes);
        else {
          const joined = Buffer.concat([head, bytes]);
          if (joined.length >= STREAM_MARK_BYTES) begin(joined);
          else head = joined;
        }
        look();
      } catch (error) {
        isFull = true;
        throw error;
      }
    },
    end: (end) => {
      if (isOver) return;
      isOver = true;
      try {
        // Where there was no room for what came there is none for its end.
        if (!isFull) finish(end);
      } catch (error) {
        if (!(error instanceof OutputError)) throw error;
        trouble = error.message;
      }
      text = undefined;
      writer = undefined;
      growing.extend(spool.size);
      growing.end();
    },
    refresh: (now) => {
      if (writer !== undefined && !isFull && now - flushedAt >= FLUSH_EVERY) {
        flushTrace(writer);
        flushedAt = now;
      }
      growing.extend(spool.size);
    },
    release: (upTo) => {
      const index = growing.trace?.index;
      const from = Math.max(released, spool.kept);
      const to = Math.min(upTo, index?.goodBytes ?? 0);
      if (index === undefined || to <= from) return;
      // What a recording says of itself is asked for again by who plays from the start.
      const held = index.recordings
        .flatMap((recording) => [recording.begin, ...recording.tables, recording.end])
        .flatMap((place) =>
          place !== undefined && batchEnd(place) > from && batchEnd(place) <= to
            ? [stretchOf(spool, place)]
            : [],
        );
      growing.forget(spool.kept, to);
      spool.release(to, held);
      released = to;
      look();
    },
    stop: () => {
      isStopped = true;
      look();
    },
    close: () => spool.close(),
  };
}

function stretchOf(spool: Spool, place: BatchPlace): Stretch {
  const bytes = new Uint8Array(batchEnd(place) - place.offset);
  readFully(spool, bytes, place.offset);
  return { offset: place.offset, bytes };
}

function outputTo(append: (bytes: Uint8Array) => void): TraceOutput {
  return {
    append: (parts, _bytes, fate) => {
      for (const part of parts) append(part);
      fate?.onWritten?.();
    },
    keepPace: () => undefined,
    settle: async () => Promise.resolve(),
    abandon: async () => Promise.resolve(),
    cutBack: () => {},
  };
}
