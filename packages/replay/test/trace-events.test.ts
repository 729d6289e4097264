/** Text of perf and ftrace: the kernel's decisions, and what is said of what the text does not tell. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compareResultSchema } from '../src/compare-result.ts';
import { infoResultSchema } from '../src/info-result.ts';
import { runResultSchema } from '../src/run-result.ts';
import { verifyResultSchema } from '../src/verify-result.ts';
import { replay } from './in-process.ts';
import { mergeFiles } from './merged-trace.ts';

const golden = (name: string): string => join(import.meta.dirname, '../../trace/test/golden', name);

describe.each([
  ['perf-script-default.txt.gz', 5414, 43],
  ['perf-script-F.txt.gz', 5414, 43],
  ['ftrace.txt.gz', 1403, 30],
])('%s', (name, accesses, attempts) => {
  it.each([[], ['--preempt', 'voluntary'], ['--preempt', 'voluntary', '--use-observations']])(
    'holds no decision that the model contradicts: %s %s %s',
    async (...options) => {
      const { code, out } = await replay('verify', '--json', ...options, golden(name));
      const result = verifyResultSchema.parse(JSON.parse(out));
      expect(result).toMatchObject({ order: 'ranges', disagree: 0, first: [], complete: null });
      expect(result.accesses.compared).toBe(accesses);
      expect(code).toBe(0);
    },
  );

  it('holds what stands in it', async () => {
    const run = await replay('run', '--json', golden(name));
    expect(runResultSchema.parse(JSON.parse(run.out)).totals.accesses).toBe(accesses);
    const info = await replay('info', '--json', golden(name));
    const { recordings } = infoResultSchema.parse(JSON.parse(info.out));
    expect(recordings).toMatchObject([
      { events: { access: accesses, prefetch: attempts }, cpus: [0] },
    ]);
  });
});

it('where nobody preempts, nearly all of it is decided', async () => {
  const { out } = await replay(
    'verify',
    '--json',
    '--preempt',
    'voluntary',
    golden('perf-script-F.txt.gz'),
  );
  const { accesses } = verifyResultSchema.parse(JSON.parse(out));
  expect(accesses.agree / accesses.compared).toBeGreaterThan(0.9);
});

it.each([[], ['--strict']])(
  'what the text does not tell is said of the trace that was made of it %s',
  async (...options) => {
    const folder = mkdtempSync(join(tmpdir(), 'replay test '));
    const path = join(folder, 'a.arrows');
    try {
      await mergeFiles(path, [{ path: golden('ftrace.txt.gz') }]);
      const { code, err } = await replay('info', ...options, path);
      expect(code).toBe(0);
      expect(err).toMatch(
        /^replay: .*a\.arrows: .*ftrace\.txt\.gz: ranges are told with the thread that made them, not with its process/m,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

it('says what it takes for granted, and nothing that it knows better', async () => {
  const ALL = 'all events that a design depends on were recorded, of all CPUs and all the time';
  const { out } = await replay('run', '--json', golden('perf-script-F.txt.gz'));
  expect(runResultSchema.parse(JSON.parse(out)).assumptions).toContain(ALL);
  const folder = mkdtempSync(join(tmpdir(), 'trace-events-'));
  try {
    const path = join(folder, 'lossy.txt');
    const text = gunzipSync(readFileSync(golden('perf-script-F.txt.gz'))).toString('latin1');
    writeFileSync(path, text.replaceAll(/^.*vho:uninit:.*\n/gm, ''), 'latin1');
    const run = await replay('run', '--json', path);
    const compare = await replay('compare', '--json', path);
    for (const { complete, assumptions } of [
      runResultSchema.parse(JSON.parse(run.out)),
      ...compareResultSchema.parse(JSON.parse(compare.out)).traces,
    ]) {
      expect(complete).toBe(false);
      expect(assumptions).toContain(`but for what is known to be missing, ${ALL}`);
      expect(assumptions).not.toContain(ALL);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('where nothing tells of the MMU notifier', () => {
  const text = (path: string, without?: RegExp): string =>
    gunzipSync(readFileSync(path))
      .toString('latin1')
      .split('\n')
      .filter((line) => without?.test(line) !== true)
      .join('\n');
  const dialect = join(import.meta.dirname, 'golden/s1-bg-q256.txt.gz');

  it.each([
    ['perf', golden('perf-script-F.txt.gz'), /vho:notifier/],
    ['bpftrace', dialect, /^N /],
  ])('one line says so, and what to record: %s', async (_name, path, notifier) => {
    const folder = mkdtempSync(join(tmpdir(), 'trace-events-'));
    try {
      const file = join(folder, 'a.txt');
      const trace = join(folder, 'a.arrows');
      writeFileSync(file, text(path, notifier), 'latin1');
      await mergeFiles(trace, [{ path: file }]);
      for (const one of [file, trace])
        for (const command of ['run', 'info']) {
          const { code, out, err } = await replay(command, '--json', one);
          expect(code).toBe(0);
          expect(err.split('\n').filter((line) => line.includes('MMU notifier'))).toEqual([
            expect.stringMatching(
              /^replay: .*\/a\.\w+: no event of the MMU notifier was recorded \(vho:notifier of perf, N of bpftrace\).*; record it too, from before the rings are set up$/,
            ),
          ]);
          if (command === 'run')
            expect(runResultSchema.parse(JSON.parse(out))).toMatchObject({
              totals: { hits: 0 },
              complete: null,
            });
        }
      writeFileSync(file, text(path), 'latin1');
      expect((await replay('run', file)).err).not.toContain('MMU notifier');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('accesses with decisions make a direct-map host, whatever ranges stand beside them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trace-events-'));
  try {
    const path = join(folder, 'mixed.txt');
    const text = gunzipSync(readFileSync(golden('perf-script-F.txt.gz'))).toString('latin1');
    const mixed = text.replaceAll(
      /vho:range: (.*?) start_end=([01])/g,
      (_all, before: string, isStart: string) =>
        `probe:__mmu_notifier_invalidate_range_${isStart === '1' ? 'start' : 'end'}: ${before} owner=7`,
    );
    writeFileSync(path, mixed, 'latin1');
    const { out } = await replay('run', '--json', path);
    const { host, complete } = runResultSchema.parse(JSON.parse(out));
    expect({ host, complete }).toEqual({ host: 'direct-map', complete: false });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('info tells what is missing line by line, and of what trace once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trace-events-'));
  try {
    const path = join(folder, 'lossy.txt');
    const text = gunzipSync(readFileSync(golden('perf-script-F.txt.gz'))).toString('latin1');
    writeFileSync(path, text.replaceAll(/^.*vho:(?:uninit|uaddr):.*\n/gm, ''), 'latin1');
    const { out } = await replay('info', path);
    expect(out.split(path)).toHaveLength(3);
    expect(out).toMatch(
      /^complete {4}NO: - no event vho:uaddr in this text: .*\n( {18}.*\n)* {16}- no event vho:uninit in this text: /m,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('info tells of clock and steps', async () => {
  const json = async (name: string): Promise<unknown> =>
    infoResultSchema.parse(JSON.parse((await replay('info', '--json', golden(name))).out));
  expect(await json('ftrace.txt.gz')).toMatchObject({ clock: 'unknown', time_step: 1000 });
  expect(await json('perf-script-F.txt.gz')).toMatchObject({ clock: 'unknown', time_step: 1 });
  const { out, err } = await replay('info', golden('ftrace.txt.gz'));
  expect(out).toMatch(/^clock {7}not known, in steps of 1,000 ns$/m);
  expect(err).toMatch(/: times are whole microseconds, as ftrace prints them$/m);
});
