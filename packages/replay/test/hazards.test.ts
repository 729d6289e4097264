/** `replay hazards` on real recordings: what they prove, and what they do not. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hazardsResultSchema } from '../src/hazards-result.ts';
import { runResultSchema } from '../src/run-result.ts';
import { replay } from './in-process.ts';
import { textOf, trace, TRACES } from './traces.ts';

const stock = join(import.meta.dirname, 'golden/stock/storm-q256.arrows.gz');

async function hazards(...args: string[]) {
  const { code, out, err } = await replay('hazards', '--json', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return hazardsResultSchema.parse(JSON.parse(out));
}

const ORDERS = [
  ['--order', 'auto'],
  ['--order', 'ranges', '--preempt', 'voluntary'],
  ['--order', 'ranges'],
];

describe.each(['u1', 'u2', 'u3', 'd1'])('%s', (prefix) => {
  it.each(ORDERS)('has none that matters: %s %s', async (...order) => {
    const { hazards: found, counts } = await hazards(...order, trace(prefix).path);
    expect(found).toEqual([]);
    expect(counts.filter(({ grade }) => grade !== 'counted')).toEqual([]);
  });
});

describe.each(['s3', 'f1'])('%s under the merged rules', (prefix) => {
  it.each(ORDERS.slice(0, 2))('has a stuck count, with its proof: %s %s', async (...order) => {
    const result = await hazards('--design', 'merged', ...order, trace(prefix).path);
    const stuck = result.hazards.filter(({ kind }) => kind === 'stuck_count');
    expect(stuck.length).toBeGreaterThan(0);
    for (const { grade, chain, accesses } of stuck) {
      expect(grade).toBe('proven');
      expect(accesses).toBeGreaterThan(0);
      expect(chain.at(-1)?.event).toBe('round');
      const events = chain.map(({ event }) => event);
      expect(events).toContain('range_start');
      expect(events.indexOf('notifier')).toBeGreaterThan(events.indexOf('range_start'));
      const times = chain.map(({ time }) => BigInt(time));
      expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)));
    }
  });
});

/** Lines of a virtqueue, which is one of those of the text in the order of their addresses. */
function linesOf(prefix: string, place: number): { tag: string; time: bigint; words: string[] }[] {
  const lines = textOf(prefix)
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([tag = '']) => /^(A|P|Z)$/.test(tag));
  const virtqueues = [...new Set(lines.map(([, , , vq = '']) => vq))].toSorted();
  return lines
    .filter(([, , , vq]) => vq === virtqueues[place])
    .map((words) => ({ tag: words[0] ?? '', time: BigInt(words[1] ?? 0), words }));
}

it('while a count was stuck, the kernel refused every attempt and copied every access', async () => {
  const result = await hazards(trace('s3').path);
  const stuck = result.hazards.filter(({ kind }) => kind === 'stuck_count');
  for (const { vq, begin, end } of stuck) {
    const inside = linesOf('s3', vq ?? 0).filter(
      ({ time }) => time > BigInt(begin) && (end === null || time < BigInt(end)),
    );
    const attempts = inside.filter(({ tag }) => tag === 'P').map(({ words }) => words[5]);
    expect(attempts.length).toBeGreaterThan(0);
    expect(attempts.every((result_) => result_ === '-14')).toBe(true);
    const accesses = inside.filter(({ tag }) => tag === 'A').map(({ words }) => words[5]);
    expect(accesses.every((hit) => hit === '0')).toBe(true);
  }
});

it('lists hazards as they begin, whenever they end', async () => {
  for (const name of ['s3', 'u4']) {
    const { hazards: found, counts } = await hazards(trace(name).path);
    const begins = found.map(({ begin }) => BigInt(begin));
    expect(begins.length).toBeGreaterThan(1);
    expect(begins).toEqual(begins.toSorted((a, b) => Number(a - b)));
    for (const { kind, grade, first } of counts.filter((one) => one.grade !== 'counted')) {
      const listed = found.find((one) => one.kind === kind && one.grade === grade);
      expect(listed?.begin).toBe(first.time);
    }
  }
});

it('every hit that a map may have had stale is one that the kernel made', async () => {
  const { hazards: found } = await hazards(trace('u4').path);
  const stale = found.filter(({ kind }) => kind === 'stale_map');
  expect(stale.length).toBeGreaterThan(0);
  expect(stale.every(({ grade }) => grade === 'possible')).toBe(true);
});

