import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createAccessRunMemory,
  forgetAddresses,
  rememberAccessLine,
  type AccessRunMemory,
} from './access-run-memory.js';
import { readAccessRun } from './access-run.js';
import { DETAIL_BIT, type DetailColumns, type EventBatch } from './event-batch.js';
import { createEventLine, SLOT, TIME_SLOT } from './event-line.js';
import { readEventLine } from './event-lines.js';
import { KIND } from './events.js';

const VQ = 7;
const USUAL = 'A 17040459130 0 ffff8f22cd614b50 2 1 1\n';
const PUT_USED = 8;

/** Columns with room for some rows: those that the reader writes to. */
function emptyBatch(cpu: number, rows = 4): EventBatch {
  const offsets = (): { offsets: Int32Array; bytes: Uint8Array } => ({
    offsets: new Int32Array(rows + 1),
    bytes: new Uint8Array(0),
  });
  return {
    length: 0,
    cpu,
    time: new Uint32Array(2 * rows),
    line: new Uint32Array(rows),
    kind: new Uint8Array(rows),
    vq: new Uint32Array(rows),
    accessor: new Uint8Array(rows),
    observed: new Uint8Array(rows),
    n: new Uint32Array(rows),
    detail: new Int32Array(rows + 1),
    details: {
      present: new Uint32Array(2 * rows),
      entries: new Uint32Array(rows),
      comm: offsets(),
      note: offsets(),
    } as DetailColumns,
  };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Reads what it can of a text, all of whose lines are whole. Returns the number of bytes taken. */
function readRun(
  memory: AccessRunMemory,
  text: string,
  batch: EventBatch,
  rows = batch.n.length,
): number {
  const bytes = encode(text);
  return readAccessRun(memory, bytes, 0, bytes.length, batch, rows, 1, 1);
}

/** Reads `text` after `learnt`, a line that the general plan takes. */
function read(learnt: string, text: string): { next: number; batch: EventBatch } {
  const memory = createAccessRunMemory();
  const line = createEventLine();
  const learntBytes = encode(learnt);
  expect(readEventLine(learntBytes, 0, learntBytes.length, line)).toBe(learntBytes.length);
  rememberAccessLine(memory, learntBytes, 0, VQ);
  const batch = emptyBatch(line.cpu);
  // Room behind it, as in a chunk: the last lines of the bytes are left to the general plan.
  const bytes = encode(text + '\0'.repeat(40));
  return { next: readAccessRun(memory, bytes, 0, text.length, batch, 1, 1, 1), batch };
}

/** Whatever it takes, the general plan takes too, with the same values. */
function expectAgreement(learnt: string, text: string): boolean {
  const { next, batch } = read(learnt, text);
  if (next === 0) {
    expect(batch.length).toBe(0);
    return false;
  }
  const bytes = encode(text);
  const line = createEventLine();
  expect(readEventLine(bytes, 0, bytes.length, line)).toBe(next);
  expect(line.kind).toBe(KIND.access);
  expect(line.cpu).toBe(batch.cpu);
  expect(batch.length).toBe(1);
  expect(batch.line[0]).toBe(1);
  expect(batch.time.slice(0, 2)).toEqual(line.words.slice(2 * TIME_SLOT, 2 * TIME_SLOT + 2));
  expect(batch.accessor[0]).toBe(line.words[2 * SLOT.accessor]);
  expect(batch.observed[0]).toBe(line.words[2 * SLOT.observed]);
  expect([batch.kind[0], batch.n[0], batch.vq[0]]).toEqual([KIND.access, 1, VQ]);
  const hasEntries = batch.accessor[0] === PUT_USED;
  expect([batch.detail[0], batch.detail[1]]).toEqual([0, hasEntries ? 1 : 0]);
  if (hasEntries) {
    expect(batch.details.present[0]).toBe(1 << DETAIL_BIT.entries);
    expect(batch.details.present[1]).toBe(0);
    expect(batch.details.entries[0]).toBe(line.words[2 * SLOT.entries]);
  }
  const address = (words: Uint32Array): string => `${words[2 * SLOT.vq]} ${words[2 * SLOT.vq + 1]}`;
  const before = createEventLine();
  readEventLine(encode(learnt), 0, learnt.length, before);
  expect(address(line.words)).toBe(address(before.words));
  return true;
}

const accessLine = fc
  .record({
    time: fc.oneof(fc.bigInt(100_000_000n, 10n ** 17n - 1n), fc.bigInt(0n, 2n ** 63n - 1n)),
    cpu: fc.oneof(fc.nat(9), fc.nat(8191)),
    vq: fc.bigInt(2n ** 63n, 2n ** 64n - 1n),
    accessor: fc.integer({ min: 1, max: 10 }),
    observed: fc.nat(2),
    entries: fc.nat(12),
  })
  .map((line) => ({ ...line, vq: line.vq.toString(16) }));

type AccessLine = typeof accessLine extends fc.Arbitrary<infer Line> ? Line : never;

function print({ time, cpu, vq, accessor, observed, entries }: AccessLine): string {
  return `A ${time} ${cpu} ${vq} ${accessor} ${observed} ${entries}\n`;
}

test('takes lines of the usual shape, with the values of the general plan', () => {
  fc.assert(
    fc.property(accessLine, accessLine, (first, second) => {
      const sameShape =
        String(first.time).length === String(second.time).length &&
        String(first.time).length >= 9 &&
        String(first.time).length <= 17;
      const like = { ...second, cpu: first.cpu, vq: first.vq };
      const isUsual = sameShape && (like.accessor === PUT_USED || like.entries < 10);
      expect(expectAgreement(print(first), print(like))).toBe(isUsual);
    }),
    { numRuns: 2000 },
  );
});

test('takes nothing that the general plan refuses or reads otherwise', () => {
  let taken = 0;
  fc.assert(
    fc.property(
      accessLine,
      fc.array(
        fc.tuple(
          fc.nat(60),
          fc.constantFrom('0', '1', '8', '9', 'a', 'f', 'A', ' ', '\n', '\r', '\0', '-'),
        ),
        { maxLength: 2 },
      ),
      (line, edits) => {
        const text = print(line).split('');
        for (const [at, character] of edits) text[at % text.length] = character;
        if (!text.includes('\n')) text.push('\n');
        if (expectAgreement(print(line), text.join(''))) taken++;
      },
    ),
    { numRuns: 5000 },
  );
  expect(taken).toBeGreaterThan(500);
});

test('a run is the lines one by one, as far as it goes', () => {
  /** Times whose leading digits change now and then, in every place that they have. */
  const times = fc
    .tuple(fc.integer({ min: 9, max: 17 }), fc.array(fc.nat(999_999_999), { maxLength: 12 }))
    .map(([digits, steps]) => {
      let time = 10n ** BigInt(digits - 1);
      return steps.map((step) => {
        time += BigInt(step) * 10n ** BigInt(digits - 9);
        return time;
      });
    });
  fc.assert(
    fc.property(accessLine, times, fc.array(accessLine, { maxLength: 12 }), (base, at, lines) => {
      const { cpu, vq } = base;
      const texts = lines
        .slice(0, at.length)
        .map((line, i) => print({ ...line, cpu, vq, time: at[i] ?? 0n }));
      const [first] = texts;
      if (first === undefined) return;
      const memory = createAccessRunMemory();
      rememberAccessLine(memory, encode(first), 0, VQ);
      const batch = emptyBatch(cpu, 12);
      const all = texts.join('');
      const bytes = encode(all + '\0'.repeat(40));
      const next = readAccessRun(memory, bytes, 0, all.length, batch, 12, 100, 1);
      let length = 0;
      for (let row = 0; row < batch.length; row++) {
        const text = texts[row] ?? '';
        expect(expectAgreement(first, text)).toBe(true);
        const alone = read(first, text).batch;
        expect(batch.time.slice(2 * row, 2 * row + 2)).toEqual(alone.time.slice(0, 2));
        expect(batch.accessor[row]).toBe(alone.accessor[0]);
        expect(batch.line[row]).toBe(100 + row);
        expect(batch.detail[row + 1] - batch.detail[row]).toBe(alone.detail[1]);
        length += text.length;
      }
      expect(next).toBe(length);
      // It stops only at a line that it would not take alone.
      const stopper = texts[batch.length];
      if (stopper !== undefined) expect(expectAgreement(first, stopper)).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

test('stops when the batch is full, of rows or of rows of details', () => {
  const memory = createAccessRunMemory();
  const put = 'A 17040459130 0 ffff8f22cd614b50 8 1 64\n';
  rememberAccessLine(memory, encode(USUAL), 0, VQ);
  const batch = emptyBatch(0, 3);
  expect(readRun(memory, USUAL.repeat(5), batch, 2)).toBe(2 * USUAL.length);
  expect(batch.length).toBe(2);
  expect(readRun(memory, USUAL.repeat(5), batch, 2)).toBe(0);
  const few = emptyBatch(0, 9);
  few.details.present = new Uint32Array(4);
  expect(readRun(memory, put.repeat(5), few)).toBe(2 * put.length);
});

test('knows no line before it has seen one, and no virtqueue of another recording', () => {
  const memory = createAccessRunMemory();
  const two = USUAL + USUAL;
  expect(readRun(memory, two, emptyBatch(0))).toBe(0);
  rememberAccessLine(memory, encode(USUAL), 0, VQ);
  expect(readRun(memory, two, emptyBatch(0))).toBeGreaterThan(0);
  expect(readRun(memory, two, emptyBatch(1))).toBe(0);
  expect(readRun(memory, two, emptyBatch(10))).toBe(0);
  forgetAddresses(memory);
  expect(readRun(memory, two, emptyBatch(0))).toBe(0);
});

test('takes no time whose leading characters are none, though none was read before', () => {
  const short = 'A 100000000 0 ffff8f22cd614b50 1 1 1\n';
  for (const character of ['\0', '/', ':', '\x7f'])
    expect(expectAgreement(short, short.replace('1', character))).toBe(false);
});

test('learns no address that is not 16 digits: what follows it is another column, or line', () => {
  const memory = createAccessRunMemory();
  const short = 'A 17040459130 0 abcdef12 1 1 1\nM 9 0 5\n';
  rememberAccessLine(memory, encode(short), 0, VQ);
  expect(readRun(memory, short.repeat(3), emptyBatch(0))).toBe(0);
});

test('does not look beyond the bytes', () => {
  const memory = createAccessRunMemory();
  rememberAccessLine(memory, encode(USUAL), 0, VQ);
  for (let length = 1; length < USUAL.length - 1; length++)
    expect(readRun(memory, `${USUAL.slice(0, length)}\n`, emptyBatch(0))).toBe(0);
});
