/** `--from` and `--to`: what is counted, against a count of the text, access by access. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkResultSchema } from '../src/check-result.ts';
import { runResultSchema, type RunResult } from '../src/run-result.ts';
import { readTimeArgument, resolveTime } from '../src/time-argument.ts';
import { verifyResultSchema } from '../src/verify-result.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace } from './traces.ts';

const folder = temporaryFolder();
const stock = join(import.meta.dirname, 'golden/stock/storm-q256.arrows.gz');

async function run(...args: string[]) {
  const { code, out, err } = await replay('run', '--json', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return runResultSchema.parse(JSON.parse(out));
}

/** Lines of a text by time, with what its accesses hit. */
function linesOf(prefix: string): { tag: string; time: bigint; hit: boolean }[] {
  return textOf(prefix)
    .split('\n')
    .filter((line) => /^[A-Z]+ \d+ \d+ /.test(line))
    .map((line) => line.split(' '))
    .map(([tag = '', time = '0', , , , hit]) => ({ tag, time: BigInt(time), hit: hit === '1' }));
}

describe.each(['u1', 's3', 's1'])('%s', (prefix) => {
  const { path } = trace(prefix);
  const lines = linesOf(prefix);
  const times = lines.map(({ time }) => time).toSorted((a, b) => Number(a - b));
  const accesses = lines
    .filter(({ tag }) => tag === 'A')
    .toSorted((a, b) => Number(a.time - b.time));
  const timeOf = (part: number): bigint => accesses[Math.floor(part * accesses.length)]?.time ?? 0n;
  const lasts = times.at(-1)! - times[0];

  it.each<[string, bigint, bigint]>([
    ['at accesses', timeOf(0.2), timeOf(0.7)],
    ['just behind accesses', timeOf(0.2) + 1n, timeOf(0.7) + 1n],
    ['one access', timeOf(0.5), timeOf(0.5) + 1n],
    ['between', times[0] + lasts / 3n, times[0] + lasts / 2n],
    ['the beginning', 0n, timeOf(0.1)],
    ['the end', timeOf(0.9), times.at(-1)! + 1n],
  ])('counts what lies in the span: %s', async (_, from, to) => {
    const inside = accesses.filter(({ time }) => from <= time && time < to);
    const rounds = lines.filter(({ tag, time }) => tag === 'M' && from <= time && time < to).length;
    const hits = inside.filter(({ hit }) => hit).length;
    const result = await run('--from', String(from), '--to', String(to), path);
    expect(result.span).toEqual({ from: String(from), to: String(to) });
    expect(result.totals).toMatchObject({ accesses: inside.length, hits, ambiguous: 0 });
    expect(result.rounds).toBe(rounds);
    const verify = await replay(
      'verify',
      '--json',
      '--from',
      String(from),
      '--to',
      String(to),
      path,
    );
    const { accesses: compared, disagree } = verifyResultSchema.parse(JSON.parse(verify.out));
    expect({ compared: compared.compared, disagree }).toEqual({
      compared: inside.length,
      disagree: 0,
    });
  });

  it('adds up: spans beside each other make the whole', async () => {
    const borders = [0.25, 0.5, 0.75].map(timeOf).map(String);
    const spans = [undefined, ...borders].map((from, at) => [
      ...(from === undefined ? [] : ['--from', from]),
      ...(borders[at] === undefined ? [] : ['--to', borders[at]]),
    ]);
    const order = ['--order', 'ranges', '--preempt', 'voluntary'];
    const whole = await run(...order, path);
    const results: RunResult[] = [];
    for (const span of spans) results.push(await run(...order, ...span, path));
    const sum = (of: (result: typeof whole) => number): number =>
      results.reduce((total, result) => total + of(result), 0);
    for (const name of ['accesses', 'hits', 'fallbacks', 'ambiguous'] as const)
      expect(sum(({ totals }) => totals[name])).toBe(whole.totals[name]);
    expect(sum(({ rounds }) => rounds)).toBe(whole.rounds);
    expect(sum(({ ranges }) => ranges.overlapping)).toBe(whole.ranges.overlapping);
    expect(sum(({ prefetch }) => prefetch.built)).toBe(whole.prefetch.built);
  });

  it('takes moments from the first event and before the last', async () => {
    const from = times[0] + 100_000_000n;
    const to = times.at(-1)! - 50_500_000n;
    const result = await run('--from', '0.1s', '--to', '-50.5ms', path);
    expect(result.span).toEqual({ from: String(from), to: String(to) });
  });
});

