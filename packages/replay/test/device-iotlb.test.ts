/** A recording of a device with an IOTLB that logs dirty memory: what `replay run` makes of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runResultSchema, type RunResult } from '../src/run-result.ts';
import { replay } from './in-process.ts';
import { temporaryFolder } from './traces.ts';

const VQ = 'ffff8cc54f964ab0';
const DEV = 'ffff8cc54f960000';
/** Bits of the ring's word: the device IOTLB is on and told of, and what it keeps of the areas. */
const [ON, DESC, AVAIL, USED] = [0x420n << 48n, 1n << 55n, 1n << 56n, 1n << 57n];
const INDICES = 0x000c_002e_002e_002en;
const word = (kept: bigint): string => (INDICES | ON | kept).toString(16);

/** The second round misses its used ring, the third a buffer. */
const TEXT = `# vhostscope 1
V 1000 0 ${VQ} ${DEV} 214 1 1
U 1001 0 ${VQ} 0 80001000 4096 -
U 1002 0 ${VQ} 1 80002000 518 -
U 1003 0 ${VQ} 2 80003000 2054 -
I 1004 0 ${VQ} 1
M 2000 0 ${VQ}
D 2800 0 ${VQ} 3 4 0
E 2900 0 ${VQ} 2 256 0 ${word(DESC | AVAIL | USED)} ${word(DESC | AVAIL | USED)}
IV 2950 1 ${DEV} 80003000 1000
M 3000 0 ${VQ}
IM 3100 0 ${VQ} 80003000 2
E 3200 0 ${VQ} 2 256 0 ${word(DESC)} ${word(DESC | AVAIL)}
IU 9100 1 ${DEV} 80003000 4096 3
M 10000 0 ${VQ}
IM 10100 0 ${VQ} 90001234 1
D 10800 0 ${VQ} 1 0 1
E 10900 0 ${VQ} 2 256 0 ${word(0n)} ${word(DESC | AVAIL | USED)}
`;

const path = join(temporaryFolder(), 'iotlb.txt');
writeFileSync(path, TEXT);

async function run(...options: string[]): Promise<RunResult> {
  const { out, code } = await replay('run', path, '--json', ...options);
  expect(code).toBe(0);
  return runResultSchema.parse(JSON.parse(out));
}

describe('a device with an IOTLB', () => {
  it('is told of by lookups, misses and answers', async () => {
    const { device_iotlb: found } = await run();
    expect(found).toEqual({
      misses_told: true,
      virtqueues: [
        {
          id: 0,
          dev: 0,
          rounds: 3,
          skipped: 1,
          misses: { desc: 0, avail: 0, used: 1, buffer: 1 },
          meta: {
            desc: { hits: 2, misses: 1 },
            avail: { hits: 1, misses: 2 },
            used: { hits: 1, misses: 2 },
          },
        },
      ],
      devices: [
        {
          dev: 0,
          misses: 2,
          updates: 1,
          invalidations: 1,
          answered: 1,
          wait_mean: 6000,
          wait_longest: 6000,
          storms: 0,
        },
      ],
      storms: [],
    });
  });

  it('accesses nothing in a round that lacks a translation of the ring', async () => {
    const { totals: all } = await run();
    const { totals } = await run('--from', '3000', '--to', '9000');
    expect(all.iotlb).toBe(all.accesses);
    expect(all.accesses).toBeGreaterThan(0);
    expect(totals.accesses).toBe(0);
  });

  it('has no lookups where nobody told of any', async () => {
    const untold = TEXT.replaceAll(/[0-9a-f]{15}(?=(?: [0-9a-f]{15})?$)/gm, (ring) =>
      (BigInt(`0x${ring}`) & ~(0x400n << 48n)).toString(16),
    );
    writeFileSync(`${path}.untold`, untold);
    const { out } = await replay('run', `${path}.untold`, '--json');
    const { device_iotlb: iotlb } = runResultSchema.parse(JSON.parse(out));
    expect(iotlb?.virtqueues).toMatchObject([{ rounds: 3, meta: null }]);
    const { out: text } = await replay('run', `${path}.untold`);
    expect(text).toMatch(/^ +vq 0 \(dev 0\) +3 +1 +– +1 +1$/m);
  });

  it('that is not on is not told of', async () => {
    const plain = INDICES.toString(16);
    const ends = / [0-9a-f]+ [0-9a-f]+$/gm;
    const rounds = TEXT.split('\n').filter((line) => !/^[ID]/.test(line));
    const text = rounds.map((line) =>
      line.startsWith('E') ? line.replace(ends, ` ${plain} ${plain}`) : line,
    );
    writeFileSync(`${path}.off`, text.join('\n'));
    const { out } = await replay('run', `${path}.off`, '--json');
    const { device_iotlb: iotlb, dirty_log: log } = runResultSchema.parse(JSON.parse(out));
    expect({ iotlb, log }).toEqual({ iotlb: null, log: null });
  });
});

it('a dirty log is told of by bits and get_user_pages calls', async () => {
  const { dirty_log: log } = await run();
  expect(log?.virtqueues).toEqual([
    { id: 0, dev: 0, writes: 4, bits: 4, gup_calls: 5, gup_failures: 1, atomics: 12 },
  ]);
});

it('both are told to people', async () => {
  const { out } = await replay('run', path);
  expect(out.slice(out.indexOf('device IOTLB:'))).toMatchInlineSnapshot(`
    "device IOTLB: 3 rounds went by it, 1 of them left at once, as a translation of the ring was missing
      virtqueue     rounds  left  meta-IOTLB hits  ring misses  buffer misses
      vq 0 (dev 0)       3     1          44.44 %            1              1
      dev 0: 2 misses, 1 update and 1 invalidation by its owner, each of which drops what the meta-IOTLB
        keeps; of 1 miss the answer was seen, after 6.00 µs on average and 6.00 µs at most

    dirty log: 4 bits set for 4 writes, by 5 get_user_pages calls (1 failed) and at least 12 atomic
      operations; no design spares them
      virtqueue     writes  bits  GUP calls  failed
      vq 0 (dev 0)       4     4          5       1

    packets per second: not known: every access goes through the device IOTLB, with which no rate was
      measured

    ≈: concluded from what the indices of the ring moved by, as if each chain were as long as the last that was read
       and no head were fetched twice; collector attach --detail calls counts them. What is sure is only that there
       were 6 to 8; the hit ratio is that of the estimates (--json has the spans)
    "
  `);
});
