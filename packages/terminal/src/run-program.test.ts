/** Programs as processes, of the built code. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';

const INDEX = new URL('../dist/index.js', import.meta.url).href;

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface RunOptions {
  readonly args?: readonly string[];
  /** Shell line that runs the program, "$@". */
  readonly shell?: string;
  readonly stdout?: number | 'pipe';
}

/** Runs a program whose main function has this body. */
function run(
  body: string,
  { args = [], shell = '"$@"', stdout = 'pipe' }: RunOptions = {},
): Outcome {
  const {
    status,
    stdout: out,
    stderr,
  } = spawnSync(
    '/bin/sh',
    [
      '-c',
      shell,
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      scriptOf(body),
      '--',
      ...args,
    ],
    { encoding: 'utf8', stdio: ['ignore', stdout, 'pipe'] },
  );
  return { code: status, out: out ?? '', err: stderr };
}

function scriptOf(body: string): string {
  return `import { EXIT, ProgramError, runProgram, say, writeOut } from '${INDEX}';
    class InputError extends Error { name = 'InputError'; }
    await runProgram('prog', async () => { ${body} });`;
}

test('the exit code is what main returns', () => {
  expect(run(`await writeOut('data\\n'); say('prog', 'talk'); return EXIT.no;`)).toEqual({
    code: 1,
    out: 'data\n',
    err: 'prog: talk\n',
  });
});

test('errors for users are said, each line of them with the name of the program', () => {
  expect(
    run(`throw new ProgramError('no design', { advice: 'name one', exitCode: EXIT.host });`),
  ).toEqual({
    code: 3,
    out: '',
    err: 'prog: no design\nprog: name one\n',
  });
  expect(
    run(`throw new ProgramError('too much', { details: ['a', 'b\\nc'], advice: 'less' });`).err,
  ).toBe('prog: too much\nprog: a\nprog: b\\x0ac\nprog: less\n');
  expect(run(`throw new ProgramError('wrong usage');`)).toEqual({
    code: 2,
    out: '',
    err: 'prog: wrong usage\n',
  });
  expect(run(`throw new InputError('cannot read a\\u001b[2Jb\\nc');`)).toEqual({
    code: 2,
    out: '',
    err: 'prog: cannot read a\\x1b[2Jb\\x0ac\n',
  });
});

test('any other error is a bug, and its stack is shown only on request', () => {
  const body = `throw new TypeError('x is \\u001b[2J not a function');`;
  const plain = run(body);
  expect(plain).toEqual({
    code: 2,
    out: '',
    err:
      'prog: unexpected error: x is \\x1b[2J not a function\n' +
      'prog: this is a bug; run again with --debug for the stack trace\n',
  });
  const debug = run(body, { args: ['--debug'] });
  expect(debug.code).toBe(2);
  expect(debug.err).toMatch(/^TypeError: x is \\x1b\[2J not a function\n {4}at /);
  expect(debug.err).toContain(plain.err);
  expect(run(`throw 'text';`).err).toMatch(/^prog: unexpected error: text\n/);
});

const MUCH = `for (let i = 0; i < 200; i++) await writeOut('x'.repeat(9999) + '\\n'); return EXIT.done;`;

test('that something has run out is no bug', () => {
  const body = `const taken = []; const { openSync, readFileSync } = await import('node:fs');
    try { for (;;) taken.push(openSync('/dev/null')); } catch {} readFileSync('/a\\u001bb');`;
  expect(run(body, { shell: 'ulimit -n 64; exec "$@"' })).toEqual({
    code: 2,
    out: '',
    err:
      'prog: cannot open /a\\x1bb: too many open files\n' +
      'prog: allow more open files: ulimit -n says how many a process may have\n',
  });
});

const ENDLESS = `let isRead = true; process.stdout.on('error', () => (isRead = false));
  while (isRead) await writeOut('x'.repeat(9999) + '\\n'); return EXIT.done;`;

test('a reader that has seen enough is no error', () => {
  expect(run(MUCH, { shell: '{ "$@"; echo "code $?" >&2; } | head -c 1' })).toEqual({
    code: 0,
    out: 'x',
    err: 'code 0\n',
  });
});

test('nor is one that resets the socket that standard output is', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const output = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[reader]] = (await Promise.all([once(server, 'connection'), once(output, 'connect')])) as [
    [Socket],
    unknown,
  ];
  reader.pause();
  const child = spawn(process.execPath, ['--input-type=module', '-e', scriptOf(ENDLESS)], {
    stdio: ['ignore', output, 'pipe'],
  });
  output.destroy();
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  await once(reader, 'readable');
  await pause(200);
  reader.resetAndDestroy();
  server.close();
  const [code] = (await once(child, 'close')) as [number | null];
  expect({ code, err }).toEqual({ code: 0, err: '' });
});

test('a full disk is an error', () => {
  const full = openSync('/dev/full', 'w');
  const { code, err } = run(MUCH, { stdout: full });
  closeSync(full);
  expect(code).toBe(2);
  expect(err).toMatch(/^prog: cannot write to standard output: no space left on device\n$/);
});

test('the work goes on when nobody hears the talk', () => {
  const body = `for (let i = 0; i < 9; i++) { say('prog', 'x'.repeat(99999)); await new Promise(setImmediate); } await writeOut('done'); return EXIT.no;`;
  const shell = 'exec 3>&1; { "$@" 2>&1 >&3; echo "code $?" >&3; } | true';
  expect(run(body, { shell }).out).toBe('donecode 1\n');
});
