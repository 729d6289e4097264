/** The built program as a process: exit codes, pipes, standard input. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BIN, replayProcess, shell } from './child-process.ts';
import { temporaryFolder, textOf, trace } from './traces.ts';

const GOLDEN = join(import.meta.dirname, 'golden');

const folder = temporaryFolder();
const quoted = (path: string): string => `'${path}'`;
const d1 = quoted(trace('d1').path);
const u5 = quoted(trace('u5').path);
const f1 = quoted(trace('f1').path);

describe.concurrent('exit codes', () => {
  it.each<[number, string]>([
    [0, `$REPLAY run ${u5}`],
    [0, `$REPLAY verify --order ranges ${u5}`],
    [0, '$REPLAY --help'],
    [1, `$REPLAY verify --design merged ${f1}`],
    [1, `$REPLAY verify --design copy --json ${u5}`],
    [0, `$REPLAY check ${u5}`],
    [1, `zcat ${u5} | sed 900d | $REPLAY check -`],
    [1, `zcat ${u5} | sed 900d | $REPLAY check --json -`],
    [2, `$REPLAY check ${u5} > /dev/full`],
    [2, '$REPLAY run /does/not/exist'],
    [2, '$REPLAY run -'],
    [2, '$REPLAY'],
    [2, `$REPLAY run ${u5} > /dev/full`],
    [2, `$REPLAY info --json ${u5} > /dev/full`],
  ])('%i: %s', async (expected, command) => {
    const { code, err } = await shell(command);
    expect(code).toBe(expected);
    expect(err).not.toMatch(/unexpected|is a bug|^ +at /m);
    expect(err === '').toBe(expected < 2);
  });
});

describe.concurrent('pipes', () => {
  it.each([
    [`zcat ${d1} | $REPLAY run - | grep -c accesses`],
    [`cat ${d1} | $REPLAY run - | grep -c accesses`],
    [`$REPLAY run - < ${d1} | grep -c accesses`],
    [`$REPLAY run /dev/stdin < ${d1} | grep -c accesses`],
    [`cat ${d1} | $REPLAY run /dev/stdin | grep -c accesses`],
  ])('reads %s', async (command) => {
    const { code, out, err } = await shell(command);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(Number(out)).toBeGreaterThan(0);
  });

  it('a trace of several megabytes that arrives in small pieces', async () => {
    const child = spawn(process.execPath, [BIN, 'run', '--json', '-']);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    const text = textOf('s3');
    for (let at = 0; at < text.length; at += 65_521) {
      child.stdin.write(text.slice(at, at + 65_521), 'latin1');
      await pause(1);
    }
    child.stdin.end();
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ totals: { accesses: 13_316 } });
  });

  it.each([[`run --json ${d1}`], [`verify ${f1}`], [`info ${u5}`], ['run --help']])(
    'a reader that has seen enough is no error: %s',
    async (args) => {
      const { err, out } = await shell(`{ $REPLAY ${args}; echo "exit $?" >&2; } | head -1`);
      expect(out.split('\n')).toHaveLength(2);
      expect(err).toMatch(/^exit [01]\n$/);
    },
  );

  it('writes no escape codes into a pipe, whatever the environment says', async () => {
    const { out, err } = await shell(`FORCE_COLOR=1 CLICOLOR_FORCE=1 $REPLAY verify ${f1}`);
    expect(out + err).not.toContain('\u001b');
  });
});

it('Ctrl-C while a slow pipe is read: exit 130, and a word', async () => {
  const child = spawn(process.execPath, [BIN, 'run', '-']);
  let err = '';
  let out = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  // Handed over when the program has read all but what fits into a pipe.
  await new Promise((resolve) => child.stdin.write(textOf('s3').slice(0, 300_000), resolve));
  await pause(100);
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number];
  expect({ code, out, err }).toEqual({
    code: 130,
    out: '',
    err: 'replay: interrupted, nothing was replayed\n',
  });
});

it.each([1, 2, 3, 5, 8])(
  'Ctrl-C while a trace file is opened is not lost: read %d',
  async (read) => {
    const file = join(folder, `opened-${read}.arrows`);
    writeFileSync(file, gunzipSync(readFileSync(join(GOLDEN, 'stock/storm-q256.arrows.gz'))));
    const preload = join(import.meta.dirname, '../../tui/test/signalled-at-a-read.mjs');
    const child = spawn(process.execPath, ['--import', preload, BIN, 'info', file], {
      env: { ...process.env, SIGNAL_AT_READ: String(read) },
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, err }).toEqual({
      code: 130,
      err: 'replay: interrupted, nothing was replayed\n',
    });
  },
);

it('a stack trace is printed only with --debug', async () => {
  const plain = await replayProcess(['run', '/does/not/exist']);
  const debug = await replayProcess(['run', '/does/not/exist', '--debug']);
  expect(plain.err).not.toMatch(/^ +at /m);
  expect(debug.err).toMatch(/^ +at /m);
  expect(debug.err.endsWith(plain.err)).toBe(true);
});

it('on a terminal a progress bar comes and goes; in a file there is none', async () => {
  const slow = `stty cols 80 2> /dev/null; sh -c "head -c 300000; sleep 1; cat" < '${folder}/big.txt' | '${process.execPath}' '${BIN}' run - > '${folder}/out.txt'`;
  await once(createWriteStream(`${folder}/big.txt`).end(textOf('s3')), 'finish');
  const typescript = await shell(`script -qec ${JSON.stringify(slow)} /dev/null`);
  expect(typescript.out).toContain('\r\u001b[?7lreading ');
  // The last thing that happens to the bar's line is that it is cleared.
  expect(typescript.out.endsWith('\r \u001b[J\r')).toBe(true);
  expect(readFileSync(`${folder}/out.txt`, 'utf8')).toMatch(/^trace {7}standard input\n/);
  expect((await shell(slow)).err).toBe('');
});
