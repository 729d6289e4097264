/** `replay explain`: the state around an event, and the reasons for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, asyncProperty, integer } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainResultSchema, type ExplainResult } from '../src/explain-result.ts';
import { replay } from './in-process.ts';
import { expectedOf, temporaryFolder, trace, TRACES } from './traces.ts';

const folder = temporaryFolder();

/** Two CPUs: a range over the avail ring is under way on the other one. */
const STORY = `# vhost-oracle 1
Z 1 0 1010
N 2 0 1000 1 0
N 3 0 1000 0 0
X 4 0 1010 0 0
U 5 0 1010 0 100000 4096 0
U 6 0 1010 1 101000 516 0
U 7 0 1010 2 102000 2052 0
N 8 0 1000 1 0
M 1000000100 0 1010
P 1000000110 0 1010 0 0 1 1
P 1000000120 0 1010 1 0 1 1
P 1000000130 0 1010 2 0 1 1
A 1000000140 0 1010 1 1 1
R 1000000150 1 1000 1 101000 102000 1 1 42 ksmd \\x1b[31m\\x00left\\x00
A 1000000160 0 1010 6 1 1
A 1000000170 0 1010 2 0 1
R 1000000180 1 1000 0 101000 102000 1 1 42 ksmd \\x1b[31m\\x00left\\x00
A 1000000190 0 1010 2 0 1
`;
/** One round of a stock host. */
const STOCK = `# vhostscope 1
V 40453849958 0 ffff8cc54f964ab0 ffff8cc54f960000 214 1 1
U 40453887747 0 ffff8cc54f964ab0 0 7fef24a07000 4096 -
I 40453897228 0 ffff8cc54f964ab0 0
M 40458132263 0 ffff8cc54f964ab0
E 40458732263 0 ffff8cc54f964ab0 2 256 1 4000000000000 4002e002e002e
`;
const story = join(folder, 'story.txt');
writeFileSync(story, STORY, 'latin1');

async function explain(path: string, ...args: string[]): Promise<ExplainResult> {
  const { code, out, err } = await replay('explain', '--json', ...args, path);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return explainResultSchema.parse(JSON.parse(out));
}

/** The attempts of a round are refused, then the range ends; what comes behind `lost` is of a trace that lost events. */
const refused = (
  lost: string,
): string => `${STORY.slice(0, STORY.indexOf('M 1000000100'))}R 20 0 1000 1 101000 101800 1 1 42 ksmd
IS 21 0 1010 1 1 0
M 30 0 1010
P 31 0 1010 0 -14 -1000 1
P 32 0 1010 1 -14 -1000 1
P 33 0 1010 2 -14 -1000 1
R 40 0 1000 0 101000 101800 1 1 42 ksmd
IE 41 0 1010 1 0
${lost}A 50 0 1010 1 0 1
`;

it('why an attempt was refused is told as of then, where the count shown is another by now', async () => {
  const path = join(folder, 'refused.txt');
  writeFileSync(path, refused(''));
  expect(await explain(path, '--access', '1')).toMatchObject({
    predicted: { reason: 'mapping refused: invalidate_count was not 0 then' },
    after: { invalidate_count: [0, 0] },
  });
  const lossy = join(folder, 'lossy.txt');
  writeFileSync(lossy, refused('A 45 0 10\n'));
  const { out } = await replay('explain', '--json', '--access', '1', lossy);
  const { after, predicted } = explainResultSchema.parse(JSON.parse(out));
  expect(after.invalidate_count).toEqual([null, null]);
  expect(after.width.join(' ')).toMatch(/events were lost/);
  expect(predicted?.decision).toBe('ambiguous');
});

