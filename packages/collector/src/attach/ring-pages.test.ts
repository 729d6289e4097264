import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readAreaPages, type WordReader } from './ring-pages.js';

const PRESENT = 1n << 63n;
const THP = 1n << 22n;

/** A process whose pages begin at page 16, and the flags of the frames. */
function memory(pages: readonly bigint[], flags: Record<string, bigint> = {}): WordReader {
  return (path, index, words) =>
    BigUint64Array.from({ length: words }, (_, i) =>
      path === '/proc/kpageflags' ? (flags[index] ?? 0n) : (pages[index - 16 + i] ?? 0n),
    );
}

describe('pages of an area', () => {
  it.each([
    ['one page', [PRESENT | 7n], 0x10000n, 4096n, [1, 1, true]],
    ['a byte of a page', [PRESENT | 7n], 0x10fffn, 1n, [1, 1, true]],
    ['two, one byte each', [PRESENT | 7n, PRESENT | 8n], 0x10fffn, 2n, [2, 2, true]],
    ['two that do not follow', [PRESENT | 7n, PRESENT | 9n], 0x10000n, 8192n, [2, 2, false]],
    ['two in the wrong order', [PRESENT | 8n, PRESENT | 7n], 0x10000n, 8192n, [2, 2, false]],
    ['one of two swapped out', [PRESENT | 7n, 8n], 0x10000n, 8192n, [2, 1, false]],
    ['none there', [], 0x10000n, 4096n, [1, 0, false]],
  ] as const)('%s', (_what, pages, address, size, [wanted, present, contiguous]) => {
    expect(readAreaPages(1, address, size, memory(pages))).toEqual({
      wanted,
      present,
      contiguous,
      huge: 0,
    });
  });

  it('of a huge page', () => {
    const read = memory([PRESENT | 512n, PRESENT | 513n], { 512: THP });
    expect(readAreaPages(1, 0x10000n, 8192n, read)?.huge).toBe(1);
  });

  it('of no area, or of a process that is gone', () => {
    expect(readAreaPages(1, 0x10000n, 0n, memory([]))).toBeUndefined();
    expect(readAreaPages(1, 0x10000n, 1n << 40n, memory([]))).toBeUndefined();
    expect(readAreaPages(0x7fffffff, 0x10000n, 4096n)).toBeUndefined();
  });

  it('of this process', () => {
    const stack = /^([0-9a-f]+)-([0-9a-f]+) .*\[stack\]$/m.exec(
      readFileSync('/proc/self/maps', 'latin1'),
    );
    const end = BigInt(`0x${stack?.[2] ?? '0'}`);
    // The environment stands at the end of the stack.
    expect(readAreaPages(process.pid, end - 64n, 64n)).toMatchObject({ wanted: 1, present: 1 });
  });
});
