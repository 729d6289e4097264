/** The events of a trace as NDJSON: a line each, with what the design makes of it. */
import {
  ACCESSORS,
  AREA_OF_ACCESSOR,
  decisionOf,
  DOUBT_MEANING,
  EVENT_NAMES,
  KIND,
  OUTCOME_NAMES,
  AMBIGUOUS,
  timeAt,
  type Engine,
  type EventBatch,
} from '@vhostscope/model';
import type { DerivedAccesses } from '../derived-accesses.js';
import { NOT_DECIDED, type Decided } from './decided-events.js';
import { FIELDS_OF_KIND, OBSERVED_WORDS, type FieldValue } from './event-fields.js';
import type { Exporter } from './exporter.js';
import type { ExportOutput } from './export-output.js';

/** Characters that are gathered before they go to the output as bytes. */
const PIECE = 1 << 16;

const KINDS = EVENT_NAMES.map((name, code) => quoted(name ?? String(code)));
const ACCESSOR_WORDS = ACCESSORS.map(quoted);
const OBSERVED = OBSERVED_WORDS.map((word) => `,"observed":${quoted(word)}`);
/** How the decision stands in a line, by outcome; the reason of a doubt comes behind it. */
const DECISIONS = OUTCOME_NAMES.map((name, outcome) => {
  const decision = decisionOf(outcome);
  const reason = decision === 'fallback' ? `,"reason":${quoted(name)}` : '';
  return `"decision":${quoted(decision)}${reason}`;
});
const DOUBTS = DOUBT_MEANING.map((meaning) => `,"reason":${quoted(meaning)}`);

/** @param judged how the design was replayed; stands in the line of each recording */
export function ndjsonExporter(output: ExportOutput, judged: object): Exporter {
  const head = `,"judged":${JSON.stringify(judged)}`;
  let text = '';
  const flush = (): void => {
    output.write(Buffer.from(text, 'latin1'));
    text = '';
  };
  return {
    visit: (batch, i, decided, engine) => {
      const line =
        batch.kind[i] === KIND.access
          ? accessLine(batch, i, decided, engine)
          : eventLine(batch, i, decided, head);
      text += line;
      if (text.length >= PIECE) flush();
    },
    finish: flush,
  };
}

/** HOT: nearly all lines. */
function accessLine(batch: EventBatch, i: number, decided: Decided, engine: Engine): string {
  const { vq, accessor, observed, n, detail, details } = batch;
  const { outcome } = decided;
  const which = accessor[i] ?? 0;
  const at = detail[i] ?? 0;
  const entries = detail[i + 1] === at ? '' : `,"entries":${details.entries[at] ?? 0}`;
  const decision =
    outcome === NOT_DECIDED
      ? ''
      : `,${DECISIONS[outcome] ?? ''}${outcome === AMBIGUOUS ? doubtOf(batch, i, decided, engine) : ''}`;
  return `${beginning(batch, i, decided.recording)},"vq":${vq[i] ?? 0},"accessor":${ACCESSOR_WORDS[which] ?? ''}${
    OBSERVED[observed[i] ?? 0] ?? ''
  },"n":${n[i] ?? 0}${entries}${decision}}\n`;
}

/** Of recorded accesses the engine still knows why; of a round's, what was counted with it tells. */
function doubtOf(
  { vq, accessor }: EventBatch,
  i: number,
  { doubt }: Decided,
  engine: Engine,
): string {
  if (engine.tallies.derived !== undefined) return doubt === undefined ? '' : (DOUBTS[doubt] ?? '');
  return DOUBTS[engine.doubtOf(vq[i] ?? 0, AREA_OF_ACCESSOR[accessor[i] ?? 0] ?? 0)] ?? '';
}

function eventLine(batch: EventBatch, i: number, decided: Decided, head: string): string {
  const kind = batch.kind[i] ?? 0;
  let line = beginning(batch, i, decided.recording);
  for (const field of FIELDS_OF_KIND[kind] ?? []) {
    const value = field.read(batch, i);
    if (value !== undefined) line += `,"${field.name}":${json(value)}`;
  }
  if (kind === KIND.recording) line += head;
  if (decided.derived.length > 0) line += `,"accesses":[${derivedItems(decided)}]`;
  return `${line}}\n`;
}

function beginning(batch: EventBatch, i: number, recording: number): string {
  return `{"recording":${recording},"time":"${decimalTime(batch, i)}","cpu":${batch.cpu},"line":${
    batch.line[i] ?? 0
  },"kind":${KINDS[batch.kind[i] ?? 0] ?? ''}`;
}

/** High word of the first time that is no exact number (104 days of ns). */
const WIDE = 1 << 21;

function decimalTime(batch: EventBatch, i: number): string {
  const high = batch.time[2 * i + 1] ?? 0;
  return String(high < WIDE ? high * 2 ** 32 + (batch.time[2 * i] ?? 0) : timeAt(batch, i));
}

function derivedItems({ derived, doubt }: Decided): string {
  return derived.map((accesses) => derivedItem(accesses, doubt)).join(',');
}

function derivedItem(
  { accessor, outcome, least, most, estimate }: DerivedAccesses,
  doubt: number | undefined,
): string {
  const reason = outcome === AMBIGUOUS && doubt !== undefined ? (DOUBTS[doubt] ?? '') : '';
  return `{"accessor":${ACCESSOR_WORDS[accessor] ?? ''},"n":${estimate},"least":${least},"most":${
    most === Infinity ? 'null' : most
  },${DECISIONS[outcome] ?? ''}${reason}}`;
}

/** Numbers of 64 bits are decimal strings: most readers of JSON would round them. */
function json(value: FieldValue): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'bigint' ? `"${value}"` : quoted(value);
}

/** As JSON writes it, with everything that is not printable ASCII escaped: the line stays one of ASCII. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
