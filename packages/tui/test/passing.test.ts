/** What a stream does to what is kept of it: beyond --keep, when it is damaged, and where it is no file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { createLiveMerge, type LiveMerge } from '@vhostscope/trace';
import { expect, onTestFinished, test } from 'vitest';
import { createSession } from '../src/session/create-session.ts';
import { createSpooledStream } from '../src/source/spooled-stream.ts';
import { runPlain } from '../src/plain/run-plain.ts';
import { driven, fileSession, optionsFor } from './driven-session.ts';
import { turnsAt } from './piped-session.ts';
import { temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();
const S3 = writeTrace(join(folder, 's3.arrows'), textOf(TRACES.s3), 60);

test('what all CPUs have told goes while more waits; the kept part can be played again', () => {
  const bytes = turnsAt(join(folder, 'two.arrows'), 200);
  const keep = Math.floor(bytes.length / 5);
  const stream = createSpooledStream('a stream', keep);
  let merge: LiveMerge | undefined;
  let events = 0;
  const count = {
    words: () => {},
    events: (_: unknown, from: number, to: number) => {
      events += to - from;
      return to;
    },
  };
  let most = 0;
  let busy = 0;
  for (let at = 0; at < bytes.length; at += 5000) {
    stream.push(bytes.subarray(at, at + 5000));
    stream.refresh(at);
    const index = stream.growing.trace?.index;
    if (index === undefined) continue;
    merge ??= createLiveMerge(stream.growing.trace?.bytes ?? 0, index);
    merge.advance({ before: undefined, events: Infinity, now: 0, isOver: false }, count);
    if (merge.waiting().events > 0) busy++;
    stream.release(merge.unreadFrom());
    most = Math.max(most, stream.passing);
  }
  // Something waited nearly always, and yet little was held on to.
  expect(busy).toBeGreaterThan(bytes.length / 5000 / 2);
  expect(most).toBeLessThan(bytes.length / 5);
  const { index, bytes: from } = stream.growing.trace ?? {};
  if (merge === undefined || index === undefined || from === undefined) throw new Error('no trace');
  merge.advance({ before: undefined, events: Infinity, now: 0, isOver: true }, count);
  const all = events;
  const whole = createLiveMerge(from, index);
  events = 0;
  whole.advance({ before: undefined, events: Infinity, now: 0, isOver: true }, count);
  expect(events).toBeGreaterThan(0);
  expect(events).toBeLessThan(all);
  expect(stream.growing.isEnded).toBe(true);
  expect(stream.growing.completeness).toBeDefined();
  stream.close();
});

test('a damaged stream is not kept on', () => {
  const stream = createSpooledStream('a stream', 2 ** 30);
  const half = S3.ends[20] ?? 0;
  stream.push(S3.bytes.subarray(0, half));
  stream.push(new Uint8Array(64).fill(7));
  stream.refresh(0);
  expect(stream.growing.damage).toContain('damaged');
  const { bytes } = stream.kept;
  stream.push(S3.bytes.subarray(half));
  expect(stream.kept.bytes).toBe(bytes);
  stream.close();
});

test('a socket that tells what cannot be read is closed, and tried again', async () => {
  const path = join(mkdtempSync('/tmp/tui-test-'), 's');
  onTestFinished(() => rmSync(join(path, '..'), { recursive: true }));
  let told: Uint8Array = Buffer.concat([
    S3.bytes.subarray(0, S3.ends[20]),
    new Uint8Array(64).fill(7),
  ]);
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on('error', () => {});
    // It stays connected.
    socket.write(told);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  const session = driven(await createSession(optionsFor({ kind: 'socket', path })));
  onTestFinished(async () => session.close());
  for (let tries = 0; tries < 300 && session.view().source.state !== 'gone'; tries++) {
    session.pass(20);
    await sleep(5);
  }
  expect(session.view().source.problems.join()).toContain('damaged there');
  told = S3.bytes;
  for (let tries = 0; tries < 300 && session.view().source.state !== 'ended'; tries++) {
    session.pass(100);
    await sleep(5);
  }
  expect(connections).toBeGreaterThan(1);
  expect(session.view().source).toMatchObject({ state: 'ended', isStuck: false });
});

test('what cannot be followed is not waited for', async () => {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const session = driven(await createSession(optionsFor({ kind: 'growing file', path })));
  session.pass(10);
  expect(session.view().source.problems.join()).toContain(`tui - < ${path}`);
  await session.close();
});

test.each([
  // Values of a batch, which only who reads it sees.
  ['file', () => gunzipSync(readFileSync(TRACES.stock)), 4000],
  ['growing file', () => Buffer.from(S3.bytes), 40_000],
] as const)('lines of a %s that is damaged end, and say so', async (kind, read, damaged) => {
  const path = join(folder, 'bad.arrows');
  const bytes = read();
  const middle = Math.floor(bytes.length / 2);
  bytes.fill(0xee, middle, middle + damaged);
  writeFileSync(path, bytes);
  const session = await createSession(optionsFor({ kind, path }));
  onTestFinished(async () => session.close());
  const code = await runPlain(session, () => '', new AbortController().signal);
  expect(code).toBe(2);
  expect(session.view().clock.seeking).toBeUndefined();
});

test('just after the start no rate is told; an event on, there is an end that holds the last', async () => {
  const session = await fileSession(TRACES.s3);
  onTestFinished(async () => session.close());
  const { clock } = session.settle();
  session.tell({ do: 'seek', at: 0 });
  session.settle();
  session.tell({ do: 'step', kind: 'event', by: 1 });
  const early = session.settle();
  expect(early.clock.events).toBeGreaterThan(0);
  expect(early.rates.accesses).toBeNaN();
  // While it goes on, "now" is what it passes.
  session.tell({ do: 'seek', at: clock.end + 1 });
  session.advance(1e6, 0);
  expect(session.settle().clock).toMatchObject({ at: clock.end + 1, events: clock.events });
});
