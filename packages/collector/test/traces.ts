/** Inputs for imports, and what the trace files made of them hold. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { EVENT_NAMES, KIND } from '@vhostscope/model';
import { openTrace, visitTrace } from '@vhostscope/trace';
import { afterAll } from 'vitest';

const EXAMPLES = join(import.meta.dirname, '../../../examples');

/** Path of a real recording. */
export function example(name: 's3' | 'u5'): string {
  const file = name === 's3' ? 's3-resetup-under-storm.txt.gz' : 'u5-json-q256.txt.gz';
  return join(EXAMPLES, file);
}

/** Its text, decompressed. */
export function textOf(name: 's3' | 'u5'): string {
  return gunzipSync(readFileSync(example(name))).toString('latin1');
}

/** A folder for the tests of a file; it is removed after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'collector test '));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Events by name. */
export type Counts = Record<string, number>;

/** Names of events by the tag of their lines; R is told apart by its fourth column. */
const NAME_OF_TAG: Readonly<Record<string, string>> = {
  A: 'access',
  M: 'round',
  P: 'prefetch',
  U: 'addresses',
  X: 'unmap',
  Z: 'reset',
  N: 'notifier',
  IS: 'effect_start',
  IE: 'effect_end',
};

/** Counts the events of a text, or of its JSON form, by looking at how its lines begin. */
export function countsOfText(text: string): Counts {
  const counts: Counts = {};
  const line = /^(?:\{"type": "printf", "data": ")?([A-Z]{1,2}) \d+ \d+ [0-9a-f]+(?: ([01]))?/gm;
  for (const [, tag = '', start] of text.matchAll(line)) {
    const name = tag === 'R' ? (start === '1' ? 'range_start' : 'range_end') : NAME_OF_TAG[tag];
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** What a trace file holds, by reading every event. */
export interface TraceContents {
  /** Of each recording. */
  readonly recordings: readonly Counts[];
  readonly damage: readonly string[];
}

const OWN: ReadonlySet<string> = new Set(['recording', 'recording_end', 'virtqueue']);

export async function contentsOf(path: string): Promise<TraceContents> {
  const trace = await openTrace(path);
  try {
    const recordings: Counts[] = [];
    visitTrace(trace.fd, trace.index, ({ kind }, from, to) => {
      for (let row = from; row < to; row++) {
        if (kind[row] === KIND.recording) recordings.push({});
        const name = EVENT_NAMES[kind[row] ?? 0] ?? '';
        const counts = recordings.at(-1);
        if (counts !== undefined && !OWN.has(name)) counts[name] = (counts[name] ?? 0) + 1;
      }
    });
    return { recordings, damage: trace.damage };
  } finally {
    trace.close();
  }
}