describe('replay check', () => {
  const text = textOf('u1').split('\n');
  // An access that is missing where the last quarter begins.
  const dropped = text.findLastIndex(
    (line, at) => at < 0.75 * text.length && /^A \d+ \d+ \S+ 2 /.test(line),
  );
  const path = join(folder, 'dropped.txt');
  writeFileSync(path, text.toSpliced(dropped, 1).join('\n'), 'latin1');
  const border = text[dropped]?.split(' ')[1] ?? '';

  async function check(...args: string[]) {
    const { code, out } = await replay('check', '--json', ...args, path);
    return { code, result: checkResultSchema.parse(JSON.parse(out)) };
  }

  it('judges with what came before, and tells of the span', async () => {
    const whole = await check();
    const before = await check('--to', border);
    const after = await check('--from', border);
    expect([whole.code, before.code, after.code]).toEqual([1, 0, 1]);
    expect(before.result).toMatchObject({ rejected: 0, rejections: [] });
    expect(after.result.rejections).toEqual(whole.result.rejections);
    for (const count of ['accesses', 'judged', 'accepted', 'rejected', 'unusual_chains'] as const)
      expect(before.result[count] + after.result[count]).toBe(whole.result[count]);
    expect(whole.result.span).toBeNull();
    const { out } = await replay('check', '--to', border, path);
    expect(out).toContain(`span        from the beginning to before ${border} ns`);
  });
});

describe('a stock host', () => {
  it('counts a round where it ends, and says so', async () => {
    const whole = await run(stock);
    const parts = [await run('--to', '0.5s', stock), await run('--from', '0.5s', stock)];
    const sum = (of: (result: typeof whole) => number): number =>
      parts.reduce((total, result) => total + of(result), 0);
    expect(sum(({ totals }) => totals.accesses)).toBe(whole.totals.accesses);
    expect(sum(({ totals }) => totals.hits)).toBe(whole.totals.hits);
    expect(sum(({ cost }) => cost.packets)).toBe(whole.cost.packets);
    expect(parts.map(({ totals }) => totals.accesses > 0)).toEqual([true, true]);
    expect(parts[0]?.assumptions[0]).toMatch(/counts where it ends/);
    expect(whole.assumptions[0]).not.toMatch(/counts where it ends/);
  });
});

describe('moments', () => {
  const extent = { first: 1_000_000_000n, last: 11_000_000_000n };
  const resolve = (text: string, option = '--from'): bigint =>
    resolveTime(readTimeArgument(option, text), extent, () => ({ begin: 5n, end: 7n }));

  it.each<[string, bigint]>([
    ['0s', 1_000_000_000n],
    ['2.5s', 3_500_000_000n],
    ['250ms', 1_250_000_000n],
    ['0.000000001s', 1_000_000_001n],
    ['-3s', 8_000_000_000n],
    ['-0.5ms', 10_999_500_000n],
    ['10s', 11_000_000_000n],
    ['1234567890', 1_234_567_890n],
    ['1.5', 1_500_000_000n],
    ['storm:2', 5n],
  ])('%s is %s ns', (text, expected) => {
    expect(resolve(text)).toBe(expected);
  });

  it('ends a span just behind the last event of a storm', () => {
    expect(resolve('storm:2', '--to')).toBe(8n);
  });

  it.each([
    '',
    's',
    '1.s',
    '-3',
    '+1s',
    '1e3',
    '1m',
    '5 s',
    'storm:0',
    'storm:',
    'storm:x',
    '0x10',
  ])('refuses "%s"', (text) => {
    expect(() => resolve(text)).toThrow(/^--from takes a moment of the trace, not "/);
  });

  it.each([
    ['5', 'ns'],
    ['0.25', 's'],
  ])('says that a bare %s is %s of the clock, where that cannot be meant', (text, unit) => {
    expect(() => resolve(text)).toThrow(
      `--from ${text} means ${text} ${unit} of the clock, and the trace begins at 1000000000 ns`,
    );
  });

  it('names the length of the trace where one is outside of it', async () => {
    expect(() => resolve('10.1s')).toThrow('--from 10.1s is outside of the trace');
    expect(() => resolve('-11s')).toThrow('--from -11s is outside of the trace');
    const { path } = trace('u5');
    for (const span of [
      ['--from', '1h'],
      ['--from', '99s'],
      ['--from', '-0.1s', '--to', '0.1s'],
      ['--to', '1'],
    ]) {
      const { code, out, err } = await replay('run', ...span, path);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err.trim().split('\n')).toHaveLength(2);
    }
  });
});