describe('an access while a start is under way', () => {
  it('is ambiguous, with the callback that makes it so', async () => {
    const result = await explain(story, '--access', '3');
    expect(result).toMatchObject({
      order: 'ranges',
      vq: 0,
      access: '3',
      event: { line: 17, time: '1000000170', event: 'access', accessor: 'get_avail_head' },
      predicted: { decision: 'ambiguous', outcome: null },
      after: { invalidate_count: [0, 2], notifier: 'registered', iotlb: false },
      round: { begin: { line: 10 }, accesses: 3 },
    });
    expect(result.predicted?.reason).toMatch(/^a start under way may have removed the map/);
    expect(result.event.observed).toBe('fallback');
    expect(result.after.areas.map(({ map }) => map)).toEqual(['hit', 'ambiguous', 'ambiguous']);
    expect(result.after.areas[1]?.since).toEqual({
      line: 15,
      time: '1000000150',
      event: 'range_start',
    });
    expect(result.after.width).toHaveLength(1);
    expect(result.after.callbacks).toHaveLength(1);
    expect(result.after.callbacks[0]).toMatchObject({
      event: 'range_start',
      line: 15,
      cpu: 1,
      pid: 42,
      comm: 'ksmd \\x1b[31m',
      start: '0x101000',
      // The used ring begins where the range ends, which counts as overlap.
      effects: [
        { vq: 0, area: 'avail', state: 'may' },
        { vq: 0, area: 'used', state: 'may' },
      ],
    });
    expect(result.round?.attempts.map(({ observed }) => observed)).toEqual(
      Array.from({ length: 3 }, () => 'tried (result 0)'),
    );
    expect(result.history.at(-1)).toMatchObject({ line: 15, invalidate_count: [0, 2] });
  });

  it('names the CPU that would settle it, where the kernel does not preempt', async () => {
    const { after } = await explain(story, '--access', '3', '--preempt', 'voluntary');
    expect(after.callbacks[0]?.bounds[0]).toMatch(/^the next event of cpu 1: /);
  });

  it('is told before and after: the end of the range settles the map', async () => {
    const result = await explain(story, '--access', '4');
    expect(result.predicted).toMatchObject({ decision: 'fallback', outcome: 'invalidated' });
    expect(result.after.areas[1]).toMatchObject({ map: 'invalidated', since: { line: 18 } });
    expect(result.after.width.join()).toMatch(/unregistration of the notifier/);
  });

  it('for people', async () => {
    const { out } = await replay('explain', '--access', '3', '--preempt', 'voluntary', story);
    expect(out.replace(/^trace .*\n/, '')).toMatchInlineSnapshot(`
      "design      merged: direct map as merged for 5.3 (7f466032dc9e, reverted by 3d2c7d370475)
      order       ranges: the trace has no recorded effects (IS, IE)
      preemption  voluntary in the recording kernel

      line 17, 1000000170 ns, cpu 0, vq 0 (dev 0): get_avail_head, access 3
        the model: ambiguous: a start under way may have removed the map, or not yet
        the kernel: fallback

      maps after it
        area   map        before  since
        desc   hit                line 14, access
        avail  ambiguous          line 15, range_start
        used   ambiguous          line 15, range_start
        desc  0x100000 to 0x100fff: direct map
        avail 0x101000 to 0x101203: a start under way may have removed the map, or not yet
        used  0x102000 to 0x102803: a start under way may have removed the map, or not yet

      invalidate_count 0…2; notifier registered
        2 effects of starts under way: each adds 1, now or when it happens
        not 0 since line 15, 1000000150 ns: range_start; last start entered on that CPU: line 15, pid 42,
        "ksmd \\x1b[31m"

      1 callback under way over vq 0
        range_start: line 15, 20 ns before, cpu 1
          clear, 0x101000 to 0x102000, pid 42, "ksmd \\x1b[31m"
          open: avail of vq 0, used of vq 0
          settled by: the next event of cpu 1: as far as the first area that may have a map; or the entry
                      of its end: same range, process and name; or unregistration of the notifier of dev 0

      round since line 10, 70 ns before, cpu 0: 3 accesses so far
        attempts as recorded (compared only; get_user_pages is an input):
          line 11: desc tried (result 0)
          line 12: avail tried (result 0)
          line 13: used tried (result 0)

      what led there
        line   time (ns)  cpu  event        area   invalidate_count
           2           1    0  reset                              0
           5           4    0  unmap                              0
           6           5    0  addresses    desc                  0
           7           6    0  addresses    avail                 0
           8           7    0  addresses    used                  0
          10  1000000100    0  round                              0
          11  1000000110    0  prefetch     desc                  0
          12  1000000120    0  prefetch     avail                 0
          13  1000000130    0  prefetch     used                  0
          15  1000000150    1  range_start                      0…2
      "
    `);
  });
});

