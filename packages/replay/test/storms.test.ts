/** `replay storms` on real recordings, against a count of their text. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runResultSchema } from '../src/run-result.ts';
import { stormsResultSchema } from '../src/storms-result.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace } from './traces.ts';

const stock = join(import.meta.dirname, 'golden/stock/storm-q256.arrows.gz');
const folder = temporaryFolder();

async function storms(...args: string[]) {
  const { code, out, err } = await replay('storms', '--json', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return stormsResultSchema.parse(JSON.parse(out));
}

/** Starts of ranges over rings as they were then, and accesses, by time. */
function countText(prefix: string) {
  const areas = new Map<string, readonly [bigint, bigint]>();
  const starts: bigint[] = [];
  const accesses: { time: bigint; hit: string | undefined }[] = [];
  const lines = textOf(prefix)
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([tag = '', time = '']) => /^[URA]$/.test(tag) && /^\d+$/.test(time))
    .toSorted(([, a = ''], [, b = '']) => Number(BigInt(a) - BigInt(b)));
  const hex = (text = '0'): bigint => BigInt(`0x${text}`);
  for (const [tag, at = '', , object, third, fourth, fifth] of lines) {
    const time = BigInt(at);
    if (tag === 'A') accesses.push({ time, hit: fourth });
    if (tag === 'U')
      areas.set(`${object} ${third}`, [hex(fourth), hex(fourth) + BigInt(fifth ?? 0) - 1n]);
    if (tag !== 'R' || third !== '1') continue;
    const [start, end] = [hex(fourth), hex(fifth)];
    if ([...areas.values()].some(([first, last]) => end >= first && start <= last))
      starts.push(time);
  }
  return { starts, accesses };
}

describe.each(['s1', 's2', 's3', 's4'])('%s', (prefix) => {
  it('has storms whose numbers are those of its text', async () => {
    const { path } = trace(prefix);
    const result = await storms('--storm-rate', '20', path);
    expect(result.storms.length).toBeGreaterThan(0);
    const { starts, accesses } = countText(prefix);
    for (const storm of result.storms) {
      const [begin, end] = [BigInt(storm.begin), BigInt(storm.end)];
      const isIn = (time: bigint): boolean => begin <= time && time <= end;
      expect(storm.ranges).toBe(starts.filter(isIn).length);
      const inside = accesses.filter(({ time }) => isIn(time));
      expect(storm.accesses).toBe(inside.length);
      expect(storm.fallbacks).toBe(inside.filter(({ hit }) => hit === '0').length);
      expect(storm.first.time).toBe(storm.begin);
      expect(storm.last.time).toBe(storm.end);
      expect(Object.values(storm.causes).reduce((sum, ranges) => sum + ranges, 0)).toBe(
        storm.ranges,
      );
      expect(storm.classes).toBeNull();
    }
  });

  it('is what `run` counts from the storm to its end', async () => {
    const { path } = trace(prefix);
    const { storms: found } = await storms(path);
    for (const { number, accesses, hits } of found) {
      const span = ['--from', `storm:${number}`, '--to', `storm:${number}`];
      const { out } = await replay('run', '--json', ...span, path);
      expect(runResultSchema.parse(JSON.parse(out)).totals).toMatchObject({ accesses, hits });
      const touching = await storms(...span, path);
      expect(touching.storms.map((storm) => storm.number)).toContain(number);
    }
  });
});

