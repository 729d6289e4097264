/** Imports a text of whatever kind, which its first lines tell. */
import { createGrowingBytes } from './growing-bytes.js';
import type { ImportReport } from './import-report.js';
import { createTextImporter } from './import-text.js';
import type { RecordingCounts } from './recording-counts.js';
import { createTextKindFinder, type TextKind } from './text-kind.js';
import { createTraceEventImport } from './trace-events/import-trace-events.js';
import type { TraceWriter } from './trace-writer.js';
import { lacksNotifier, UNTOLD_NOTIFIER } from './untold-notifier.js';

/** An import under way. */
export interface TextImport {
  push(bytes: Uint8Array): void;
  /**
   * Says that the input was damaged, or not read to its end; to be called before `end`. The trace is
   * not complete then, and tells why.
   */
  flaw(what: string): void;
  /**
   * The input has ended, and its recording with it; the trace stays open for another input.
   *
   * @param interrupted the user has stopped the reading: a line that was cut by that is no loss
   */
  end(interrupted?: boolean): void;
}

/**
 * Begins to import one input, adding to a report that several inputs may share.
 *
 * @param begin called once, when it is known what the text is, with the first bytes or at the end: gives the
 *   trace into which it goes
 */
export function createTextImport(
  report: ImportReport,
  begin: (kind: TextKind) => TraceWriter,
): TextImport {
  /** The first bytes, while they do not tell, and how many there are. */
  const head = createGrowingBytes();
  const finder = createTextKindFinder();
  let begun: TextImport | undefined;
  let into: TraceWriter | undefined;

  /** The trace does not say it: who replays it looks for itself, and others that it is merged with may tell it. */
  function noteUntold({ events }: RecordingCounts): void {
    if (lacksNotifier(events) && !report.notes.includes(UNTOLD_NOTIFIER))
      report.notes.push(UNTOLD_NOTIFIER);
  }

  function beginAs(kind: TextKind): TextImport {
    const writer = begin(kind);
    writer.onEnd = noteUntold;
    into = writer;
    begun =
      kind.format === 'bpftrace'
        ? createTextImporter(writer, report)
        : createTraceEventImport(writer, report, kind);
    begun.push(head.all);
    head.clear();
    return begun;
  }

  function beginIf(isAll: boolean): TextImport | undefined {
    const kind = finder.find(head.all, isAll);
    return kind === undefined ? undefined : beginAs(kind);
  }

  /** At the end whatever there is must do. */
  const atTheEnd = (): TextImport | undefined => begun ?? beginIf(true);

  return {
    push: (bytes) => {
      if (begun !== undefined) return begun.push(bytes);
      head.append(bytes);
      beginIf(false);
    },
    flaw: (what) => atTheEnd()?.flaw(what),
    end: (interrupted) => {
      atTheEnd()?.end(interrupted);
      // What ends from now on is of another input.
      if (into !== undefined) into.onEnd = undefined;
    },
  };
}
