/** `replay report` as a command, and the document that it makes. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { reportSchema, type Report } from '../../src/report/report-schema.ts';
import { replayProcess, shell } from '../child-process.ts';
import { replay } from '../in-process.ts';
import { temporaryFolder, trace, TRACES, writeTrace } from '../traces.ts';

const STOCK = join(import.meta.dirname, '../golden/stock/storm-q256.arrows.gz');

async function documentOf(...args: string[]): Promise<Report> {
  const { code, out, err } = await replay('report', '--json', ...args);
  expect({ code, err: err.replace(/^replay: .* held no event.*\n/m, '') }).toEqual({
    code: 0,
    err: '',
  });
  return reportSchema.strict().parse(JSON.parse(out));
}

const sum = (counts: readonly number[] = []): number => counts.reduce((all, one) => all + one, 0);

/** What the time line adds up to is what the whole trace has. */
function expectConsistent({ timeline, run }: Report): void {
  for (const virtqueue of run.virtqueues) {
    const line = timeline.virtqueues.find(({ id }) => id === virtqueue.id);
    for (const decision of ['hits', 'fallbacks', 'iotlb', 'ambiguous'] as const) {
      const areas = Object.values(line?.areas ?? {});
      for (const area of areas) {
        const { length } = area[decision] ?? { length: timeline.bins };
        expect(length).toBe(timeline.bins);
      }
      expect(sum(areas.map((area) => sum(area[decision])))).toBe(virtqueue.totals[decision]);
    }
  }
  expect(sum(Object.values(timeline.invalidations.series).map(sum))).toBe(run.ranges.start);
  expect(sum(timeline.invalidations.over_rings)).toBe(run.ranges.overlapping);
  expect(timeline.bins).toBeLessThanOrEqual(2048);
  expect(timeline.bin_ns * timeline.bins).toBeGreaterThan(timeline.span_ns);
}

describe('the document', () => {
  test.each(TRACES)('$name: the time line adds up', async ({ path, design }) => {
    const report = await documentOf(path, '--design', design);
    expect(report.design.name).toBe(design);
    expectConsistent(report);
  });

  test('of a stock host', async () => {
    const file = join(temporaryFolder(), 'storm.arrows');
    writeFileSync(file, gunzipSync(readFileSync(STOCK)));
    const report = await documentOf(file);
    expectConsistent(report);
    expect(report.headline).toMatch(/^Under merged, ≈.* would have hit the direct map\.$/);
    expect(report.cautions.join(' ')).toContain('had no direct map');
    expect(report.timeline.invalidations.by).toBe('cause');
  });

  test('of the same trace as text and as a file is the same', async () => {
    const file = join(temporaryFolder(), 'u1.arrows');
    writeTrace(file, [gunzipSync(readFileSync(trace('u1').path))]);
    const [text, arrows] = [await documentOf(trace('u1').path), await documentOf(file)];
    expect(arrows.timeline).toEqual(text.timeline);
    expect(arrows.headline).toBe(text.headline);
  });

  test('recordings follow one another', async () => {
    const file = join(temporaryFolder(), 'two.arrows');
    const text = gunzipSync(readFileSync(trace('u4').path));
    writeTrace(file, [text, text]);
    const report = await documentOf(file);
    expectConsistent(report);
    const [first, second] = report.timeline.recordings;
    expect(first?.at_ns).toBe(0);
    expect(2 * (second?.at_ns ?? 0)).toBe(report.timeline.span_ns);
    expect(second?.first).toBe(first?.first);
  });

  test('of a span: its line begins with it', async () => {
    const report = await documentOf(trace('s3').path, '--from', '1.5s', '--to', '-0.5s');
    expectConsistent(report);
    const whole = await documentOf(trace('s3').path);
    const [first] = report.timeline.recordings;
    expect(BigInt(first?.first ?? 0)).toBeGreaterThanOrEqual(BigInt(report.run.span?.from ?? 0));
    expect(report.timeline.span_ns).toBeLessThan(whole.timeline.span_ns - 1.9e9);
    expect(report.timeline.span_ns).toBeGreaterThan(whole.timeline.span_ns - 2.2e9);
    expect(report.cautions[0]).toMatch(/^Only a part of the trace is counted/);
  });

  test('holds what the other commands say', async () => {
    const { path } = trace('s3');
    const report = await documentOf(path);
    const json = async (...args: string[]): Promise<unknown> =>
      JSON.parse((await replay(...args, '--json')).out);
    expect(report.run).toEqual(await json('run', path, '--hazards'));
    expect(report.info).toEqual(await json('info', path));
    expect(report.storms).toEqual(await json('storms', path));
    const { traces } = (await json('compare', path)) as { traces: unknown[] };
    expect(report.comparison).toEqual(traces[0]);
    expect(report.storms.storms.length).toBeGreaterThan(0);
    expect(report.run.hazards?.map(({ kind }) => kind)).toContain('stuck_count');
  });

  test('of a span: designs are compared of the same', async () => {
    const { path } = trace('s3');
    const span = ['--from', '1.5s', '--to', '-0.5s'];
    const report = await documentOf(path, ...span);
    const { out } = await replay('compare', '--json', ...span, path);
    const { traces } = JSON.parse(out) as { traces: unknown[] };
    expect(report.comparison).toEqual(traces[0]);
    expect(report.comparison.span).toEqual(report.run.span);
    const merged = report.comparison.designs.find(({ design }) => design === 'merged');
    expect(merged?.decisions).toEqual(report.run.totals);
  });

  test('has a JSON Schema', async () => {
    const { code, out } = await replay('schema', 'report');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ properties: { timeline: {}, headline: {} } });
  });
});

