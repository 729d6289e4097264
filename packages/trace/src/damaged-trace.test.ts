/** Of a trace of several CPUs any batch may be damaged: what is told is what the whole trace tells first. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventAt, fileOf, importText } from '../test/trace-files.ts';
import { DamagedBatchError } from './batch-reader.js';
import { checkBatches, upToDamage } from './damaged-trace.js';
import { createLiveMerge } from './live-merge.js';
import { visitRecording } from './merge-cpus.js';
import { openTrace, type OpenTrace } from './open-trace.js';
import { PREFIX_BYTES } from './arrow-layout.js';
import type { BatchPlace } from './place-list.js';
import { indexTrace, type RecordingIndex } from './trace-index.js';

/** CPU 2 tells little, so that its batches stand far behind what others told at that time. */
const RECORDING = `# vhost-oracle 1\n${Array.from({ length: 6000 }, (_, at) => {
  const cpu = at % 10 === 0 ? 2 : (at >> 1) % 2;
  return at % 1500 === 7
    ? `U ${at} ${cpu} 0 ffff8881000${at % 7}0100 7f0000001000 4096 0`
    : `A ${at} ${cpu} ffff888100000100 8 1 3`;
}).join('\n')}\n`;

const WHOLE = importText(RECORDING.repeat(2));
const BYTES = readFileSync(WHOLE.path);
const { recordings: RECORDINGS } = indexTrace(WHOLE.fd, BYTES.length);

const PLACES = RECORDINGS.flatMap(({ begin, tables, events, end }) =>
  [begin, ...tables, ...[...events.values()].flatMap((all) => [...all]), end].filter(
    (place) => place !== undefined,
  ),
);

/** The trace with a changed bit in each of these batches. */
async function withChanged(places: readonly BatchPlace[]): Promise<OpenTrace> {
  const bytes = Uint8Array.from(BYTES);
  for (const { offset, metadataBytes } of places) bytes[offset + PREFIX_BYTES + metadataBytes] ^= 1;
  return openTrace(fileOf(bytes, '.arrows'));
}

/** As a command does: again with what is left, until all of it can be read. */
function readable(trace: OpenTrace, read: (trace: OpenTrace) => void): OpenTrace {
  try {
    read(trace);
    return trace;
  } catch (error) {
    if (!(error instanceof DamagedBatchError)) throw error;
    return readable(upToDamage(trace, error), read);
  }
}

function visitAll({ fd, index }: OpenTrace): void {
  for (const recording of index.recordings) visitRecording(fd, recording, () => undefined);
}

interface Told {
  readonly cpu: number;
  readonly text: string;
}

/** Its events without what is said of it as a whole. */
function eventsOf(fd: number, recording: RecordingIndex): Told[] {
  const events: Told[] = [];
  const onlyEvents = { ...recording, begin: undefined, tables: [], end: undefined };
  visitRecording(fd, onlyEvents, (batch, from, to) => {
    for (let row = from; row < to; row++) {
      const { event, time, cpu, line } = eventAt(batch, row);
      events.push({ cpu, text: `${event} ${time} ${cpu} ${line}` });
    }
  });
  return events;
}

const EVENTS = RECORDINGS.map((recording) => eventsOf(WHOLE.fd, recording));

/** How many events of the whole recording come up to the last that a CPU tells before one of its batches. */
function countUpTo({ recording, cpu, offset }: BatchPlace): number {
  let rows = 0;
  for (const place of RECORDINGS[recording].events.get(cpu) ?? [])
    if (place.offset < offset) rows += place.rows;
  if (rows === 0) return 0;
  let seen = 0;
  return 1 + EVENTS[recording].findIndex((event) => event.cpu === cpu && ++seen === rows);
}

const textOf = (events: readonly Told[]): string => events.map(({ text }) => text).join('\n');

/** Of each recording of the whole trace how many events are told, the first ones in each. */
function toldOf({ fd, index }: OpenTrace): number[] {
  return EVENTS.map((whole, number) => {
    const recording = index.recordings.find((one) => one.number === number);
    const told = recording === undefined ? [] : eventsOf(fd, recording);
    // Thousands of them: `toEqual` takes long.
    expect(textOf(told) === textOf(whole.slice(0, told.length))).toBe(true);
    return told.length;
  });
}

/** What a player is told. */
function playedOf({ fd, index }: OpenTrace): { events: number; waiting: number } {
  const merge = createLiveMerge(fd, index);
  let events = 0;
  const limits = { before: undefined, events: Infinity, now: 0, isOver: true };
  const stop = merge.advance(limits, {
    words: () => undefined,
    events: (_batch, from, to) => {
      events += to - from;
      return to;
    },
  });
  expect(stop).toBe('over');
  return { events, waiting: merge.waiting().events };
}

test('whichever batch is damaged: exactly what no event is missing from, and the other recording', async () => {
  expect(PLACES.length).toBeGreaterThan(30);
  for (const place of PLACES) {
    const [whole, before] = [
      EVENTS.map(({ length }) => length),
      place.role === 'events' ? countUpTo(place) : 0,
    ];
    const expected = place.role === 'end' ? whole : whole.with(place.recording, before);
    const damaged = await withChanged([place]);
    for (const read of [visitAll, checkBatches]) {
      const left = readable(damaged, read);
      expect({ place, told: toldOf(left) }).toEqual({ place, told: expected });
      const [all, told] = [whole, expected].map(([first, second]) => first + second);
      expect(left.index.leftOut).toBe(all - told);
      expect(playedOf(left)).toEqual({ events: told, waiting: 0 });
      expect(left.damage).toHaveLength(1);
      expect(left.damage[0]).toContain(`batch at byte ${place.offset} was changed`);
    }
    damaged.close();
  }
});

test('of two that are damaged the one counts behind which events are missing first', async () => {
  const ofEvents = PLACES.filter(({ role, recording }) => role === 'events' && recording === 0);
  const least = (a: BatchPlace, b: BatchPlace): number => Math.min(countUpTo(a), countUpTo(b));
  for (const [at, place] of ofEvents.entries()) {
    for (const other of ofEvents.slice(at + 1).filter((_, index) => index % 7 === 0)) {
      const damaged = await withChanged([place, other]);
      const left = readable(damaged, visitAll);
      const told = toldOf(left);
      expect(told).toEqual([least(place, other), EVENTS[1].length]);
      // In whichever order they are found.
      expect(toldOf(readable(damaged, checkBatches))).toEqual(told);
      damaged.close();
    }
  }
});

test('what is told says from where on it is left out', async () => {
  const said = async (place: BatchPlace | undefined): Promise<string | undefined> => {
    if (place === undefined) throw new Error('no such batch');
    const damaged = await withChanged([place]);
    const [sentence] = readable(damaged, visitAll).damage;
    damaged.close();
    return sentence?.split('the file is damaged there, ')[1];
  };
  const [{ begin, tables, events, end }] = RECORDINGS;
  const [first, second] = events.get(1) ?? [];
  expect(await said(second)).toBe(
    'what its recording tells behind the last event that CPU 1 told before it was left out',
  );
  expect(await said(first)).toBe(
    'its recording was left out, for nothing that CPU 1 told before it is there',
  );
  const all = 'its recording was left out, for all of its events depend on what stood there';
  expect(await said(begin)).toBe(all);
  expect(await said(tables[0])).toBe(all);
  expect(await said(end)).toBe('what its recording held and lost in all was left out');
});
