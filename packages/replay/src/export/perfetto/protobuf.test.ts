/** What is written, as another implementation reads it. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { messageReader } from '../../../test/protobuf-reader.ts';
import { contentOf, createByteBuffer } from '../byte-buffer.ts';
import {
  appendBool,
  appendDouble,
  appendInteger,
  appendText,
  beginMessage,
  endMessage,
} from './protobuf.ts';

const SCHEMA = `
  message Sample {
    repeated uint64 whole = 1;
    repeated int64 signed = 2;
    repeated double real = 3;
    repeated string text = 4;
    repeated bool flag = 5;
    repeated Sample within = 900;
  }
`;

interface Values {
  readonly whole: readonly bigint[];
  readonly signed: readonly bigint[];
  readonly real: readonly number[];
  readonly text: readonly string[];
  readonly flag: readonly boolean[];
  readonly within: readonly Values[];
}

const { values } = fc.letrec<{ values: Values }>((tie) => ({
  values: fc.record({
    whole: fc.array(fc.bigInt(0n, 2n ** 64n - 1n)),
    signed: fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
    real: fc.array(fc.double({ noNaN: true })),
    text: fc.array(fc.string({ unit: 'binary', maxLength: 300 })),
    flag: fc.array(fc.boolean()),
    within: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant([]),
      fc.array(tie('values'), { maxLength: 4 }),
    ),
  }),
}));

/** Small ones as numbers, as most are written. */
const either = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

function append(buffer: ReturnType<typeof createByteBuffer>, of: Values): void {
  for (const value of of.whole) appendInteger(buffer, 1, either(value));
  for (const value of of.signed) appendInteger(buffer, 2, either(value));
  for (const value of of.real) appendDouble(buffer, 3, value);
  for (const value of of.text) appendText(buffer, 4, value);
  for (const value of of.flag) appendBool(buffer, 5, value);
  for (const value of of.within) {
    const start = beginMessage(buffer, 900);
    append(buffer, value);
    endMessage(buffer, start);
  }
}

const plain = (of: Values): object => ({
  whole: of.whole.map(String),
  signed: of.signed.map(String),
  real: [...of.real],
  text: of.text.map((text) => Buffer.from(text, 'utf8').toString('utf8')),
  flag: [...of.flag],
  within: of.within.map(plain),
});

it('is read as it was meant, at every depth and length', () => {
  fc.assert(
    fc.property(values, (of) => {
      // Small enough that everything that makes room does so.
      const buffer = createByteBuffer(1);
      append(buffer, of);
      const read = messageReader(SCHEMA, 'Sample', { arrays: true });
      expect(read(contentOf(buffer))).toEqual(plain(of));
    }),
  );
});

it.each([127, 128, 16_383, 16_384, 2_100_000])('a message of %i bytes', (length) => {
  const buffer = createByteBuffer(1);
  const start = beginMessage(buffer, 900);
  const text = 'x'.repeat(length);
  appendText(buffer, 4, text);
  endMessage(buffer, start);
  appendBool(buffer, 5, true);
  const read = messageReader(SCHEMA, 'Sample');
  expect(read(contentOf(buffer))).toEqual({ within: [{ text: [text] }], flag: [true] });
});
