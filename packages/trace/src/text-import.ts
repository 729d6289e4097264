/** Imports a text of whatever kind, which its first lines tell. */
import type { ImportReport } from './import-report.js';
import { createTextImporter } from './import-text.js';
import { HEAD_BYTES, textKindOf, type TextKind } from './text-kind.js';
import { createTraceEventImport } from './trace-events/import-trace-events.js';
import type { TraceWriter } from './trace-writer.js';

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
  /** The first bytes, while they do not tell. */
  let head = new Uint8Array(0);
  let begun: TextImport | undefined;

  function beginAs(kind: TextKind): TextImport {
    const writer = begin(kind);
    begun =
      kind.format === 'bpftrace'
        ? createTextImporter(writer, report)
        : createTraceEventImport(writer, report, kind);
    begun.push(head);
    head = new Uint8Array(0);
    return begun;
  }

  /** At the end whatever there is must do. */
  const atTheEnd = (): TextImport => begun ?? beginAs(textKindOf(head, true));

  return {
    push: (bytes) => {
      if (begun !== undefined) return begun.push(bytes);
      const joined = new Uint8Array(head.length + bytes.length);
      joined.set(head);
      joined.set(bytes, head.length);
      head = joined;
      const kind = textKindOf(head.subarray(0, HEAD_BYTES), head.length >= HEAD_BYTES);
      if (kind !== undefined) beginAs(kind);
    },
    flaw: (what) => atTheEnd().flaw(what),
    end: (interrupted) => atTheEnd().end(interrupted),
  };
}
