/** Sources that grow, break off, come back, or hold what they should not. */
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { replayTrace, runResult, completenessOf } from '@vhostscope/replay';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  flushTrace,
  openTrace,
} from '@vhostscope/trace';
import { expect, onTestFinished, test } from 'vitest';
import type { DashboardView, Decided } from '../src/dashboard.ts';
import { createSession } from '../src/session/create-session.ts';
import { openSession } from '../src/session/session.ts';
import type { SessionOptions, SourceOptions } from '../src/session/session-options.ts';
import { readPipe } from '../src/source/piped-input.ts';
import {
  design,
  driven,
  optionsFor,
  temporaryFolder,
  textOf,
  TRACES,
  type DrivenSession,
} from './traces.ts';

const folder = temporaryFolder();
let files = 0;
const newPath = (): string => join(folder, `${files++}`);

async function open(
  source: SourceOptions,
  other: Partial<SessionOptions> = {},
): Promise<DrivenSession> {
  const session = driven(await createSession(optionsFor(source, other)));
  onTestFinished(async () => session.close());
  return session;
}

/** The bytes of a trace file of a text, and where each flush of it ended. */
function traceOf(text: string, flushes = 7): { bytes: Uint8Array; ends: number[] } {
  const path = newPath();
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, {
    sources: ['test'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  const importer = createTextImporter(writer, createImportReport());
  const lines = text.split(/(?<=\n)/);
  const ends: number[] = [];
  const part = Math.ceil(lines.length / flushes);
  for (let at = 0; at < lines.length; at += part) {
    importer.push(Buffer.from(lines.slice(at, at + part).join(''), 'latin1'));
    flushTrace(writer);
    ends.push(writer.bytes);
  }
  importer.end();
  closeTrace(writer);
  closeSync(fd);
  return { bytes: readFileSync(path), ends };
}

const plain = ({ accesses, hits, fallbacks, iotlb, ambiguous }: Omit<Decided, 'isEstimated'>) => ({
  accesses,
  hits,
  fallbacks,
  iotlb,
  ambiguous,
});

/** Totals of `replay run --order ranges`. */
async function ranges(path: string, name = 'merged') {
  const trace = await openTrace(path);
  const replayed = replayTrace(trace, design(name), { order: 'ranges' });
  const basis = { smap: undefined, calibrated: undefined };
  const { totals } = runResult(trace, replayed, completenessOf(trace), basis, undefined);
  trace.close();
  return plain(totals);
}

/** Waits for what comes by itself. */
async function until(
  session: DrivenSession,
  isThere: (view: DashboardView) => boolean,
  ms = 20,
): Promise<DashboardView> {
  for (let tries = 0; tries < 900; tries++) {
    session.pass(ms);
    if (isThere(session.view())) return session.settle();
    await sleep(10);
  }
  const { source, clock } = session.view();
  throw new Error(
    `it did not come: ${JSON.stringify({ source, clock }, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
  );
}

const S3 = textOf(TRACES.s3);

test('a file that grows is shown as it grows, torn tails and all, and can be gone back in', async () => {
  const { bytes, ends } = traceOf(S3, 20);
  const path = newPath();
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  expect(session.view().source).toMatchObject({ state: 'waiting', isEmpty: true });
  expect(session.view().source.problems[0]).toContain('no such file');
  writeFileSync(path, '');
  session.pass(2000);
  expect(session.view().source).toMatchObject({ state: 'reading', isEmpty: true });
  let at = 0;
  const seen: number[] = [];
  for (const end of ends) {
    // A part of what comes next is there.
    appendFileSync(path, bytes.subarray(at, end + 100));
    at = Math.min(bytes.length, end + 100);
    session.pass(100);
    const view = session.settle();
    expect(view.source.problems).toEqual([]);
    expect(view.clock.isLive).toBe(true);
    seen.push(view.total.total.accesses);
  }
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(new Set(seen).size).toBeGreaterThan(4);
  // Back, and forth again, while more comes.
  session.tell({ do: 'seek', at: 1e9 });
  const back = session.settle();
  expect(back.clock).toMatchObject({ at: 1e9, isLive: false, isPaused: true });
  appendFileSync(path, bytes.subarray(at));
  session.tell({ do: 'design', name: 'fixes-v5' });
  expect(session.settle()).toMatchObject({ design: 'fixes-v5', clock: { at: 1e9 } });
  session.tell({ do: 'live' });
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.clock.at).toBe(view.clock.end + 1);
  expect(view.recording.order).toContain('may still grow');
  const whole = newPath();
  writeFileSync(whole, bytes);
  expect(plain(view.total.total)).toEqual(await ranges(whole, 'fixes-v5'));
});

test('a file that is cut, or damaged in its middle, is said to be, and what was shown stays', async () => {
  const { bytes, ends } = traceOf(S3);
  const [, second = 0, third = 0] = ends;
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, third));
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  const before = session.settle().total.total;
  expect(before.accesses).toBeGreaterThan(0);
  writeFileSync(path, bytes.subarray(0, second));
  session.pass(100);
  const { source, total } = session.settle();
  expect(source).toMatchObject({ state: 'gone' });
  expect(source.problems.join()).toContain('was cut');
  expect(total.total.accesses).toBeGreaterThanOrEqual(before.accesses);

  const damaged = newPath();
  writeFileSync(
    damaged,
    Buffer.concat([bytes.subarray(0, third), Buffer.alloc(64, 7), bytes.subarray(third)]),
  );
  const other = await open({ kind: 'growing file', path: damaged });
  other.pass(10);
  const view = other.settle();
  expect(view.source.state).toBe('gone');
  expect(view.source.problems.join()).toContain('damaged there');
  expect(view.total.total.accesses).toBeGreaterThan(0);
});

test.each([
  ['text', 'hello\nworld\n'],
  [
    'an Arrow stream that is no trace',
    Buffer.from('ffffffff1000000000000000000000000000000000000000', 'hex'),
  ],
])('a growing file that is %s is said to be none', async (_, content) => {
  const path = newPath();
  writeFileSync(path, content);
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  expect(session.settle().source.problems.join()).toMatch(/trace|Arrow/);
});

/** Somebody who serves a trace on a socket. */
async function listen(path: string, onConnect: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnect);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}

test('a socket that nobody listens on yet, goes away in the middle, and comes back', async () => {
  const { bytes, ends } = traceOf(S3);
  const path = join(mkdtempSync('/tmp/tui-test-'), 's');
  onTestFinished(() => rmSync(join(path, '..'), { recursive: true }));
  const session = await open({ kind: 'socket', path });
  const waiting = await until(session, ({ source }) => source.problems.length > 0);
  expect(waiting.source).toMatchObject({ state: 'waiting', isEmpty: true });
  expect(waiting.source.problems[0]).toContain(path);

  const [, , third = 0] = ends;
  let sent: Uint8Array = bytes.subarray(0, third);
  const sockets: Socket[] = [];
  let server = await listen(path, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write(sent);
  });
  const first = await until(session, ({ clock }) => clock.events > 1000);
  expect(first.source.state).toBe('reading');
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  const gone = await until(session, ({ source }) => source.state === 'gone');
  expect(gone.total.total.accesses).toBeGreaterThanOrEqual(first.total.total.accesses);
  expect(gone.source.problems.join()).toContain('went away');

  // Who looks back is left alone.
  session.tell({ do: 'seek', at: 5e8 });
  expect(session.settle().clock.at).toBe(5e8);
  sent = bytes;
  server = await listen(path, (socket) => {
    socket.on('error', () => {});
    socket.end(sent);
  });
  onTestFinished(() => void server.close());
  for (let tries = 0; tries < 20; tries++) {
    session.pass(1000);
    await sleep(5);
  }
  expect(session.settle()).toMatchObject({ source: { state: 'gone' }, clock: { at: 5e8 } });
  // To save what there is.
  const saved = newPath();
  session.tell({ do: 'save', path: saved });
  const { answer } = await until(session, (view) => view.answer !== undefined);
  expect(answer).toMatchObject({ isError: false });
  const kept = await openTrace(saved);
  expect(kept.damage).toEqual([]);
  kept.close();
  expect(await ranges(saved)).toEqual(plain(gone.total.total));

  session.tell({ do: 'live' });
  const back = await until(session, ({ source }) => source.state === 'ended');
  const whole = newPath();
  writeFileSync(whole, bytes);
  expect(plain(back.total.total)).toEqual(await ranges(whole));
  expect(back.source.problems.join()).toContain('came back');
});

/** A session on a pipe that is written to. */
async function piped(other: Partial<SessionOptions> = {}): Promise<{
  session: DrivenSession;
  write: (bytes: string | Uint8Array) => void;
  end: () => void;
}> {
  const { execFileSync } = await import('node:child_process');
  const path = newPath();
  execFileSync('mkfifo', [path]);
  const options = optionsFor({ kind: 'pipe' }, other);
  const session = driven(openSession(options, readPipe(options.keep, path)));
  onTestFinished(async () => session.close());
  const fd = openSync(path, 'w');
  return {
    session,
    write: (bytes) => {
      const all = Buffer.from(bytes as string, 'latin1');
      for (let at = 0; at < all.length;) at += writeSync(fd, all, at);
    },
    end: () => closeSync(fd),
  };
}

test('bpftrace text from a pipe, with junk and losses, comes to what the same text does as a file', async () => {
  const lines = S3.split(/(?<=\n)/).slice(0, 9000);
  lines.splice(2000, 0, 'not an event\n', 'Lost 17 events\n', 'A 1 2\n');
  const { session, write, end } = await piped();
  expect(session.settle().source).toMatchObject({ state: 'reading', isEmpty: true });
  for (let at = 0; at < lines.length; at += 300) {
    write(lines.slice(at, at + 300).join(''));
    session.pass(20);
    await sleep(2);
  }
  const live = await until(session, ({ clock }) => clock.events > 1000);
  expect(live.source.state).toBe('reading');
  end();
  const view = await until(session, ({ source }) => source.state === 'ended');
  const path = newPath();
  writeFileSync(path, lines.join(''), 'latin1');
  expect(plain(view.total.total)).toEqual(await ranges(path));
  expect(view.source.problems.join()).toMatch(
    /bpftrace lost 17 events.*1 lines could not be read/s,
  );
  expect(view.recording).toMatchObject({ complete: 'no' });
  expect(new Map(view.recording.lost)).toEqual(
    new Map([
      ['bpftrace', 17],
      ['unreadable input', 1],
    ]),
  );
});

test('a trace from a pipe, and nothing, and junk', async () => {
  const { bytes } = traceOf(S3);
  const one = await piped();
  void (async () => {
    for (let at = 0; at < bytes.length; at += 30_000) {
      one.write(Buffer.from(bytes.subarray(at, at + 30_000)).toString('latin1'));
      await sleep(1);
    }
    one.end();
  })();
  // So slowly that no CPU is taken for silent, however long the machine takes.
  const view = await until(one.session, ({ source }) => source.state === 'ended', 2);
  const path = newPath();
  writeFileSync(path, bytes);
  expect(plain(view.total.total)).toEqual(await ranges(path));

  const nothing = await piped();
  nothing.end();
  const empty = await until(nothing.session, ({ source }) => source.state === 'ended');
  expect(empty.source.problems.join()).toContain('is empty');

  const junk = await piped();
  junk.write('all\nof\nthis\n');
  junk.end();
  const none = await until(junk.session, ({ source }) => source.state === 'ended');
  expect(none.source.problems.join()).toContain('no events');
});

test('beyond --keep it stays live, and one can go back to where that ends', async () => {
  const { bytes } = traceOf(S3, 60);
  const keep = Math.floor(bytes.length / 3);
  const { session, write, end } = await piped({ keep });
  for (let at = 0; at < bytes.length - 9000; at += 9000) {
    write(Buffer.from(bytes.subarray(at, at + 9000)).toString('latin1'));
    await sleep(2);
    session.pass(100);
  }
  const last = Math.floor((bytes.length - 1) / 9000) * 9000;
  const live = session.settle();
  const { keptUntil = Infinity } = live.clock;
  expect(keptUntil).toBeGreaterThan(0);
  expect(keptUntil).toBeLessThan(live.clock.end);
  expect(live.recording.kept).toEqual({ bytes: keep, most: keep });
  session.tell({ do: 'seek', at: keptUntil / 2 });
  const back = session.settle();
  expect(back.clock.at).toBe(Math.round(keptUntil / 2));
  session.tell({ do: 'seek', at: live.clock.end });
  expect(session.settle().clock.at).toBe(keptUntil);
  session.tell({ do: 'design', name: 'copy' });
  expect(session.settle()).toMatchObject({ design: 'merged', answer: { isError: true } });
  const saved = newPath();
  session.tell({ do: 'save', path: saved });
  const { answer } = await until(session, (view) => view.answer?.isError === false);
  expect(answer?.text).toContain('what was kept');
  const trace = await openTrace(saved);
  expect(trace.damage).toEqual([]);
  trace.close();
  // Meanwhile more came: nothing of it is missed.
  session.tell({ do: 'live' });
  write(Buffer.from(bytes.subarray(last)).toString('latin1'));
  end();
  const view = await until(session, ({ source }) => source.state === 'ended');
  const path = newPath();
  writeFileSync(path, bytes);
  expect(plain(view.total.total)).toEqual(await ranges(path));
});

test('names of the host are data, whatever is in them', async () => {
  const evil = '\\x1b[2J<b>"$(id)';
  const text = S3.replace(/^(R \d+ \d+ (?:\S+ ){7}).*$/gm, `$1${evil}`);
  const path = newPath();
  writeFileSync(path, text, 'latin1');
  const session = await open({ kind: 'file', path });
  const view = session.settle();
  expect(view.causes.length).toBeGreaterThan(0);
  expect(new Set(view.causes.map(({ comm }) => comm))).toEqual(new Set([evil]));
});

test('a trace that is damaged behind its index says so, and the screen stays', async () => {
  const path = newPath();
  writeFileSync(path, gunzipSync(readFileSync(TRACES.stock)));
  const bytes = readFileSync(path);
  // Values of a batch in the middle: only who reads it sees that.
  bytes.fill(0xee, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 4000);
  writeFileSync(path, bytes);
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  const { source } = session.settle();
  expect(source.problems.length).toBeGreaterThan(0);
});