describe('--at', () => {
  it.each([
    ['ns', '1000000141'],
    ['seconds', '1.000000141'],
    ['the very time', '1000000140'],
  ])('%s: the last event of a virtqueue then or before', async (_what, time) => {
    const result = await explain(story, '--at', time);
    expect(result).toMatchObject({ access: '1', event: { line: 14, time: '1000000140' } });
  });

  it('an attempt: whether it was to be expected', async () => {
    const result = await explain(story, '--at', '1000000110');
    expect(result).toMatchObject({
      access: null,
      event: { event: 'prefetch', area: 'desc', observed: 'tried (result 0)' },
      predicted: { decision: 'tried' },
      before: { areas: [{ map: 'not_set_up' }, {}, {}] },
    });
    expect(result.after.areas[0]?.attempt).toEqual({ invalidate_count: [0, 0], pages: 'hit' });
  });

  it('other events have no prediction', async () => {
    const result = await explain(story, '--at', '7');
    expect(result).toMatchObject({ event: { event: 'addresses', area: 'used' }, predicted: null });
    expect(result.round).toBeNull();
    expect(result.after.areas[2]?.range).toEqual(['0x102000', '0x102803']);
  });
});

it('observations, when they are used, settle the maps', async () => {
  const { path } = trace('s1');
  const result = await explain(
    path,
    '--order',
    'ranges',
    '--use-observations',
    '--at',
    '13830118295',
  );
  expect(result).toMatchObject({ uses_observations: true, event: { line: 5570 } });
  expect(result.after.areas[0]).toMatchObject({
    map: 'refused_count',
    since: { event: 'prefetch' },
  });
});

it('a round of a stock host tells its accesses and their decisions', async () => {
  const path = join(folder, 'stock.txt');
  writeFileSync(path, STOCK, 'latin1');
  const result = await explain(path, '--at', '40458732263');
  expect(result.event.event).toBe('round_end');
  expect(result.derived.length).toBeGreaterThan(0);
  const { out: ran } = await replay('run', '--json', path);
  const { totals } = JSON.parse(ran) as { totals: { accesses: number } };
  expect(result.derived.reduce((sum, { accesses }) => sum + accesses, 0)).toBe(totals.accesses);
  const { out } = await replay('explain', '--at', '40458732263', path);
  expect(out).toMatch(
    /accesses that follow from this event\n +accessor +accesses +from +to +the model\n/,
  );
  expect(out).not.toMatch(/0 accesses so far/);
});

