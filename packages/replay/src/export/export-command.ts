/** `replay export`: the events of a trace, with what a design makes of them, for other tools. */
import { statSync } from 'node:fs';
import {
  byteSize,
  counted,
  createProgressBar,
  EXIT,
  jsonDocument,
  ProgramError,
  say,
  STOP_SIGNALS,
  writeOut,
} from '@vhostscope/terminal';
import { KIND } from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import type { Completeness } from '../completeness.js';
import { withOpenTrace } from '../opened-trace.js';
import { chosenDesign } from '../chosen-designs.js';
import type { ReplayOptions } from '../replay-plan.js';
import { replayTrace, type Replayed } from '../replay-trace.js';
import { headOf, type ResultHead } from '../result-head.js';
import { visitDecided } from './decided-events.js';
import { AS_RECORDED, type EventView } from './event-view.js';
import type { Exporter } from './exporter.js';
import { Interrupted, openExportOutput, ReaderGone, type ExportOutput } from './export-output.js';
import { FORMATS, formatOfName, isBinary, type Format } from './export-formats.js';
import { exportResult, type ExportResult } from './export-result.js';

export interface ExportOptions {
  readonly format?: Format;
  /** Name of a file, or `-`. */
  readonly output: string;
  /** Leave out what identifies the host and its processes. */
  readonly anonymise?: boolean;
}

export async function exportCommand(
  path: string,
  options: ReplayOptions & ExportOptions & { readonly json?: boolean },
): Promise<number> {
  const design = chosenDesign(options);
  const { output } = options;
  const format = options.format ?? formatOfName(output);
  if (format === undefined) {
    throw new ProgramError('which format? the name of the output does not tell', {
      advice: `--format takes ${FORMATS.join(', ')}`,
    });
  }
  const asJson = options.json === true;
  checkOutput(path, output, format, asJson);
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    const replayed = replayTrace(trace, design, options);
    const anonymise = options.anonymise === true;
    const { head, view } = anonymise
      ? await anonymised(trace, replayed, completeness)
      : { head: headOf(trace, replayed, completeness), view: AS_RECORDED };
    let written: Written;
    try {
      written = await writeExport(trace, replayed, view, head, format, output);
    } catch (error) {
      if (error instanceof ReaderGone) return EXIT.done;
      if (!(error instanceof Interrupted)) throw error;
      const left = output === '-' ? 'what was written so far is not all' : 'nothing was written';
      say('replay', `interrupted, ${left}`);
      return EXIT.interrupted;
    }
    const result = exportResult(trace, replayed, completeness, {
      format,
      output,
      anonymised: anonymise,
      ...written,
    });
    if (asJson) await writeOut(jsonDocument(result));
    else say('replay', summary(result));
    return EXIT.done;
  });
}

interface Told {
  readonly head: ResultHead;
  readonly view: EventView;
}

/** Loaded when asked for. */
async function anonymised(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
): Promise<Told> {
  const { anonymisedEvents } = await import('./anonymise/anonymous-events.js');
  const { anonymousHead } = await import('./anonymise/anonymous-head.js');
  return {
    head: anonymousHead(trace, replayed, completeness),
    view: anonymisedEvents(trace),
  };
}

type Written = Pick<ExportResult, 'events' | 'marks' | 'bytes'>;

async function writeExport(
  trace: OpenTrace,
  replayed: Replayed,
  view: EventView,
  head: ResultHead,
  format: Format,
  path: string,
): Promise<Written> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  // A second one ends the process at once, whatever the output is waiting for.
  for (const name of STOP_SIGNALS) process.once(name, stop);
  const bar = createProgressBar('exporting');
  const all = eventsOf(trace);
  let output: ExportOutput | undefined;
  let rows = 0;
  let marks = 0;
  try {
    const to = openExportOutput(path, abort.signal);
    output = to;
    const exporter = await EXPORTERS[format](to, head, trace, view);
    const { visit } = exporter;
    await visitDecided(
      trace,
      replayed,
      view,
      (batch, i, decided, engine) => {
        rows++;
        if (isMark(batch.kind[i])) marks++;
        visit(batch, i, decided, engine);
      },
      () => {
        const paused = to.pause();
        const { goodBytes } = trace.index;
        if (paused !== undefined) bar.update((goodBytes * rows) / all, goodBytes);
        return paused;
      },
    );
    await exporter.finish();
    await to.finish();
    return { events: rows - marks, marks, bytes: to.bytes };
  } finally {
    bar.clear();
    output?.discard();
    for (const name of STOP_SIGNALS) process.removeListener(name, stop);
  }
}

/** What the writer of the trace put beside the events: where recordings begin and end, and their virtqueues. */
function isMark(kind: number | undefined): boolean {
  return kind === KIND.recording || kind === KIND.virtqueue || kind === KIND.recording_end;
}

/** How many there will be, with the marks. */
function eventsOf({ index }: OpenTrace): number {
  let rows = 0;
  for (const { begin, tables, events, end } of index.recordings)
    for (const place of [
      begin,
      ...tables,
      ...[...events.values()].flatMap((places) => [...places]),
      end,
    ])
      rows += place?.rows ?? 0;
  return rows;
}

type ExporterOf = (
  output: ExportOutput,
  head: ResultHead,
  trace: OpenTrace,
  view: EventView,
) => Promise<Exporter>;

/** Loaded when asked for. */
const EXPORTERS: Readonly<Record<Format, ExporterOf>> = {
  ndjson: async (output, head) => (await import('./ndjson.js')).ndjsonExporter(output, head),
  perfetto: async (output, head, trace, view) =>
    (await import('./perfetto/perfetto-exporter.js')).perfettoExporter(output, head, trace, view),
  parquet: async (output, head) =>
    (await import('./parquet/parquet-exporter.js')).parquetExporter(output, head),
};

/** Everything that can be known to fail is found before the trace is read. */
function checkOutput(input: string, output: string, format: Format, asJson: boolean): void {
  if (output === '-' && asJson) {
    throw new ProgramError('the export and --json both go to standard output', {
      advice: 'name a file with -o',
    });
  }
  if (output === '-' && isBinary(format) && process.stdout.isTTY) {
    throw new ProgramError(`${format} is nothing that a terminal can show`, {
      advice: 'name a file with -o, or send it through a pipe',
    });
  }
  if (input !== '-' && output !== '-' && isSameFile(input, output)) {
    throw new ProgramError(`${output} is the trace that is exported`, {
      advice: 'name another output with -o',
    });
  }
}

function isSameFile(input: string, output: string): boolean {
  try {
    const from = statSync(input);
    const to = statSync(output);
    return from.isFile() && from.ino === to.ino && from.dev === to.dev;
  } catch {
    // One of them is not there, or cannot be reached: whoever opens it says so.
    return false;
  }
}

function summary({
  output,
  anonymised: isAnonymised,
  events,
  marks,
  bytes,
  design,
  order,
  order_reason: reason,
}: ExportResult): string {
  return (
    `${output === '-' ? 'standard output' : output}: ${counted(events, 'event')} and ${counted(marks, 'mark')} of recordings and virtqueues, ${byteSize(bytes)}; ` +
    `decisions of ${design} in ${order} order (${reason})` +
    (isAnonymised
      ? '; anonymised: what goes on when, on how many CPUs, rings and kernel functions are still in it (see docs/security.md)'
      : '')
  );
}