describe('the headline', () => {
  const headline = async (...args: string[]): Promise<string> =>
    (await documentOf(...args)).headline;

  test('says the hit ratio, and its two ends where some is ambiguous', async () => {
    expect(await headline(trace('s3').path)).toBe(
      'Under merged, 11.02 % of 13,316 accesses of ring metadata hit the direct map.',
    );
    expect(await headline(trace('s3').path, '--order', 'ranges')).toMatch(
      /^Under merged, \d+\.\d\d % to \d+\.\d\d % of 13,316 accesses/,
    );
  });

  test('of a design that maps nothing', async () => {
    expect(await headline(trace('u4').path, '--design', 'copy')).toMatch(/^copy maps nothing: all/);
  });

  test('of a trace without accesses', async () => {
    const file = join(temporaryFolder(), 'none.arrows');
    writeTrace(file, ['M 100 0 ffff888000000001\n']);
    expect(await headline(file)).toMatch(/^The trace holds no access/);
  });

  test('is followed by what makes it doubtful', async () => {
    const file = join(temporaryFolder(), 'lost.arrows');
    writeTrace(file, ['M 100 0 ffff888000000001\nLost 7 events\n']);
    const { out } = await replay('report', '--json', file);
    expect((JSON.parse(out) as Report).cautions[0]).toMatch(/^Events are missing/);
  });
});

describe('the output', () => {
  const { path } = trace('u4');

  test('is one file, written over at the next time, and readable by its owner only', async () => {
    const folder = temporaryFolder();
    const output = join(folder, 'report.html');
    const { code, out, err } = await replay('report', path, '-o', output);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toContain('Under merged, ');
    expect(statSync(output).mode & 0o777).toBe(0o600);
    writeFileSync(output, 'what was there before');
    await replay('report', path, '-o', output);
    expect(readFileSync(output, 'utf8')).toMatch(/^<!doctype html>/);
    expect(readdirSync(folder)).toEqual(['report.html']);
  });

  test('goes through a pipe', async () => {
    const { code, out, err } = await replayProcess(['report', path, '-o', '-']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^<!doctype html>[^]*<\/html>\s*$/);
    expect((await shell(`$REPLAY report '${path}' -o - | head -c 9`)).out).toBe('<!doctype');
  });

  test('the page and its data at once', async () => {
    const output = join(temporaryFolder(), 'report.html');
    const { code, out } = await replay('report', path, '-o', output, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ report_version: 1 });
    expect(existsSync(output)).toBe(true);
  });

  test.each([
    [[], 'where should the report go?'],
    [['-o', '-', '--json'], 'both go to standard output'],
    [['-o', '/no/such/folder/x.html'], 'its folder does not exist'],
    [['-o', '/'], 'is a directory'],
    [['-o', path], 'is the trace that is reported on'],
    [['-o', '/dev/full'], 'no space left on the device'],
    [['-o', 'x.html', '--design', 'nonsense'], 'no design is called "nonsense"'],
  ])('%j: one sentence, and nothing is touched', async (args, words) => {
    const { code, out, err } = await replay('report', path, ...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(words);
    expect(err).not.toContain('unexpected');
  });

  test('a folder that cannot be written to keeps what it has', async () => {
    const folder = join(temporaryFolder(), 'report.html');
    mkdirSync(folder);
    const { code, err } = await replay('report', path, '-o', folder);
    expect({ code, files: readdirSync(folder) }).toEqual({ code: 2, files: [] });
    expect(err).toContain('is a directory');
  });
});
