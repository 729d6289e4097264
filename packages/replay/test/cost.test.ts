/** `replay run`: what decisions are worth in packets per second. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runResultSchema } from '../src/run-result.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace } from './traces.ts';

const d1 = trace('d1').path;
const s3 = trace('s3').path;
const stock = join(import.meta.dirname, 'golden/stock/storm-q256.arrows.gz');
const folder = temporaryFolder();

async function costOf(...args: string[]) {
  const { code, out } = await replay('run', '--json', ...args);
  expect(code).toBe(0);
  return runResultSchema.parse(JSON.parse(out)).cost;
}

describe('replay run', () => {
  it('gives the rate of the virtqueue that transmits, with SMAP and without where nothing says', async () => {
    const cost = await costOf(d1);
    expect(cost).toMatchObject({ reason: null, virtqueues: [1], packets: 83_128 });
    expect(cost.rates).toMatchObject([
      { smap: 'on', copied: 5.2, mapped: 6.4 },
      { smap: 'off', copied: 7.1, mapped: 8.2 },
    ]);
    for (const {
      rate: [least, most],
      mapped,
    } of cost.rates) {
      expect(least).toBe(most);
      expect(least).toBeGreaterThan(0.9999 * (mapped ?? Infinity));
    }
    expect(await costOf('--smap', 'off', d1)).toMatchObject({ rates: [{ smap: 'off' }] });
  });

  it('takes SMAP from the header of a live recording', async () => {
    const cost = await costOf(stock);
    expect(cost.rates.map(({ smap }) => smap)).toEqual(['on']);
  });

  it('starts from the two rates that the user measured', async () => {
    const { rates } = await costOf('--calibrate', '1.5, 2', '--smap', 'on', s3);
    expect(rates).toMatchObject([{ smap: null, copied: 1.5, mapped: 2 }]);
    expect(rates[0]?.rate[0]).toBeGreaterThan(1.5);
  });

  it.each([['5'], ['5,x'], ['0,1'], ['5,6,7'], ['-1,2'], ['1e3,2'], ['5,']])(
    'refuses --calibrate %s',
    async (text) => {
      const { code, out, err } = await replay('run', '--calibrate', text, d1);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/--calibrate takes two rates.*\n.*--calibrate 5\.2,6\.4/);
    },
  );

  it('has no rate for a design of which none was published, unless calibrated', async () => {
    const cost = await costOf('--design', 'fixes-v1', s3);
    expect(cost).toMatchObject({ reason: 'no packet rate was published for fixes-v1', rates: [] });
    const { rates } = await costOf('--design', 'copy', '--calibrate', '5,6', s3);
    expect(rates).toMatchObject([{ rate: [5, 5] }]);
    const { out } = await replay('run', '--design', 'fixes-v1', s3);
    expect(out).toContain('packets per second: not known: no packet rate was published');
  });

  it('has no rate where no virtqueue is known to transmit', async () => {
    const path = join(folder, 'one-virtqueue.txt');
    const lines = textOf('u5').split('\n');
    const tx = virtqueuesOf(lines)[1] ?? 'none';
    writeFileSync(path, lines.filter((line) => !line.includes(tx)).join('\n'));
    const cost = await costOf(path);
    expect(cost).toMatchObject({ virtqueues: [], packets: 0, hit_ratio: null, rates: [] });
    expect(cost.reason).toMatch(/^no virtqueue is known to transmit/);
  });

  it('says in its text of what the rates are', async () => {
    const { out } = await replay('run', '--smap', 'on', d1);
    expect(out).toMatch(/SMAP on\s+5\.2\s+6\.4\s+6\.40\s+5\.96 … 6\.40/);
    expect(out).toContain('small packets that a guest transmits');
    expect(out).toContain('±1 access a packet: the rate if the time that maps save a packet');
    const calibrated = await replay('run', '--calibrate', '5,6', d1);
    expect(calibrated.out).toMatch(/calibrated\s+5\.0\s+6\.0\s+6\.00.*\n {2}your rates/);
  });
});

/** Kernel addresses in order. */
function virtqueuesOf(lines: readonly string[]): string[] {
  const found = lines.flatMap((line) => /"?\bZ \d+ \d+ ([0-9a-f]+)/.exec(line)?.[1] ?? []);
  return [...new Set(found)].toSorted();
}
