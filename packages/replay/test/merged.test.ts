/** What was recorded in parts gives the answers of the whole, however it was parted. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runResultSchema, type RunResult } from '../src/run-result.ts';
import { replay } from './in-process.ts';
import { mergeFiles, type MergeInput } from './merged-trace.ts';
import { temporaryFolder, textOf } from './traces.ts';

const folder = temporaryFolder();
let files = 0;

function file(lines: readonly string[]): string {
  const path = join(folder, `${files++}.txt`);
  writeFileSync(path, Buffer.from(`${lines.join('\n')}\n`, 'latin1'));
  return path;
}

async function run(path: string, ...options: string[]): Promise<RunResult> {
  const { out } = await replay('run', '--json', ...options, path);
  return runResultSchema.parse(JSON.parse(out));
}

/** All but names: ids go by what a file tells first. */
function answers(result: RunResult): unknown {
  return {
    ...result,
    trace: '',
    live_since: '',
    assumptions: [],
    cost: { ...result.cost, virtqueues: result.cost.virtqueues.length },
    virtqueues: result.virtqueues.map((virtqueue) => ({ ...virtqueue, id: 0, dev: 0 })),
  };
}

/** What a line is told together with: its kind, of whom, and on which CPU. */
function classOf(line: string): string {
  const [tag = '', , cpu, whom] = line.split(' ');
  return `${tag} ${cpu} ${whom}`;
}

/** The beginning of a real trace, without its first line, and with how much of it a whole recording has. */
function beginning(name: string, lines: number): string[] {
  const [, ...all] = textOf(name).split('\n', lines + 1);
  return all.filter((line) => line !== '');
}

const HEADER = '# vhost-oracle 1';

/** Some number below `below` that goes by a text. */
function drawn(seed: number, text: string, below: number): number {
  let hash = seed;
  for (const letter of text) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x0100_0193);
  return (hash >>> 8) % below;
}

/** The same line, told by somebody who looks a little later. */
function later(line: string, seed: number): string {
  const [tag, time = '0', ...rest] = line.split(' ');
  return [tag, BigInt(time) + BigInt(drawn(seed, line, 900)), ...rest].join(' ');
}

async function merged(inputs: readonly MergeInput[], options = {}): Promise<string> {
  const to = join(folder, `${files++}.arrows`);
  await mergeFiles(to, inputs, options);
  return to;
}

describe('files of one host', () => {
  it('answer as one, parted by what they tell, also where a later file tells it again', async () => {
    await assert(
      asyncProperty(
        record({
          name: constantFrom('s3', 'f1', 'u4'),
          lines: integer({ min: 100, max: 2000 }),
          parts: integer({ min: 2, max: 4 }),
          seed: integer(),
        }),
        async ({ name, lines, parts, seed }) => {
          const text = beginning(name, lines);
          const whole = await run(file([HEADER, ...text]));
          const texts = Array.from({ length: parts }, (): string[] => [HEADER]);
          for (const line of text) {
            const teller = drawn(seed, classOf(line), parts);
            texts[teller]?.push(line);
            for (let other = teller + 1; other < parts; other++)
              if (drawn(seed + other, classOf(line), 4) === 0)
                texts[other]?.push(later(line, seed));
          }
          const told = texts.filter(({ length }) => length > 1);
          const path = await merged(told.map((part) => ({ path: file(part) })));
          expect(answers(await run(path))).toEqual(answers(whole));
        },
      ),
      { numRuns: 5 },
    );
  });

  it('answer as one, parted by CPU, with a clock that is off', async () => {
    const text = beginning('s1', 4000);
    const parts = ['0', '1'].map((cpu) => text.filter((line) => line.split(' ')[2] === cpu));
    const moved = parts.map((part, number) =>
      part.map((line) => line.replace(/ (\d+) /, (_, time) => ` ${Number(time) + 777 * number} `)),
    );
    const path = await merged(
      moved.map((part, number) => ({
        path: file([HEADER, ...part]),
        offset: BigInt(-777 * number),
      })),
    );
    const whole = await run(file([HEADER, ...text]));
    const together = await run(path);
    expect(answers(together)).toEqual(answers(whole));
    expect(together.assumptions.join('\n')).toMatch(/clocks of .* are off by what --offset said/);
  });
});

describe('files of different hosts', () => {
  it.each([[], ['--preempt', 'voluntary']])('each answer as by itself %s', async (...options) => {
    const alone = ['s3', 'u1', 's3'].map((name) => file([HEADER, ...beginning(name, 3000)]));
    const singles: RunResult[] = [];
    for (const path of alone) singles.push(await run(path, '--order', 'ranges', ...options));
    // All at once: the second and third begin while the first goes on.
    const inputs = alone.map((path, number) => ({ path, offset: BigInt(number) * 1_000_000n }));
    const path = await merged(inputs, { areDifferentHosts: true });
    const together = await run(path, '--order', 'ranges', ...options);
    const virtqueues = (result: RunResult): unknown =>
      result.virtqueues.map(({ rounds, totals, accessors }) => ({ rounds, totals, accessors }));
    expect(virtqueues(together)).toEqual(singles.flatMap(virtqueues));
    expect(together.hosts).toEqual(
      singles.map(({ virtqueues: own }, number) => {
        const before = singles.slice(0, number).flatMap((single) => single.virtqueues).length;
        return { file: alone[number], virtqueues: own.map((_, at) => before + at) };
      }),
    );
    expect(singles.map(({ hosts }) => hosts)).toEqual([null, null, null]);
    const text = (await replay('run', '--order', 'ranges', ...options, path)).out;
    expect(text).toMatch(/^hosts {7}vq 0 to 1 of .*\.txt\n {12}vq 2 to 3 of /m);
    expect((await replay('info', path)).out.replaceAll(/\s+/g, ' ')).toMatch(
      /its virtqueues are vq 2 to 3, its CPU 0 is 2,/,
    );
    const { out } = await replay('info', '--json', path);
    const { recordings, merged: says } = JSON.parse(out) as {
      recordings: { cpus: number[] }[];
      merged: { sources: { firstCpu: number; firstProcess: number }[] };
    };
    expect(recordings.map(({ cpus }) => cpus)).toEqual([[0, 1, 2, 3, 4]]);
    expect(says.sources.map(({ firstCpu, firstProcess }) => [firstCpu, firstProcess])).toEqual([
      [0, 0],
      [2, 4_194_304],
      [3, 8_388_608],
    ]);
  });
});