describe('a stuck count that is proven', () => {
  const { path } = trace('s3');

  it.each([
    ['run', []],
    ['run', ['--hazards']],
    ['storms', []],
  ])('is pointed to by %s %j, with all of its fallbacks', async (command, options) => {
    const { hazards: found } = await hazards(path);
    const stuck = found.filter(({ kind }) => kind === 'stuck_count');
    const fallbacks = stuck.reduce((sum, { accesses }) => sum + accesses, 0);
    const { out } = await replay(command, ...options, '--json', path);
    expect(JSON.parse(out)).toMatchObject({
      wrong_counts: [{ kind: 'stuck_count', count: stuck.length, fallbacks }],
    });
    const words = await replay(command, ...options, path);
    const many = fallbacks.toLocaleString('en');
    expect(words.out).toMatch(
      new RegExp(`^ *${many} fallbacks after a stuck count, which no range explains: replay`, 'm'),
    );
  });

  it('is told of a span as what touches it', async () => {
    const { out } = await replay('run', '--from', '-100ms', path);
    expect(out.replaceAll(/\n +/g, ' ')).toMatch(
      /fallbacks after a stuck count that touches the span, in it or not, which no range/,
    );
  });

  const SPANS = [
    ['0s', '1s'],
    ['500ms', '600ms'],
    ['1.2s', '1.21s'],
    ['-1s', '-500ms'],
    ['-1ms', '-0s'],
  ] as const;

  it('is proven in some of the spans below', async () => {
    // One after the other: what is printed is taken from the process.
    const found = [];
    for (const [from, to] of SPANS) found.push(await hazards('--from', from, '--to', to, path));
    expect(
      found.some(({ counts }) =>
        counts.some(
          ({ kind, grade, accesses }) =>
            kind === 'stuck_count' && grade === 'proven' && accesses > 0,
        ),
      ),
    ).toBe(true);
  });

  it.each(SPANS)(
    'is in what run and storms tell of a span as in hazards: %s to %s',
    async (from, to) => {
      const span = ['--from', from, '--to', to];
      const { counts } = await hazards(...span, path);
      const proven = counts.find(({ kind, grade }) => kind === 'stuck_count' && grade === 'proven');
      for (const command of ['run', 'storms']) {
        const { out } = await replay(command, ...span, '--json', path);
        const told = (JSON.parse(out) as { wrong_counts: { count: number; fallbacks: number }[] })
          .wrong_counts;
        expect(told.map(({ count, fallbacks }) => ({ count, fallbacks }))).toEqual(
          proven === undefined || proven.accesses === 0
            ? []
            : [{ count: proven.count, fallbacks: proven.accesses }],
        );
      }
    },
  );

  it('is not where no count was wrong', async () => {
    for (const [name, ...options] of [['s2'], ['d1'], ['s3', '--design', 'copy']]) {
      const { out } = await replay('run', '--json', ...options, trace(name ?? '').path);
      expect(JSON.parse(out)).toMatchObject({ wrong_counts: [] });
    }
  });
});

describe('what is told of hazards', () => {
  const { path } = trace('s3');

  it.each([
    ['effects', false],
    ['ranges', true],
  ])('in %s order is a lower bound: %s', async (order, isLeast) => {
    const options = ['--order', order, path];
    const result = await hazards(...options);
    expect(result.at_least).toBe(isLeast);
    const run = await replay('run', '--hazards', '--json', ...options);
    expect(JSON.parse(run.out)).toMatchObject({ hazards_at_least: isLeast });
    const { out } = await replay('hazards', ...options);
    expect(out.includes('in ranges order these are lower bounds')).toBe(isLeast);
  });

  it('says that some are counted without their events', async () => {
    const { out } = await replay('hazards', path);
    expect(out).toMatch(/^counted: what the design does each time; only the first and the last/m);
    const none = await replay('hazards', '--design', 'copy', path);
    expect(none.out).not.toContain('counted: what');
  });

  it('sums up the accesses that those of a kind touched', async () => {
    const { counts, hazards: found } = await hazards(path);
    for (const { kind, grade, accesses } of counts)
      expect(accesses).toBe(
        found
          .filter((one) => one.kind === kind && one.grade === grade)
          .reduce((sum, one) => sum + one.accesses, 0),
      );
  });

  it('says in its help what is over a ring', async () => {
    for (const command of ['hazards', 'storms'])
      expect((await replay(command, '--help')).out).toContain('takes the end of a range as inclus');
  });
});

