import { ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { MAX_CPU, eventDefinition, fieldDefinition, type FieldName } from '@vhostscope/model';
import { expect, test } from 'vitest';
import { eventsOf, importText, newFile } from '../test/trace-files.ts';
import { MAX_OBJECTS } from './recording-objects.js';
import { TraceFormatError } from './trace-header.js';
import { indexTrace } from './trace-index.js';

const TEXT = Array.from({ length: 3 }, (_, at) =>
  [
    `N ${at} ${at % 2} ffff888100000000 1 0`,
    `A ${at} 0 ffff888100000100 8 1 3`,
    `R ${at} 1 ffff888100000000 1 7f0000000000 7f0000002000 3 1 77 ksmd`,
  ].join('\n'),
).join('\n');

const BYTES = readFileSync(importText(`${TEXT}\n`).path);

const file = newFile();

/** Reads everything; returns whether it could. Anything but a TraceFormatError fails the test. */
function isReadable(bytes: Uint8Array, seed: number | string): boolean {
  ftruncateSync(file, 0);
  writeSync(file, bytes, 0, bytes.length, 0);
  const before = process.memoryUsage().arrayBuffers;
  try {
    for (const event of eventsOf(file)) {
      for (const name of eventDefinition(event.event).fields) {
        if (!isLegal(name, event[name])) throw new Error(`${name} ${String(event[name])}`);
      }
    }
    return true;
  } catch (error) {
    if (!(error instanceof TraceFormatError)) throw new Error(`mutation ${seed}`, { cause: error });
    if (!/^[^\n]{20,200}$/.test(error.message)) expect.fail(`mutation ${seed}: ${error.message}`);
    return false;
  } finally {
    if (process.memoryUsage().arrayBuffers - before > 1e8) expect.fail(`mutation ${seed}: memory`);
  }
}

/** What the engine relies on: it indexes by ids and codes. */
function isLegal(name: FieldName, value: unknown): boolean {
  const { storage, max = 255 } = fieldDefinition(name);
  if (typeof value !== 'number') return true;
  if (name === 'vq' || name === 'dev') return value < MAX_OBJECTS;
  if (name === 'accessor') return value >= 1 && value <= max;
  return storage !== 'u8' || value <= max;
}

/** mulberry32 */
function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

test(
  'whatever bytes change, a file is read or refused with a sentence',
  { timeout: 60_000 },
  () => {
    let readable = 0;
    const mutations = 4000;
    for (let seed = 1; seed <= mutations; seed++) {
      const random = randomOf(seed);
      const bytes = Uint8Array.from(BYTES);
      for (let times = 1 + random(4); times > 0; times--) {
        const at = random(bytes.length);
        if (random(2) === 0) bytes[at] = random(256);
        else bytes[at] ^= 1 << random(8);
      }
      if (isReadable(bytes, seed)) readable++;
    }
    // Both ends must be reached, or the mutations are of the wrong kind.
    expect(readable).toBeGreaterThan(mutations / 100);
    expect(readable).toBeLessThan(mutations);
  },
);

test('no count in the metadata is believed', { timeout: 60_000 }, () => {
  const { recordings } = indexTrace(newFileOf(BYTES), BYTES.length);
  const [place] = recordings[0].events.get(0) ?? [];
  const values = [0x7fff_ffff, 0x8000_0000, 0x0100_0000];
  let tried = 0;
  let readable = 0;
  for (const first of [0, place.offset]) {
    const length = new DataView(BYTES.buffer, BYTES.byteOffset).getUint32(first + 4, true);
    for (let at = first; at < first + 8 + length; at += 4) {
      for (const value of values) {
        const bytes = Uint8Array.from(BYTES);
        new DataView(bytes.buffer).setUint32(at, value, true);
        if (isReadable(bytes, `${value} at ${at}`)) readable++;
        tried++;
      }
    }
  }
  expect(readable).toBeLessThan(tried);
});

test('a batch of a CPU that no host has is refused', () => {
  const bytes = Buffer.from(BYTES);
  expect(MAX_CPU).toBeLessThan(99_999);
  const fd = newFileOf(bytes);
  const [place] = indexTrace(fd, bytes.length).recordings[0].events.get(1) ?? [];
  const at = bytes.indexOf('cpu', place.offset);
  expect(at).toBeLessThan(place.offset + place.metadataBytes);
  bytes.write('xpu', at);
  const { damage, goodBytes } = indexTrace(newFileOf(bytes), bytes.length);
  expect(damage).toMatch(/^something other than a batch of a trace at byte \d+/);
  expect(goodBytes).toBe(place.offset);
});

function newFileOf(bytes: Uint8Array): number {
  const fd = newFile();
  writeSync(fd, bytes);
  return fd;
}
