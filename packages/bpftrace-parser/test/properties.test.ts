import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LineTaker, type Message, createParser } from '../src/index.js';
import { LF, OUTPUTS, bytesOf, dump, printfRecord, readFixture, run } from './support.js';

const decode = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** What a BPF program can print: any bytes but NUL, which ends a string there. */
const payloads = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
      { weight: 2, arbitrary: fc.constantFrom(0x22, 0x5c, 0x0a, 0x09, 0x0d, 0x75, 0x66) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 0xff }) },
    ),
    { maxLength: 40 },
  )
  .map((bytes) => Uint8Array.from(bytes));

/** Cuts bytes into chunks of the lengths given, over and over. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + lengths[i % lengths.length];
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

const chunkLengths = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 8 });

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

describe('printf output', () => {
  it('in JSON, record by record', () => {
    fc.assert(
      fc.property(fc.array(payloads, { maxLength: 8 }), chunkLengths, (printed, lengths) => {
        const input = bytesOf(printed.map((payload) => printfRecord(payload)).join(''));
        const { messages, counts } = run(cut(input, lengths));
        expect(messages).toEqual(
          printed.map((payload, i) => ({ type: 'printf', data: decode(payload), line: i + 1 })),
        );
        const repaired = printed.filter((payload) => payload.some((byte) => byte >= 0x80));
        expect(counts.repairs['high-bytes']).toBe(repaired.length);
      }),
    );
  });

  it('in JSON, byte for byte, to a taker that takes some', () => {
    fc.assert(
      fc.property(fc.array(payloads), chunkLengths, fc.nat({ max: 4 }), (printed, lengths, mod) => {
        const seen: Uint8Array[] = [];
        let calls = 0;
        const takeLine: LineTaker = (bytes, start, end) => {
          if (calls++ % 4 < mod) return -1;
          const next = bytes.indexOf(LF, start) + 1;
          expect(next).toBeLessThanOrEqual(end);
          seen.push(bytes.slice(start, next));
          return next;
        };
        const parser = createParser({
          takeLine,
          onMessage(message) {
            seen.push(bytesOf(message.type === 'printf' ? message.data : '?'));
          },
        });
        const input = bytesOf(printed.map((payload) => printfRecord(payload)).join(''));
        for (const chunk of cut(input, lengths)) parser.push(chunk);
        parser.end();
        // What went through a string had its invalid UTF-8 replaced.
        expect(decode(concat(seen))).toBe(decode(concat(printed)));
        if (mod === 0 && printed.at(-1)?.at(-1) === LF) {
          expect(concat(seen)).toEqual(concat(printed));
        }
      }),
    );
  });

  it('in text, line by line', () => {
    const lines = fc.array(payloads.map((bytes) => bytes.filter((byte) => byte !== LF)));
    fc.assert(
      fc.property(lines, chunkLengths, (printed, lengths) => {
        const input = concat(printed.map((line) => Uint8Array.of(...line, LF)));
        const { messages, counts } = run(cut(input, lengths), { format: 'text' });
        const said = printed.flatMap((line, i) =>
          line.length > 0 ? [{ type: 'text', text: decode(line), line: i + 1 }] : [],
        );
        // A line that begins with an at sign may be a map to the parser.
        if (!printed.some((line) => line[0] === 0x40)) expect(messages).toEqual(said);
        expect(counts).toMatchObject({ lines: printed.length, truncated: 0 });
      }),
    );
  });
});

describe('whatever the bytes', () => {
  const samples = OUTPUTS.map((name) => readFixture(name).subarray(0, 3000));
  const mutations = fc.array(
    fc.record({
      at: fc.nat(),
      length: fc.nat({ max: 3 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc
          .constantFrom('\n', '"', '{', '}', '[', ']', ',', '\\u', '\\', '@h: \n', '{"type": "')
          .map(bytesOf),
      ),
    }),
    { maxLength: 12 },
  );

  function mutate(sample: Uint8Array, edits: readonly Mutation[]): Uint8Array {
    let bytes = sample;
    for (const { at, length, insert } of edits) {
      const pos = at % (bytes.length + 1);
      bytes = concat([bytes.subarray(0, pos), insert, bytes.subarray(pos + length)]);
    }
    return bytes;
  }

  interface Mutation {
    readonly at: number;
    readonly length: number;
    readonly insert: Uint8Array;
  }

  const inputs = fc.oneof(
    fc
      .tuple(fc.constantFrom(...samples), mutations)
      .map(([sample, edits]) => mutate(sample, edits)),
    fc.uint8Array({ maxLength: 300 }),
  );
  const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(value, { nil: undefined });

  it('nothing throws, chunks do not matter, and the counts add up', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(
        inputs,
        chunkLengths,
        fc.constantFrom('auto' as const, 'text' as const, 'json' as const),
        optional(fc.integer({ min: 1, max: 100 })),
        fc.boolean(),
        (input, lengths, format, maxLineBytes, takes) => {
          const takeLine: LineTaker = (bytes, start) =>
            bytes[start] % 3 === 0 ? bytes.indexOf(LF, start) + 1 : -1;
          const options = {
            format,
            ...(maxLineBytes !== undefined && { maxLineBytes }),
            ...(takes && { takeLine }),
          };
          const { messages, counts } = run([input], options);
          const again = run(cut(input, lengths), options);
          expect(dump(again.messages)).toBe(dump(messages));
          expect(again.counts).toEqual(counts);
          expectConsistent(input, messages, counts);
        },
      ),
      { numRuns: 2000 },
    );
  });

  function expectConsistent(
    input: Uint8Array,
    messages: readonly Message[],
    counts: ReturnType<typeof run>['counts'],
  ): void {
    const tail = input.length > 0 && input.at(-1) !== LF ? 1 : 0;
    expect(counts.lines).toBe(input.filter((byte) => byte === LF).length + tail);
    const byType = new Map<string, number>();
    for (const { type } of messages) byType.set(type, (byType.get(type) ?? 0) + 1);
    for (const [type, count] of Object.entries(counts.messages)) {
      expect(count).toBe(byType.get(type) ?? 0);
    }
    expect(counts.unknown).toBe(byType.get('unknown') ?? 0);
    expect(counts.rejected + counts.overlong).toBe(byType.get('rejected') ?? 0);
    expect(counts.truncated).toBe(byType.get('truncated') ?? 0);
    for (const { line } of messages) {
      expect(line).toBeGreaterThan(0);
      expect(line).toBeLessThanOrEqual(counts.lines);
    }
    const lines = messages.map((message) => message.line);
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  }
});
