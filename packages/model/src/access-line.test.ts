import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createAccessLineMemory,
  forgetAddresses,
  rememberAccessLine,
} from './access-line-memory.js';
import { readAccessRow } from './access-line.js';
import type { EventBatch } from './event-batch.js';
import { createEventLine, SLOT, TIME_SLOT } from './event-line.js';
import { readEventLine } from './event-lines.js';
import { KIND } from './events.js';

const VQ = 7;
const USUAL = 'A 17040459130 0 ffff8f22cd614b50 2 1 1\n';

/** One row of columns, which is all that the reader writes to. */
function oneRow(cpu: number): EventBatch {
  return {
    length: 1,
    cpu,
    time: new Uint32Array(2),
    line: new Uint32Array(1),
    kind: new Uint8Array(1),
    vq: new Uint32Array(1),
    accessor: new Uint8Array(1),
    observed: new Uint8Array(1),
    n: new Uint32Array(1),
  } as EventBatch;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Reads `text` after `learnt`, a line that the general plan takes. */
function read(learnt: string, text: string): { next: number; batch: EventBatch } {
  const memory = createAccessLineMemory();
  const line = createEventLine();
  const learntBytes = encode(learnt);
  expect(readEventLine(learntBytes, 0, learntBytes.length, line)).toBe(learntBytes.length);
  rememberAccessLine(memory, learntBytes, 0, VQ);
  const batch = oneRow(line.cpu);
  return { next: readAccessRow(memory, encode(text), 0, batch, 0), batch };
}

/** Whatever it takes, the general plan takes too, with the same values. */
function expectAgreement(learnt: string, text: string): boolean {
  const { next, batch } = read(learnt, text);
  if (next < 0) return false;
  const bytes = encode(text);
  const line = createEventLine();
  expect(readEventLine(bytes, 0, bytes.length, line)).toBe(next);
  expect(line.kind).toBe(KIND.access);
  expect(line.cpu).toBe(batch.cpu);
  expect(batch.time).toEqual(line.words.slice(2 * TIME_SLOT, 2 * TIME_SLOT + 2));
  expect(batch.accessor[0]).toBe(line.words[2 * SLOT.accessor]);
  expect(batch.observed[0]).toBe(line.words[2 * SLOT.observed]);
  expect([batch.kind[0], batch.n[0], batch.vq[0]]).toEqual([KIND.access, 1, VQ]);
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
      const isUsual = sameShape && like.accessor !== 8 && like.entries < 10;
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

test('knows no line before it has seen one, and no virtqueue of another recording', () => {
  const bytes = encode(USUAL);
  const memory = createAccessLineMemory();
  expect(readAccessRow(memory, bytes, 0, oneRow(0), 0)).toBe(-1);
  rememberAccessLine(memory, bytes, 0, VQ);
  expect(readAccessRow(memory, bytes, 0, oneRow(0), 0)).toBe(bytes.length);
  expect(readAccessRow(memory, bytes, 0, oneRow(1), 0)).toBe(-1);
  forgetAddresses(memory);
  expect(readAccessRow(memory, bytes, 0, oneRow(0), 0)).toBe(-1);
});

test('learns no address that is not 16 digits: what follows it is another column, or line', () => {
  const memory = createAccessLineMemory();
  const short = 'A 17040459130 0 abcdef12 1 1 1\nM 9 0 5\n';
  rememberAccessLine(memory, encode(short), 0, VQ);
  expect(readAccessRow(memory, encode(short), 0, oneRow(0), 0)).toBe(-1);
});

test('does not look beyond the bytes', () => {
  const memory = createAccessLineMemory();
  rememberAccessLine(memory, encode(USUAL), 0, VQ);
  for (let length = 1; length < USUAL.length - 1; length++) {
    const cut = encode(`${USUAL.slice(0, length)}\n`);
    expect(readAccessRow(memory, cut, 0, oneRow(0), 0)).toBe(-1);
  }
});
