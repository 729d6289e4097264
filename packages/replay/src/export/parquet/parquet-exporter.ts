/** The events of a trace as a table: a row each, a column for each field of the table of events. */
import {
  ACCESSORS,
  AMBIGUOUS,
  AREA_OF_ACCESSOR,
  decisionOf,
  DOUBT_MEANING,
  EVENT_NAMES,
  KIND,
  OUTCOME_NAMES,
  type Decision,
  type Engine,
  type EventBatch,
} from '@vhostscope/model';
import type { ResultHead } from '../../result-head.js';
import { NOT_DECIDED, type Decided } from '../decided-events.js';
import { EVENT_FIELDS, FIELDS_OF_KIND, OBSERVED_WORDS, type EventField } from '../event-fields.js';
import type { Exporter } from '../exporter.js';
import type { ExportOutput } from '../export-output.js';
import { putText, putWord, putWords, type ColumnChunk } from './column-chunk.js';
import { createParquetFile, type ColumnDefinition } from './parquet-file.js';

const required = (name: string, type: ColumnDefinition['type']): ColumnDefinition => ({
  name,
  type,
  isOptional: false,
});
const optional = (name: string, type: ColumnDefinition['type']): ColumnDefinition => ({
  name,
  type,
  isOptional: true,
});

/** What every event has. */
const COMMON = [
  required('recording', 'u32'),
  required('time', 'i64'),
  required('cpu', 'u16'),
  required('line', 'u32'),
  required('kind', 'utf8'),
] as const;

/**
 * What the design makes of the accesses that the event stands for: their numbers by decision, which are
 * estimates where they follow from a round, and how many there are at least and at most.
 */
const DECIDED = [
  optional('decision', 'utf8'),
  optional('reason', 'utf8'),
  optional('hits', 'i64'),
  optional('fallbacks', 'i64'),
  optional('iotlb', 'i64'),
  optional('ambiguous', 'i64'),
  optional('least', 'i64'),
  optional('most', 'i64'),
] as const;

const DEFINITIONS: readonly ColumnDefinition[] = [
  ...COMMON,
  ...EVENT_FIELDS.map(({ name, storage, words }) =>
    optional(name, words !== undefined || storage === 'text' ? 'utf8' : storage),
  ),
  ...DECIDED,
];

const DECISIONS: readonly Decision[] = OUTCOME_NAMES.map((_, outcome) => decisionOf(outcome));
const KINDS = EVENT_NAMES.map((name, code) => name ?? String(code));
const TWO_32 = 2 ** 32;

