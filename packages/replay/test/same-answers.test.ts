/** The form that a trace comes in makes no difference, nor does what else is in the file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { assert, asyncProperty, infiniteStream, integer, nat, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runResultSchema, type RunResult } from '../src/run-result.ts';
import { replayProcess } from './child-process.ts';
import { replay } from './in-process.ts';
import { asJsonLines, temporaryFolder, textOf, trace, writeTrace } from './traces.ts';

const folder = temporaryFolder();

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
  return path;
}

function parsed(out: string): RunResult {
  return runResultSchema.parse(JSON.parse(out));
}

async function run(path: string): Promise<RunResult> {
  const { code, out, err } = await replay('run', '--json', path);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return parsed(out);
}

/** What has to be the same whatever the trace was called. */
async function answers(path: string): Promise<unknown> {
  const verified = await replay('verify', '--json', path);
  const checked = await replay('check', '--json', path);
  return {
    check: { ...(JSON.parse(checked.out) as object), trace: '' },
    run: { ...(await run(path)), trace: '' },
    verify: { ...(JSON.parse(verified.out) as object), trace: '' },
  };
}

/** Without what names a virtqueue: its id, recording and device. */
const contents = ({ virtqueues }: RunResult, recording: number): unknown =>
  virtqueues
    .filter((virtqueue) => virtqueue.recording === recording)
    .map(({ rounds, totals, accessors }) => ({ rounds, totals, accessors }));

describe.each(['d1', 's3', 'u5'])('%s', (name) => {
  const { path } = trace(name);
  const isJson = name === 'u5';

  it('gives the same answers plain, as JSON, and as a trace file', async () => {
    const reference = await answers(path);
    const text = textOf(name);
    expect(await answers(file(`${name}.txt`, text))).toEqual(reference);
    if (!isJson) expect(await answers(file(`${name}.json`, asJsonLines(text)))).toEqual(reference);
    const arrows = join(folder, `${name}.arrows`);
    writeTrace(arrows, [text]);
    expect(await answers(arrows)).toEqual(reference);
    const gzipped = file(`${name}.arrows.gz`, gzipSync(readFileSync(arrows), { level: 1 }));
    expect(await answers(gzipped)).toEqual(reference);
  });
});

describe.each(['s3', 'u5'])('%s', (name) => {
  const { path } = trace(name);

  it('gives the same answers from standard input: gzip, plain, a trace file, one gzipped', async () => {
    const reference = { ...(await run(path)), trace: 'standard input' };
    const gzip = readFileSync(path);
    const arrows = join(folder, `${name}-piped.arrows`);
    writeTrace(arrows, [gunzipSync(gzip)]);
    const made = readFileSync(arrows);
    for (const input of [gzip, gunzipSync(gzip), made, gzipSync(made, { level: 1 })]) {
      const { code, out, err } = await replayProcess(['run', '--json', '-'], input);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(parsed(out)).toEqual(reference);
    }
  });
});

describe('several recordings in one file', () => {
  it.each([
    ['text after text', 's3', 's3'],
    ['text after JSON', 'u5', 's3'],
    ['JSON after text', 's3', 'u5'],
  ])('%s: the sum of both, with the virtqueues of each apart', async (label, first, second) => {
    const [a, b] = [await run(trace(first).path), await run(trace(second).path)];
    const text = file(`${label}.txt`, textOf(first) + textOf(second));
    const arrows = join(folder, `${label}.arrows`);
    writeTrace(arrows, [textOf(first), textOf(second)]);
    for (const path of [text, arrows]) {
      const both = await run(path);
      expect(both.totals.accesses).toBe(a.totals.accesses + b.totals.accesses);
      expect(both.totals.hits).toBe(a.totals.hits + b.totals.hits);
      expect(both.totals.fallbacks).toBe(a.totals.fallbacks + b.totals.fallbacks);
      expect(both.rounds).toBe(a.rounds + b.rounds);
      expect(both.ranges.start).toBe(a.ranges.start + b.ranges.start);
      expect(both.prefetch.built).toBe(a.prefetch.built + b.prefetch.built);
      expect(contents(both, 0)).toEqual(contents(a, 0));
      expect(contents(both, 1)).toEqual(contents(b, 0));
      const ids = both.virtqueues.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('verifies each from its own beginning', async () => {
    const path = file('verify-two.txt', textOf('s3') + textOf('u5'));
    const { code, out } = await replay('verify', '--json', path);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ disagree: 0, order: 'effects' });
  });
});

describe('the order in which the CPUs were printed', () => {
  it.each(['s3', 's2'])('%s: makes no difference', async (name) => {
    // Ids go by what is named first.
    const withoutNames = (result: RunResult): unknown => ({
      ...result,
      trace: '',
      cost: { ...result.cost, virtqueues: result.cost.virtqueues.length },
      virtqueues: contents(result, 0),
    });
    const reference = withoutNames(await run(trace(name).path));
    const [header = '', ...lines] = textOf(name).trimEnd().split('\n');
    const byCpu = new Map<string, string[]>();
    for (const line of lines) {
      const cpu = line.split(' ')[2] ?? '';
      const queue = byCpu.get(cpu);
      if (queue === undefined) byCpu.set(cpu, [line]);
      else queue.push(line);
    }
    expect(byCpu.size).toBe(2);
    const runs = infiniteStream(tuple(nat(1), integer({ min: 1, max: 5000 })));
    await assert(
      asyncProperty(runs, async (stream) => {
        const left = [...byCpu.values()].map((queue) => [...queue]);
        const printed = [header];
        for (const [cpu, length] of stream) {
          if (left.every((queue) => queue.length === 0)) break;
          printed.push(...(left[cpu] ?? []).splice(0, length));
        }
        const shuffled = file('shuffled.txt', `${printed.join('\n')}\n`);
        expect(withoutNames(await run(shuffled))).toEqual(reference);
      }),
      { numRuns: 8 },
    );
  });
});
