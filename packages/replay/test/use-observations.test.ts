/** `--use-observations`: recorded attempts settle maps, and are not passed off as predictions. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runResultSchema, type RunResult } from '../src/run-result.ts';
import { verifyResultSchema } from '../src/verify-result.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace } from './traces.ts';

const folder = temporaryFolder();

/** Without the effects, so that `auto` takes ranges. */
function rangesOf(name: string, keep: (line: string) => boolean = () => true): string {
  const path = join(folder, `${name}.txt`);
  const lines = textOf(name).split('\n');
  const left = lines.filter((line) => !/^I[SE] /.test(line) && keep(line));
  writeFileSync(path, left.join('\n'), 'latin1');
  return path;
}

function share({ totals }: RunResult): number {
  return (100 * totals.ambiguous) / totals.accesses;
}

describe.each([
  ['s1', 20],
  ['s2', 10],
  ['s3', 3],
  ['s4', 6],
  ['f1', 10],
])('%s', (name, most) => {
  it(`leaves at most ${most} % of the accesses in doubt, and is not wrong`, async () => {
    const { design } = trace(name);
    const options = ['--design', design, '--preempt', 'voluntary', '--use-observations', '--json'];
    const path = rangesOf(name);
    const ran = await replay('run', ...options, path);
    expect(ran).toMatchObject({ code: 0, err: '' });
    const run = runResultSchema.parse(JSON.parse(ran.out));
    expect(run).toMatchObject({ order: 'ranges', uses_observations: true });
    expect(share(run)).toBeLessThanOrEqual(most);
    const { code, out } = await replay('verify', ...options, path);
    const verified = verifyResultSchema.parse(JSON.parse(out));
    expect(code).toBe(0);
    expect(verified).toMatchObject({ uses_observations: true, disagree: 0, first: [] });
    // Every attempt is there: predicted before it was seen, or settled by what was seen.
    const { compared, settled } = verified.refusals;
    expect(settled).toBeGreaterThan(0);
    expect(compared + settled).toBe(Object.values(run.prefetch).reduce((a, b) => a + b, 0));
  });
});

it('without the option no attempt is settled, and the result says so', async () => {
  const { out } = await replay('verify', '--json', '--order', 'ranges', trace('s3').path);
  const result = verifyResultSchema.parse(JSON.parse(out));
  expect(result.uses_observations).toBe(false);
  expect(result.refusals.settled).toBe(0);
});

it('where recorded effects answer, observations are not used', async () => {
  const { out } = await replay('run', '--json', '--use-observations', trace('s3').path);
  expect(JSON.parse(out)).toMatchObject({ order: 'effects', uses_observations: false });
});

it('is said to people, with what is not compared', async () => {
  const { out } = await replay('verify', '--use-observations', rangesOf('s3'));
  expect(out).toContain(
    'attempts    as recorded: right only if merged ran on the recording kernel\n',
  );
  expect(out).toMatch(/\nnot compared: \d+ attempts that only their own observation settled\n/);
});

it('effects order has no use for it', async () => {
  const { code, out, err } = await replay(
    'run',
    '--order',
    'effects',
    '--use-observations',
    trace('s3').path,
  );
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(
    /^replay: --use-observations is for ranges order, .*\nreplay: recorded effects/,
  );
});

it.each([
  ['no attempts', (line: string) => !line.startsWith('P ')],
  ['no refused attempts', (line: string) => !/^P .* -14 -1000 /.test(line)],
])('a trace with %s has no answer', async (_what, keep) => {
  const { code, out, err } = await replay('run', '--use-observations', rangesOf('s3', keep));
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(
    /replay: [\d,]+ attempts? to map \(P\) that must have been made (?:is|are) not in the trace, so --use-observations has no answer\nreplay: leave it out: .*\n$/,
  );
});

it('attempts of another design contradict, and that is said', async () => {
  const args = ['--use-observations', '--design', 'merged', '--preempt', 'voluntary'];
  const path = rangesOf('f1');
  const said = /replay: \d+ recorded attempts? cannot be of merged: with --use-observations /;
  const ran = await replay('run', ...args, path);
  expect(ran.code).toBe(0);
  expect(ran.err).toMatch(said);
  const verified = await replay('verify', ...args, path);
  expect(verified.code).toBe(1);
  expect(verified.err).toMatch(said);
});
