import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type LineTaker, type ParserOptions, createParser } from '../src/index.js';
import { createRandom, mutants, seedLines } from './mutants.js';
import { LF } from './support.js';

/**
 * How many damaged lines each parser is given. `pnpm --filter bpftrace-parser mutants` takes a
 * million; MUTANTS_SEED repeats a run.
 */
const MUTANTS = Number(process.env['MUTANTS'] ?? 20_000);
const SEED = Number(process.env['MUTANTS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const BLOCK = 1000;
/** A block takes some ten milliseconds; one that takes seconds holds a line that hangs. */
const MAX_BLOCK_MS = 5000;
/** What the heap may have grown by from the first tenth of the lines to the last. */
const MAX_GROWTH_BYTES = 8 << 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Takes lines of some first bytes, as a program's own reader would. */
const takeSome: LineTaker = (bytes, start) =>
  bytes[start] % 5 === 0 ? bytes.indexOf(LF, start) + 1 : -1;

const CASES: readonly {
  readonly output: 'json' | 'text';
  readonly options: Omit<ParserOptions, 'onMessage'>;
}[] = [
  { output: 'json', options: {} },
  { output: 'json', options: { format: 'json', takeLine: takeSome } },
  { output: 'text', options: { takeLine: takeSome } },
  { output: 'text', options: { format: 'text', maxLineBytes: 4096 } },
];

describe(`${MUTANTS} damaged lines, seed ${SEED}`, () => {
  it.each(CASES)('of $output output, read with $options', { timeout: 0 }, ({ output, options }) => {
    const random = createRandom(SEED);
    const damaged = mutants(seedLines(output, SEED), random);
    let messages = 0;
    const whole = createParser({ ...options, onMessage: () => void messages++ });
    const chopped = createParser({ ...options, onMessage: () => {} });
    let fed = 0;
    let slowest = 0;
    let early = 0;
    const began = performance.now();
    for (let done = 0; done < MUTANTS;) {
      const parts: Uint8Array[] = [];
      for (let left = BLOCK; left > 0;) {
        const { line, isWhole } = damaged.next().value;
        parts.push(line, Uint8Array.of(LF));
        if (!isWhole) left--;
      }
      done += BLOCK;
      const block = new Uint8Array(Buffer.concat(parts));
      for (const byte of block) if (byte === LF) fed++;
      const start = performance.now();
      whole.push(block);
      slowest = Math.max(slowest, performance.now() - start);
      for (let at = 0, size = 0; at < block.length; at += size) {
        size = 1 + random(1 << random(14));
        chopped.push(block.subarray(at, at + size));
      }
      if (early === 0 && done >= MUTANTS / 10) early = heapBytes();
    }
    const growth = heapBytes() - early;
    const seconds = (performance.now() - began) / 1e3;
    whole.end();
    chopped.end();

    expect(whole.counts.lines).toBe(fed);
    expect(chopped.counts).toEqual(whole.counts);
    const { messages: byType, rejected, overlong, unknown } = whole.counts;
    expect(Object.values(byType).reduce((sum, count) => sum + count, 0)).toBe(messages);
    expect({ rejected: rejected + overlong, unknown }).toEqual({
      rejected: byType.rejected,
      unknown: byType.unknown,
    });
    expect(slowest).toBeLessThan(MAX_BLOCK_MS);
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
    if (process.env['MUTANTS'] !== undefined) {
      const figures = { seconds, slowestBlockMs: slowest, growthBytes: growth, byType };
      process.stdout.write(`${JSON.stringify({ output, options, lines: fed, ...figures })}\n`);
    }
  });
});
