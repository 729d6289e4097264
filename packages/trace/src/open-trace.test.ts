import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
  fstatSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventsOf, fileOf, importText, newPath } from '../test/trace-files.ts';
import { InputError, OutputError, writing } from './file-errors.js';
import { openTemporary, openTrace } from './open-trace.js';
import { TraceFormatError } from './trace-header.js';

const TEXT = '# vhost-oracle 1\nM 5 0 ff100\nM 6 1 ff100\nA 7 1 ff100 8 1 3\n';
const JSON_TEXT = TEXT.replace(/(.*)\n/g, '{"type": "printf", "data": "$1\\n"}\n');
const TRACE = importText(TEXT);
const TRACE_BYTES = readFileSync(TRACE.path);
const EVENTS = eventsOf(TRACE.fd);

/** Every test has a TMPDIR of its own, in which nothing may be left. */
let temporary = '';
beforeEach(() => {
  temporary = newPath();
  mkdirSync(temporary);
  vi.stubEnv('TMPDIR', temporary);
});
afterEach(() => {
  vi.unstubAllEnvs();
  const left = readdirSync(temporary);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
});

test.each([
  ['a trace', TRACE_BYTES],
  ['a trace, gzipped', gzipSync(TRACE_BYTES)],
  ['text', TEXT],
  ['text, gzipped', gzipSync(TEXT)],
  [
    'text, gzipped in parts',
    Buffer.concat([gzipSync(TEXT.slice(0, 30)), gzipSync(TEXT.slice(30))]),
  ],
  ['JSON', JSON_TEXT],
  ['JSON, gzipped', gzipSync(JSON_TEXT)],
])('%s is opened', async (what, bytes) => {
  const trace = await openTrace(fileOf(bytes));
  try {
    expect(trace).toMatchObject({ damage: [], interrupted: false });
    expect(trace.imported?.events).toBe(what.includes('trace') ? undefined : 3);
    expect(eventsOf(trace.fd)).toEqual(EVENTS);
  } finally {
    trace.close();
  }
});

test('what was read before the damage of a gzip stream is a trace, and the damage is said', async () => {
  const text = await openTrace(fileOf(gzipSync(TEXT).subarray(0, -4)));
  expect(text.damage).toEqual([expect.stringMatching(/: the gzip stream is cut off at byte \d+$/)]);
  // All but the end, which says that the recording has a flaw.
  expect(eventsOf(text.fd).slice(0, -1)).toEqual(EVENTS.slice(0, -1));
  expect(eventsOf(text.fd).at(-1)).toMatchObject({
    note: expect.stringContaining('the gzip stream is cut off'),
  });
  text.close();
  const binary = await openTrace(fileOf(gzipSync(TRACE_BYTES, { level: 0 }).subarray(0, -2000)));
  expect(binary.damage).toEqual([
    expect.stringMatching(/: the gzip stream is cut off at byte \d+$/),
    expect.stringMatching(
      /the last \d+ bytes, from byte \d+, are an unfinished batch and were left out$/,
    ),
  ]);
  binary.close();
});

const notes = (path: string): [string, string][] => [
  ['', `${path} is empty`],
  ['x', `no events in ${path} (1 line); line 1: the input ends within this line`],
  ['\n\n', `no events in ${path} (2 lines)`],
  ['hello\nworld\n', `no events in ${path} (2 lines); line 1: not an event`],
  [
    'M 5 0 ff100\r\n',
    `no events in ${path} (1 line); line 1: the line ends in CR LF and not in LF: something between bpftrace and here changed the bytes`,
  ],
  ['\u00ff\u00ff', `no events in ${path} (1 line); line 1: the input ends within this line`],
];

test.each([0, 1, 2, 3, 4, 5])(
  'input %i without events is refused with what it is instead',
  async (which) => {
    const path = fileOf(Buffer.from(notes('')[which][0], 'latin1'));
    await expect(openTrace(path)).rejects.toEqual(new InputError(notes(path)[which][1]));
  },
);

test('what cannot be opened is named, with the reason', async () => {
  const missing = newPath();
  const refusals: [string, string][] = [
    [missing, 'no such file'],
    ['/', 'is a directory'],
    [`${TRACE.path}/x`, 'a part of the path is not a directory'],
  ];
  for (const [path, reason] of refusals)
    await expect(openTrace(path)).rejects.toEqual(new InputError(`cannot read ${path}: ${reason}`));
  const arrow = fileOf(Buffer.from([0xff, 0xff, 0xff, 0xff, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]));
  await expect(openTrace(arrow)).rejects.toSatisfy(
    (error) => error instanceof TraceFormatError && error.message.startsWith(`${arrow}: `),
  );
});

