/** An obvious reader of the text dialect `vhost-oracle 1`, for the golden traces. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { FieldName } from '../src/event-fields.ts';
import type { EventName } from '../src/events.ts';
import type { EventRecord } from './event-record.ts';

interface LineForm {
  readonly event: EventName;
  /** Columns after tag, ns and cpu; a leading `x` marks hex. */
  readonly columns: readonly string[];
}
const RANGE = ['xdev', '', 'xstart', 'xend', 'cause', 'blockable', 'pid', 'comm'];
const FORMS: Readonly<Record<string, LineForm>> = {
  N: { event: 'notifier', columns: ['xdev', 'registered', 'error'] },
  Z: { event: 'reset', columns: ['xvq'] },
  X: { event: 'unmap', columns: ['xvq', 'mask', 'invalidateCount'] },
  U: { event: 'addresses', columns: ['xvq', 'area', 'xaddress', 'size', 'invalidateCount'] },
  M: { event: 'round', columns: ['xvq'] },
  P: { event: 'prefetch', columns: ['xvq', 'area', 'result', 'pagesGot', 'pagesWanted'] },
  R: { event: 'range_start', columns: RANGE },
  IS: { event: 'effect_start', columns: ['xvq', 'area', 'invalidateCount', 'cleared'] },
  IE: { event: 'effect_end', columns: ['xvq', 'area', 'invalidateCount'] },
  A: { event: 'access', columns: ['xvq', 'accessor', 'observed', 'entries'] },
};

/** A line as an event whose vq and dev are still kernel addresses; undefined where it is none. */
function parseLine(line: string): EventRecord | undefined {
  if (line.startsWith('# vhost-oracle 1'))
    return { event: 'recording', time: 0n, cpu: 0, note: line };
  const words = line.split(' ');
  const form = FORMS[words[0]];
  if (form === undefined || words.length < 3 + form.columns.length) return undefined;
  const record: EventRecord = { event: form.event, time: BigInt(words[1]), cpu: Number(words[2]) };
  if (words[0] === 'R' && words[4] === '0') record.event = 'range_end';
  if (words[0] === 'A') record.n = 1;
  for (const [index, column] of form.columns.entries()) {
    const word = words[3 + index];
    if (column === 'comm') record.comm = words.slice(3 + index).join(' ');
    else if (column.startsWith('x')) record[column.slice(1) as FieldName] = BigInt(`0x${word}`);
    else if (column !== '') record[column as FieldName] = Number(word);
  }
  return record;
}

/** Small ids instead of kernel addresses, and which device a virtqueue belongs to. */
function withIds(events: readonly EventRecord[]): EventRecord[] {
  const pointers = (field: 'vq' | 'dev'): bigint[] =>
    [...new Set(events.flatMap((event) => event[field] ?? []))]
      .map(BigInt)
      .toSorted((a, b) => (a < b ? -1 : 1));
  const [vqs, devs] = [pointers('vq'), pointers('dev')];
  const owners = vqs.map((pointer, rank): EventRecord => {
    const dev = devs.findLastIndex((device) => device < pointer);
    return { event: 'virtqueue', time: 0n, cpu: 0, vq: rank, rank, ...(dev < 0 ? {} : { dev }) };
  });
  for (const event of events) {
    if (event.vq !== undefined) event.vq = vqs.indexOf(BigInt(event.vq));
    if (event.dev !== undefined) event.dev = devs.indexOf(BigInt(event.dev));
  }
  return [...owners, ...events];
}

/**
 * Reads a trace, gzipped or not, plain or as bpftrace's JSON. Within a recording the per-CPU runs
 * are merged: each is in time order, so a stable sort by time does it and keeps ties in file order.
 */
export function readTextTrace(path: string): EventRecord[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  const recordings: EventRecord[][] = [];
  for (const raw of text.split('\n')) {
    const line = raw.startsWith('{"type": "printf"')
      ? String((JSON.parse(raw) as { data: unknown }).data).replace(/\n$/, '')
      : raw;
    const record = parseLine(line);
    if (record === undefined) continue;
    if (record.event === 'recording') recordings.push([]);
    else recordings.at(-1)?.push(record);
  }
  return recordings.flatMap((events): EventRecord[] => [
    { event: 'recording', time: 0n, cpu: 0, note: '' },
    ...withIds(events.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))),
  ]);
}
