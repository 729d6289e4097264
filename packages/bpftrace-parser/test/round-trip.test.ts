import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { run } from './support.js';
import { JSON_ROWS } from './printers/json.js';
import { TEXT_ROWS } from './printers/text.js';
import { type Printed, type Row, VERSIONS, type Version, isSince } from './printers/versions.js';

/** A byte per character. */
const bytesOf = (printed: string): Uint8Array =>
  Uint8Array.from(printed, (char) => char.charCodeAt(0));

function isIn({ since, until }: Row, version: Version): boolean {
  return isSince(version, since) && (until === undefined || !isSince(version, until));
}

/** What the parser makes of it, and what it means. */
function read(
  printed: readonly Printed[],
  chunks: readonly number[],
  format: 'auto' | 'json' | 'text',
): { made: object; meant: object } {
  const messages: object[] = [];
  let line = 1;
  for (const { bytes, means } of printed) {
    for (const { line: offset, body } of means) messages.push({ ...body, line: line + offset });
    line += bytes.split('\n').length - 1;
  }
  const input = bytesOf(printed.map(({ bytes }) => bytes).join(''));
  const { messages: found, counts } = run(cut(input, chunks), { format });
  const { lines, rejected, truncated, overlong } = counts;
  return {
    made: { messages: found, lines, notRead: rejected + truncated + overlong },
    meant: { messages, lines: line - 1, notRead: 0 },
  };
}

function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + lengths[i % lengths.length];
    yield bytes.subarray(at, end);
    at = end;
  }
}

const chunks = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });

const OUTPUTS = [
  { output: 'JSON', rows: JSON_ROWS, formats: ['auto', 'json'] },
  { output: 'text', rows: TEXT_ROWS, formats: ['auto', 'text'] },
] as const;

describe.each(OUTPUTS)('what is printed as $output is what is parsed', ({ rows, formats }) => {
  describe.each(VERSIONS)('%s', (version) => {
    const here = rows.filter((row) => isIn(row, version));

    it.each(here.map(({ name, printed }) => ({ name, printed })))('$name', ({ printed }) => {
      fc.assert(
        fc.property(printed(version), fc.constantFrom(...formats), (one, format) => {
          const { made, meant } = read([one], [1 << 20], format);
          expect(made).toEqual(meant);
        }),
        { numRuns: 40 },
      );
    });

    it('all of it, in any order and cut anywhere', () => {
      const any = fc.array(fc.oneof(...here.map(({ printed }) => printed(version))), {
        maxLength: 12,
      });
      fc.assert(
        fc.property(any, chunks, fc.constantFrom(...formats), (all, lengths, format) => {
          const { made, meant } = read(all, lengths, format);
          expect(made).toEqual(meant);
        }),
      );
    });
  });
});

describe('after an escape, 0.24 and later print counts in hexadecimal', () => {
  const counts = fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { minLength: 1, maxLength: 6 });

  it('read so from the first with a letter on, doubted all of them', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat({ max: 999 }).map(BigInt), counts)), (mixed) => {
        const lost = mixed.flat();
        const input = [
          '{"type": "attached_probes", "count": 1, "data": {"probes": 1}}',
          '{"type": "printf", "data": "\\u0001"}',
          ...lost.map((events) => {
            const hex = events.toString(16);
            return `{"type": "lost_events", "count": ${hex}, "data": {"events": ${hex}}}`;
          }),
        ];
        const { messages } = run([bytesOf(`${input.join('\n')}\n`)]);
        const letter = lost.findIndex((events) => /[a-f]/.test(events.toString(16)));
        expect(messages.slice(2)).toEqual(
          lost.map((events, i) => ({
            type: 'lost_events',
            events: letter >= 0 && i >= letter ? events : BigInt(events.toString(16)),
            suspect: true,
            line: i + 3,
          })),
        );
      }),
    );
  });
});