export function parquetExporter(output: ExportOutput, head: ResultHead): Exporter {
  const file = createParquetFile((bytes) => output.write(bytes), DEFINITIONS, {
    // Named after what it holds: the head of a result, as `replay run --json` prints it.
    vhostscope: JSON.stringify(head),
  });
  const column = (name: string): ColumnChunk => {
    const found = file.columns[DEFINITIONS.findIndex((definition) => definition.name === name)];
    if (found === undefined) throw new Error(`no column ${name}`);
    return found;
  };
  const columns = {
    recording: column('recording'),
    time: column('time'),
    cpu: column('cpu'),
    line: column('line'),
    kind: column('kind'),
    vq: column('vq'),
    accessor: column('accessor'),
    observed: column('observed'),
    n: column('n'),
    entries: column('entries'),
    decision: column('decision'),
    reason: column('reason'),
    hits: column('hits'),
    fallbacks: column('fallbacks'),
    iotlb: column('iotlb'),
    ambiguous: column('ambiguous'),
    least: column('least'),
    most: column('most'),
  };
  const fields = new Map(EVENT_FIELDS.map((field) => [field, column(field.name)]));

  const putCount = (chunk: ColumnChunk, row: number, value: number): void =>
    putWords(chunk, row, value % TWO_32, Math.floor(value / TWO_32));

  const putDecision = (row: number, outcome: number, reason: string | undefined): void => {
    putText(columns.decision, row, DECISIONS[outcome] ?? '');
    if (reason !== undefined) putText(columns.reason, row, reason);
  };

  /** HOT: nearly all rows. */
  const putAccess = (
    { vq, accessor, observed, n, detail, details }: EventBatch,
    i: number,
    row: number,
    decided: Decided,
    engine: Engine,
  ): void => {
    const which = accessor[i] ?? 0;
    putWord(columns.vq, row, vq[i] ?? 0);
    putText(columns.accessor, row, ACCESSORS[which] ?? String(which));
    const seen = OBSERVED_WORDS[observed[i] ?? 0];
    if (seen !== undefined) putText(columns.observed, row, seen);
    const accesses = n[i] ?? 0;
    putWord(columns.n, row, accesses);
    const at = detail[i] ?? 0;
    if (detail[i + 1] !== at) putWord(columns.entries, row, details.entries[at] ?? 0);
    const { outcome, doubt } = decided;
    if (outcome === NOT_DECIDED) return;
    const why =
      outcome !== AMBIGUOUS
        ? undefined
        : engine.tallies.derived === undefined
          ? engine.doubtOf(vq[i] ?? 0, AREA_OF_ACCESSOR[which] ?? 0)
          : doubt;
    putDecision(row, outcome, reasonOf(outcome, why));
    const decision = DECISIONS[outcome];
    putCount(columns.hits, row, decision === 'hit' ? accesses : 0);
    putCount(columns.fallbacks, row, decision === 'fallback' ? accesses : 0);
    putCount(columns.iotlb, row, decision === 'iotlb' ? accesses : 0);
    putCount(columns.ambiguous, row, decision === 'ambiguous' ? accesses : 0);
    putCount(columns.least, row, accesses);
    putCount(columns.most, row, accesses);
  };

  const putDerived = (row: number, { derived }: Decided): void => {
    const sums: Record<Decision, number> = { hit: 0, fallback: 0, iotlb: 0, ambiguous: 0 };
    let least = 0;
    let most = 0;
    for (const accesses of derived) {
      sums[DECISIONS[accesses.outcome] ?? 'ambiguous'] += accesses.estimate;
      least += accesses.least;
      most += accesses.most;
    }
    putCount(columns.hits, row, sums.hit);
    putCount(columns.fallbacks, row, sums.fallback);
    putCount(columns.iotlb, row, sums.iotlb);
    putCount(columns.ambiguous, row, sums.ambiguous);
    putCount(columns.least, row, least);
    // Nothing bounds them.
    if (most !== Infinity) putCount(columns.most, row, most);
  };

  return {
    visit: (batch, i, decided, engine) => {
      const { row } = file;
      const kind = batch.kind[i] ?? 0;
      putWord(columns.recording, row, Math.max(0, decided.recording));
      putWords(columns.time, row, batch.time[2 * i] ?? 0, batch.time[2 * i + 1] ?? 0);
      putWord(columns.cpu, row, batch.cpu);
      putWord(columns.line, row, batch.line[i] ?? 0);
      putText(columns.kind, row, KINDS[kind] ?? String(kind));
      if (kind === KIND.access) putAccess(batch, i, row, decided, engine);
      else for (const field of FIELDS_OF_KIND[kind] ?? []) putField(fields, field, row, batch, i);
      if (decided.derived.length > 0) putDerived(row, decided);
      file.endRow();
    },
    finish: () => file.finish(),
  };
}

function putField(
  fields: ReadonlyMap<EventField, ColumnChunk>,
  field: EventField,
  row: number,
  batch: EventBatch,
  i: number,
): void {
  const chunk = fields.get(field);
  const value = field.read(batch, i);
  if (chunk === undefined || value === undefined) return;
  if (typeof value === 'string') putText(chunk, row, value);
  else if (typeof value === 'number') putWord(chunk, row, value);
  else putWords(chunk, row, Number(value & 0xffff_ffffn), Number(value >> 32n));
}

/** As `replay explain` names it; a hit needs none. */
function reasonOf(outcome: number, doubt: number | undefined): string | undefined {
  if (DECISIONS[outcome] === 'fallback') return OUTCOME_NAMES[outcome];
  return doubt === undefined ? undefined : DOUBT_MEANING[doubt];
}