describe('the counts of hazards', () => {
  it('go from where the first begins to where the last ends', async () => {
    const { counts, hazards: found } = await hazards(trace('s3').path);
    const told = counts.filter(({ grade }) => grade !== 'counted');
    expect(told.some(({ count }) => count > 1)).toBe(true);
    for (const { kind, grade, first, last } of told) {
      const those = found.filter((one) => one.kind === kind && one.grade === grade);
      const [earliest] = those
        .map(({ begin }) => BigInt(begin))
        .toSorted((a, b) => (a < b ? -1 : 1));
      const ends = those.map(({ end }) => (end === null ? null : BigInt(end)));
      const latest = ends.reduce((a, b) => (a === null || b === null ? null : a < b ? b : a));
      expect(first.time).toBe(String(earliest));
      expect(last?.time ?? null).toBe(latest?.toString() ?? null);
    }
  });

  it.each([
    ['of a design that the kernel did not run', ['--design', 'fixes-v5']],
    ['on larger pages', ['--page-size', '64k']],
  ])('are lower bounds where attempts are ambiguous: %s', async (_what, options) => {
    const { path } = trace('s3');
    const run = await replay('run', '--hazards', '--json', ...options, path);
    const { order, totals, prefetch, hazards_at_least } = runResultSchema.parse(
      JSON.parse(run.out),
    );
    expect(order).toBe('effects');
    expect(totals.ambiguous + prefetch.ambiguous).toBeGreaterThan(0);
    expect(hazards_at_least).toBe(true);
    expect((await hazards(...options, path)).at_least).toBe(true);
    const { out } = await replay('hazards', ...options, path);
    expect(out).toMatch(/^some accesses or attempts are ambiguous, so these are lower bounds/m);
  });
});

describe('replay hazards', () => {
  it.each(TRACES)('prints lines of at most 100 columns of $name', async ({ path, design }) => {
    const { code, out, err } = await replay('hazards', '--design', design, path);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });

  it('says so where the design maps nothing', async () => {
    const { out } = await replay('hazards', '--design', 'copy', trace('s3').path);
    expect(out).toContain('no hazards: the design maps nothing');
  });

  it('tells of a stock host what the design would have done', async () => {
    const result = await hazards(stock);
    expect(result.host).toBe('stock');
    expect(result.hazards.filter(({ grade }) => grade === 'proven')).toEqual([]);
  });

  it('is counted by run when asked', async () => {
    const { path } = trace('s3');
    const { counts } = await hazards(path);
    const run = async (...args: string[]) =>
      runResultSchema.parse(JSON.parse((await replay('run', '--json', ...args, path)).out)).hazards;
    expect(await run('--hazards')).toEqual(counts);
    expect(await run()).toBeNull();
    const { code, err } = await replay('run', '--hazards', '--from', '1s', path);
    expect(code).toBe(2);
    expect(err).toMatch(/--hazards is of a whole trace.*\n.*replay hazards lists/);
  });

  it('says what it does not look for in a design with other callbacks', async () => {
    const result = await hazards('--design', 'vmap-v2', trace('s3').path);
    expect(result.not_looked_for).toContain('stale_map');
    expect(result.hazards).toEqual([]);
    const { out } = await replay('hazards', '--design', 'vmap-v2', trace('s3').path);
    expect(out).toContain('not looked for in this design: stale_map, stuck_count');
  });

  it('knows of a map that nothing but an access has shown', async () => {
    // vq 0 of d1: attempts at lines 416 to 418, an access that hits at 419, dropped at 181099; vq 1 likewise.
    const { counts } = await hazards(trace('d1').path);
    expect(counts).toMatchObject([{ kind: 'lost_dirty', count: 2, first: { line: 181099 } }]);
  });

  it('shows those that touch a span', async () => {
    const { path } = trace('s3');
    const whole = await hazards(path);
    const first = whole.hazards[0];
    const before = await hazards('--to', first?.begin ?? '', path);
    expect(before.hazards.length).toBeLessThan(whole.hazards.length);
    for (const { kind, grade, count } of before.counts) {
      const all = whole.counts.find((one) => one.kind === kind && one.grade === grade);
      expect(count).toBeLessThanOrEqual(all?.count ?? 0);
    }
    expect(before.counts).not.toEqual(whole.counts);
  });

  it('counts each of them in one of two spans where none touches both', async () => {
    const { path } = trace('s3');
    const whole = await hazards(path);
    const counted = ({ counts }: typeof whole): number =>
      counts.filter(({ grade }) => grade === 'counted').reduce((sum, { count }) => sum + count, 0);
    const middle = whole.counts.find(({ grade }) => grade === 'counted')?.last?.time ?? '';
    const parts = [await hazards('--to', middle, path), await hazards('--from', middle, path)];
    expect(counted(whole)).toBeGreaterThan(0);
    expect(parts.map(counted).every((count) => count > 0)).toBe(true);
    expect(parts.reduce((sum, part) => sum + counted(part), 0)).toBe(counted(whole));
  });
});