test('no file stays open, however it ends', async () => {
  const count = (): number => readdirSync('/proc/self/fd').length;
  const before = count();
  const inputs = ['', 'hello\n', TEXT, TRACE_BYTES, TRACE_BYTES.subarray(0, 99), gzipSync(TEXT)];
  for (const input of inputs) {
    await openTrace(fileOf(input)).then(
      (trace) => trace.close(),
      () => undefined,
    );
  }
  expect(count()).toBe(before);
});

test('a folder for temporary files that is not there is a sentence', async () => {
  vi.stubEnv('TMPDIR', `${temporary}/none`);
  await expect(openTrace(fileOf(TEXT))).rejects.toEqual(
    new OutputError(
      `cannot write a temporary file in ${temporary}/none (TMPDIR names another folder): no such file`,
    ),
  );
});

test('the temporary file never has a name where the system can do that, and loses it elsewhere', () => {
  const named: string[] = [];
  for (const platform of ['linux', 'other'] as const) {
    vi.spyOn(process, 'platform', 'get').mockReturnValue(platform as NodeJS.Platform);
    const fd = openTemporary(temporary);
    writeSync(fd, 'text');
    expect(readdirSync(temporary)).toEqual([]);
    expect(fstatSync(fd).mode & 0o777).toBe(0o600);
    named.push(readlinkSync(`/proc/self/fd/${fd}`));
  }
  vi.restoreAllMocks();
  expect(named[0]).toMatch(/\/#\d+ \(deleted\)$/);
  expect(named[1]).toMatch(/\/vhostscope-\w+\/spool \(deleted\)$/);
});

test('what the file system refuses to take is a sentence', () => {
  const full = openSync('/dev/full', 'w');
  expect(() => writing('the output', () => writeSync(full, 'x'))).toThrow(
    new OutputError('cannot write the output: no space left on the device'),
  );
  expect(() => writing('x', () => openSync('/proc/none/x', 'w'))).toThrow(OutputError);
  expect(() =>
    writing('x', () => {
      throw new TypeError('a bug stays one');
    }),
  ).toThrow(TypeError);
});

/** Processes, of the built code. */
const INDEX = new URL('../dist/index.js', import.meta.url).href;
const OPEN_STDIN = `import { openTrace } from '${INDEX}';
  try {
    const trace = await openTrace('-');
    const recordings = trace.index.recordings.length;
    console.log(JSON.stringify({ name: trace.name, damage: trace.damage, events: trace.imported?.events, recordings }));
  } catch (error) { console.log(error.name + ': ' + error.message); }`;

function openPiped(input: string | Uint8Array, shell = '"$@"'): unknown {
  const { stdout, stderr } = spawnSync(
    '/bin/sh',
    ['-c', shell, 'sh', process.execPath, '--input-type=module', '-e', OPEN_STDIN],
    { input, encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  return stdout.startsWith('{') ? JSON.parse(stdout) : stdout.trim();
}

test('standard input is read like a file', { timeout: 30_000 }, () => {
  const good = { name: 'standard input', damage: [], recordings: 1 };
  expect(openPiped(TEXT)).toEqual({ ...good, events: 3 });
  expect(openPiped(gzipSync(JSON_TEXT))).toEqual({ ...good, events: 3 });
  expect(openPiped(TRACE_BYTES)).toEqual(good);
  expect(openPiped('', `"$@" < '${fileOf(TEXT)}'`)).toEqual({ ...good, events: 3 });
  expect(openPiped('')).toBe('InputError: standard input is empty');
  expect(openPiped('', '"$@" < /')).toBe('InputError: cannot read standard input: is a directory');
  expect(openPiped('', '"$@" <&-')).toBe('InputError: standard input is empty');
});

test('a full disk is said to be one, and not blamed on the input', () => {
  // 64 KiB is what this shell lets its children write into one file.
  const lines = Array.from({ length: 40_000 }, (_, at) => `M ${at} 0 ff100\n`).join('');
  const shell = `trap '' XFSZ; ulimit -f 128; "$@"`;
  const told =
    /^OutputError: cannot write a temporary file in \/.* \(TMPDIR .*\): the file would be too large$/;
  expect(openPiped(lines, shell)).toMatch(told);
  expect(openPiped('', `${shell} < '${fileOf(lines)}'`)).toMatch(told);
});

test('nothing is left behind by a process that is killed', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', OPEN_STDIN]);
  child.stdin.write(TEXT);
  const spooled = (): boolean =>
    readdirSync(`/proc/${child.pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${child.pid}/fd/${fd}`).startsWith(temporary);
      } catch {
        return false;
      }
    });
  await vi.waitFor(() => expect(spooled()).toBe(true), 5000);
  expect(readdirSync(temporary)).toEqual([]);
  child.kill('SIGKILL');
  await once(child, 'exit');
});
