import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { keepPageMaps } from './kept-page-maps.js';
import { readAreaPages } from './ring-pages.js';

const PAGE = 4096n;

it.runIf(existsSync('/proc/self/pagemap'))(
  'a process that was there is seen until it ends',
  async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const maps = keepPageMaps([pid, 2 ** 31 - 1]);
    try {
      const words = (): number => maps.readWords(`/proc/${pid}/pagemap`, 0x400, 4).length;
      expect(words()).toBe(4);
      child.kill('SIGKILL');
      await once(child, 'exit');
      // Whoever gets its number is another.
      expect(words()).toBe(0);
      expect(readAreaPages(pid, PAGE, PAGE, maps.readWords)).toBeUndefined();
      expect(maps.limits()).toEqual([]);
    } finally {
      maps.close();
    }
  },
);

it('one that comes later is not: nothing is said of its pages, and that is counted', () => {
  const maps = keepPageMaps([]);
  expect(readAreaPages(process.pid, PAGE, PAGE, maps.readWords)).toBeUndefined();
  expect(readAreaPages(process.pid, 5n * PAGE, PAGE, maps.readWords)).toBeUndefined();
  expect(maps.limits()).toEqual([
    'the pages of the rings of 1 process that came after root was given up were not looked at',
  ]);
  maps.close();
});

/** Opens nothing, for this reason. */
function refusing(code: string): () => number {
  return () => {
    throw Object.assign(new Error(`${code}: it was told to`), { code });
  };
}

it('what could not be opened is no process that came later', () => {
  const maps = keepPageMaps([77, 78], refusing('EMFILE'));
  for (const pid of [77, 78])
    expect(readAreaPages(pid, PAGE, PAGE, maps.readWords)).toBeUndefined();
  expect(maps.limits()).toEqual([
    expect.stringMatching(
      /^the pages of the rings of 2 processes were not looked at: when root was given up their page tables could not be opened: too many open files$/,
    ),
  ]);
  maps.close();
});

it.each([
  [
    'EMFILE',
    [
      expect.stringMatching(
        /^which pages of rings are huge was not looked at: .* too many open files$/,
      ),
    ],
  ],
  // A kernel that has none.
  ['ENOENT', []],
])('the flags of pages are no process: %s', (code, limits) => {
  const maps = keepPageMaps([], refusing(code));
  expect(() => maps.readWords('/proc/kpageflags', 1, 1)).toThrow('not opened');
  expect(maps.limits()).toEqual(limits);
  maps.close();
});
