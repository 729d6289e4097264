/** The built program where there is no terminal: lines of text, and of JSON. */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { statusSchema, type Status } from '../src/plain/status.ts';
import { plainLine } from '../src/plain/plain-line.ts';
import { fileSession } from './driven-session.ts';
import { temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const BIN = join(import.meta.dirname, '../bin/tui.js');
const folder = temporaryFolder();

interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
}

function start(
  args: readonly string[],
  input: 'pipe' | 'ignore' = 'ignore',
  { preload, env }: { preload?: string; env?: Readonly<Record<string, string>> } = {},
): Running {
  const before = preload === undefined ? [] : ['--import', preload];
  const child = spawn(process.execPath, [...before, BIN, ...args], {
    stdio: [input, 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<{ code: number | null; out: string; err: string }>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, out, err }));
    },
  );
  return { child, out: () => out, ended };
}

/** The documents of a stream, each as the schema says. */
function statuses(out: string): Status[] {
  expect(out.endsWith('\n')).toBe(true);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => statusSchema.strict().parse(JSON.parse(line)));
}

test('a finished trace is one line, with the numbers of the screen', async () => {
  const { code, out, err } = await start([TRACES.s3]).ended;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const session = await fileSession(TRACES.s3);
  expect(out).toBe(plainLine(session.settle()));
  await session.close();
});

test('--json: one document, with the numbers of both designs', async () => {
  const { code, out, err } = await start([TRACES.s3, '--json', '--beside', 'copy']).ended;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const [status, ...others] = statuses(out);
  expect(others).toEqual([]);
  const session = await fileSession(TRACES.s3);
  const view = session.settle();
  const { isEstimated: estimated, ...total } = view.total.total;
  expect(status).toMatchObject({
    source: { kind: 'file', state: 'ended' },
    design: 'merged',
    beside: 'copy',
    at: view.clock.at,
    chosen: { total: { ...total, estimated } },
    beside_chosen: { total: { accesses: total.accesses, hits: 0, fallbacks: total.accesses } },
  });
  await session.close();
});

test('--speed: a line a second from the start to the end', async () => {
  const { code, out } = await start([TRACES.s3, '--json', '--speed', '1']).ended;
  expect(code).toBe(0);
  const all = statuses(out);
  // It lasts two seconds and a half.
  expect(all.length).toBeGreaterThanOrEqual(3);
  const moments = all.map(({ at }) => at);
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  expect(moments[0]).toBeLessThan(1.6e9);
  expect(all.at(-1)).toMatchObject({ at: (all[0]?.end ?? 0) + 1 });
});

test('a pipe: what came by then each second, and all of it at its end', async () => {
  const { child, out, ended } = start(['-'], 'pipe');
  const lines = textOf(TRACES.s3).split(/(?<=\n)/);
  child.stdin?.write(lines.slice(0, 8000).join(''), 'latin1');
  await expect.poll(out, { timeout: 10_000 }).toMatch(/^\d+\.\d{3} s {2}merged .*\n/);
  child.stdin?.end(lines.slice(8000).join(''), 'latin1');
  const { code, out: all } = await ended;
  expect(code).toBe(0);
  const session = await fileSession(TRACES.s3);
  expect(all.split(/(?<=\n)/).at(-1)).toBe(plainLine(session.settle()));
  await session.close();
});

test('Ctrl-C tells where it was, and ends with 130; a reader that has enough ends it with 0', async () => {
  const { bytes, ends } = writeTrace(join(folder, 'whole'), textOf(TRACES.s3), 5);
  const path = join(folder, 'growing.arrows');
  writeFileSync(path, bytes.subarray(0, ends[2]));
  const stopped = start(['--follow', path, '--json']);
  await expect.poll(stopped.out, { timeout: 10_000 }).toMatch(/"events":[1-9]\d*.*\n/);
  stopped.child.kill('SIGINT');
  const { code, out } = await stopped.ended;
  expect(code).toBe(130);
  expect(statuses(out).at(-1)).toMatchObject({
    source: { kind: 'growing file', state: 'reading' },
  });

  const left = start(['--follow', path]);
  left.child.stdout?.once('data', () => left.child.stdout?.destroy());
  expect((await left.ended).code).toBe(0);
});

test.each([1, 2, 3, 5, 8, 13, 40, 80, 110])(
  'Ctrl-C while it is busy with read %i of a finished trace ends with 130 all the same',
  async (nth) => {
    const path = join(folder, 'finished.arrows');
    writeFileSync(path, writeTrace(join(folder, 'finished'), textOf(TRACES.s3), 5).bytes);
    const { code, out, err } = await start([path, '--json'], 'ignore', {
      preload: join(import.meta.dirname, 'signalled-at-a-read.mjs'),
      env: { SIGNAL_AT_READ: String(nth) },
    }).ended;
    expect({ code, err }).toEqual({ code: 130, err: '' });
    // Whatever was known is told once, or nothing.
    expect(out === '' ? [] : statuses(out)).toHaveLength(out === '' ? 0 : 1);
  },
);

test('--schema is that of the lines', async () => {
  const { code, out } = await start(['--schema']).ended;
  expect(code).toBe(0);
  expect(Object.keys(JSON.parse(out).properties)).toEqual(Object.keys(statusSchema.shape));
});

test('a growing file that is damaged: the last line tells all that could be read', async () => {
  const path = join(folder, 'damaged.arrows');
  const { bytes, ends } = writeTrace(path, textOf(TRACES.s3), 7);
  const [, , third = 0] = ends;
  const damage = Buffer.alloc(64, 7);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, third), damage, bytes.subarray(third)]));
  const { code, out } = await start(['--follow', path, '--json']).ended;
  expect(code).toBe(2);
  const last = statuses(out).at(-1);
  expect(last?.source).toMatchObject({ state: 'gone' });
  expect(last?.at).toBe((last?.end ?? 0) + 1);
  expect(last?.events).toBeGreaterThan(1000);
});

test('--follow of a text is refused at once, with the command that shows it', async () => {
  const path = join(folder, 'growing.txt');
  writeFileSync(path, textOf(TRACES.s3), 'latin1');
  expect(await start(['--follow', path]).ended).toEqual({
    code: 2,
    out: '',
    err:
      `tui: ${path} is no trace, and --follow follows only a trace file\n` +
      `tui: text that grows is shown by: tail -c +1 -F ${path} | tui -\n`,
  });
});

test('what cannot be shown is said in a line, without a stack trace', async () => {
  const none = await start([join(folder, 'none.arrows')]).ended;
  expect(none).toMatchObject({ code: 2, out: '' });
  expect(none.err).toMatch(/^tui: cannot read .*none\.arrows: no such file.*\n$/);
  const both = await start(['a', '--socket', 'b']).ended;
  expect(both).toMatchObject({ code: 2, out: '' });
  expect(both.err).toMatch(/^tui: both a source, a, and --socket b are named/);
});