describe('storms', () => {
  it('cost packets: none where all hit, the published gain where none does', async () => {
    const { storms: found } = await storms('--smap', 'on', trace('s3').path);
    const [{ rates: [rate] } = { rates: [] }] = found;
    expect(rate?.lost[0]).toBeGreaterThan(1);
    expect(rate?.lost[1]).toBeLessThanOrEqual(6.4 - 5.2 + 1e-9);
    const without = await storms('--design', 'fixes-v1', trace('s3').path);
    expect(without.cost_reason).toMatch(/no packet rate was published/);
    expect(without.storms.map(({ rates }) => rates)).toEqual(without.storms.map(() => []));
  });

  it('tell what they cost with SMAP and without, or by rates of one’s own', async () => {
    const lost = async (...args: string[]): Promise<string | undefined> =>
      /^ {2}Mpps lost: (.*)$/m.exec((await replay('storms', ...args, trace('s3').path)).out)?.[1];
    expect(await lost()).toMatch(/^1\.\d\d with SMAP on, 1\.\d\d with SMAP off$/);
    expect(await lost('--smap', 'off')).toMatch(/^1\.\d\d with SMAP off$/);
    expect(await lost('--calibrate', '5,6')).toMatch(/^0\.\d\d$/);
  });

  it('are found in a recording of a stock host', async () => {
    const result = await storms('--storm-rate', '5', stock);
    expect(result).toMatchObject({ host: 'stock', storms: [{ by: ['rate'], classes: null }] });
    const [storm] = result.storms;
    expect(storm?.accesses).toBe(
      (storm?.hits ?? 0) + (storm?.fallbacks ?? 0) + (storm?.ambiguous ?? 0),
    );
    expect(storm?.processes.map(({ comm }) => comm)).toContain('ksmd');
  });

  it('of a live recording are told by the time of their events', async () => {
    const { live_since: since, storms: found } = await storms('--storm-rate', '5', stock);
    const { out } = await replay('storms', '--storm-rate', '5', stock);
    const seconds = (time = '0'): string =>
      (Number(BigInt(time) - BigInt(since ?? 0)) / 1e9).toFixed(9);
    const [{ first, last } = { first: undefined, last: undefined }] = found;
    expect(out).toContain(
      `  events ${first?.time} to ${last?.time} ns, ${seconds(first?.time)} to ${seconds(last?.time)} s`,
    );
    expect((await storms(trace('s3').path)).live_since).toBeNull();
  });

  it('tell the lines of their events by number, where those of a CPU stand behind those of others', async () => {
    const [header = '', ...lines] = textOf('s3').trimEnd().split('\n');
    const cpuOf = (line: string): number => Number(line.split(' ')[2] ?? 0);
    const path = join(folder, 'by-cpu.txt');
    const [original] = (await storms(trace('s3').path)).storms;
    const sorted = lines.toSorted((a, b) => cpuOf(b) - cpuOf(a));
    writeFileSync(path, [header, ...sorted, ''].join('\n'), 'latin1');
    const [storm] = (await storms(path)).storms;
    expect(storm).toMatchObject({ begin: original?.begin, end: original?.end });
    // Of ranges, those over rings are enough to tell.
    const inside = sorted.flatMap((line, at) => {
      const [tag, time = ''] = line.split(' ');
      const isIn = time >= (storm?.begin ?? '') && time <= (storm?.end ?? '');
      return tag === 'R' && isIn ? [at + 2] : [];
    });
    const [least, most] = storm?.lines ?? [0, 0];
    expect(least).toBeLessThanOrEqual(Math.min(storm?.first.line ?? 0, storm?.last.line ?? 0));
    expect(most).toBeGreaterThanOrEqual(Math.max(storm?.first.line ?? 0, storm?.last.line ?? 0));
    expect(inside).toContain(least);
    expect(inside).toContain(most);
    const { out } = await replay('storms', path);
    expect(out).toContain(` ns, in lines ${least} to ${most}\n`);
  });

  it('are not there where no range comes over a ring', async () => {
    expect((await storms(trace('d1').path)).storms).toEqual([]);
    const { out } = await replay('storms', trace('d1').path);
    expect(out).toContain('no storm: 100 ranges or more');
  });

  it.each([['0'], ['x'], ['1.5'], ['10001'], ['-1']])('refuse --storm-rate %s', async (rate) => {
    const { code, err } = await replay('storms', '--storm-rate', rate, trace('u5').path);
    expect(code).toBe(2);
    expect(err).toContain(`--storm-rate takes ranges per second, 1 to 10000, not "${rate}"`);
  });

  it('say which there are when one is asked for that is not there', async () => {
    const none = await replay('run', '--from', 'storm:1', trace('d1').path);
    expect(none).toMatchObject({ code: 2, out: '' });
    expect(none.err).toMatch(/there is no storm 1 .*\n.*it has none of 100 ranges a second/);
    const few = await replay('run', '--from', 'storm:9', trace('s3').path);
    expect(few.err).toMatch(/there is no storm 9 .*\n.*it has 1 storm: replay storms lists them/);
    const explained = await replay('explain', '--at', 'storm:1', trace('s3').path);
    expect(explained.code).toBe(0);
  });

  it('let no name of a process reach the terminal as it is', async () => {
    const path = join(folder, 'hostile.txt');
    const hostile = textOf('s3').replaceAll('chaos worker', 'a\\x1b[2Jb\\x0a');
    writeFileSync(path, hostile, 'latin1');
    const { out } = await replay('storms', path);
    // eslint-disable-next-line no-control-regex -- that is what must not be there
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(out).toContain('a\\x1b[2Jb');
    expect(out.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });
});