it('names what moved the count off 0, and the imbalance that keeps it there', async () => {
  const result = await explain(trace('s3').path, '--access', '500');
  expect(result.count_moved).toMatchObject({
    line: 272,
    event: 'effect_start',
    area: 'desc',
    by: { line: 271, pid: 310, comm: 'chaos worker' },
  });
  // The range is still open there: nothing is out of balance yet.
  expect(result.count_moved?.notifier_gone).toBeNull();
  const { out } = await replay('explain', '--access', '500', trace('s3').path);
  expect(out).toMatch(/not 0 since line 272, .*line\s+271,\s+pid\s+310,\s+"chaos worker"/s);
  expect(out).not.toMatch(/imbalance/);
  const later = ['--vq', '1', '--at', '40893000000'];
  const { count_moved: moved } = await explain(trace('s3').path, ...later);
  expect(moved).toMatchObject({ line: 272, notifier_gone: 621 });
  const { out: stuck } = await replay('explain', ...later, trace('s3').path);
  expect(stuck).toMatch(/unregistered at line 621:.*\(imbalance,\s+docs\/kernel-rules\.md/s);
  // The first of them is told, and how many more there were.
  const much = ['--access', '5000'];
  const { count_moved: long } = await explain(trace('s3').path, ...much);
  expect(long).toMatchObject({ notifier_gone: 621, notifier_gone_times: 12 });
  const { out: more } = await replay('explain', ...much, trace('s3').path);
  expect(more).toMatch(/unregistered at line 621, and 11 times\s+since:/);
});

describe('--vq', () => {
  it('counts only the accesses of that virtqueue', async () => {
    const result = await explain(trace('s3').path, '--vq', '0', '--access', '4910');
    expect(result).toMatchObject({ vq: 0, event: { vq: 0 } });
    const { err } = await replay('explain', trace('s3').path, '--vq', '0', '--access', '4911');
    expect(err).toMatch(/it has 4,910 accesses of vq 0: --access takes 1 to 4910\n/);
  });
});

describe.each(TRACES)('$name', ({ name, path, design, preempt }) => {
  const { accesses } = expectedOf(name);

  it('explains accesses as they were, in lines of at most 100 columns', async () => {
    await assert(
      asyncProperty(integer({ min: 1, max: accesses }), async (number) => {
        const args = ['--access', String(number), '--design', design];
        const exact = await explain(path, ...args);
        expect(exact.predicted?.decision).toBe(exact.event.observed);
        const ranges = ['--order', 'ranges', '--preempt', preempt, ...args];
        const told = await explain(path, ...ranges);
        expect(told.event).toEqual(exact.event);
        expect(['ambiguous', exact.event.observed]).toContain(told.predicted?.decision);
        const { out } = await replay('explain', ...ranges, path);
        const [head, ...lines] = out.split('\n');
        expect(head).toMatch(/^trace /);
        expect(lines.filter((line) => line.length > 100)).toEqual([]);
        expect(out).not.toMatch(/[^\n -~µ…–∞§]/);
      }),
      { numRuns: 4 },
    );
  }, 60_000);
});

describe('what cannot be explained', () => {
  it.each<[string, string[], RegExp]>([
    ['no event named', [], /which event\? explain takes one of --at TIME and --access N\n/],
    ['two events named', ['--at', '1', '--access', '1'], /which of the two events\?/],
    [
      'access 0',
      ['--access', '0'],
      /no access 0 in .*\n.*it has 4 accesses: --access takes 1 to 4\n/,
    ],
    ['an access past the last', ['--access', '5'], /no access 5 in .*\n.*--access takes 1 to 4\n/],
    [
      'an access that is no number',
      ['--access', '1e3'],
      /--access takes a whole number, not "1e3"\n/,
    ],
    [
      'a time before the first',
      ['--at', '0'],
      /\n.*its events are from 1 to 1000000190 ns: --at takes/,
    ],
    [
      'a time after the last',
      ['--at', '2.0'],
      /no event of .* is at 2000000000 ns\n.*1 to 1000000190 ns/,
    ],
    ['a time that is none', ['--at', 'noon'], /--at takes a moment of the trace, not/],
    ['an unknown virtqueue', ['--access', '1', '--vq', '7'], /no virtqueue 7 in .*\n.*are: 0\n/],
    ['a missing file', ['--access', '1', '/does/not/exist'], /cannot read .*: no such file/],
  ])('%s', async (_what, args, said) => {
    const path = args.at(-1)?.startsWith('/') === true ? [] : [story];
    const { code, out, err } = await replay('explain', ...args, ...path);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(said);
    expect(err).toMatch(/^(replay: .*\n){1,2}$/);
  });
});

it('the schema names the keys that the document has', async () => {
  const { out } = await replay('schema', 'explain');
  const { properties, required } = JSON.parse(out) as { properties: object; required: string[] };
  const printed = await explain(story, '--access', '1');
  expect(Object.keys(printed)).toEqual(Object.keys(properties));
  expect(required).toEqual(Object.keys(properties));
});
