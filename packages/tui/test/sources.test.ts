/** Sources that grow, break off, come back, or hold what they should not. */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  write as writeBytes,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { replayTrace, runResult, completenessOf, WRONG_COUNTS } from '@vhostscope/replay';
import { openTrace } from '@vhostscope/trace';
import { expect, onTestFinished, test } from 'vitest';
import type { DashboardView, Decided } from '../src/dashboard.ts';
import { createSession } from '../src/session/create-session.ts';
import { openSession } from '../src/session/session.ts';
import type { SessionOptions, SourceOptions } from '../src/session/session-options.ts';
import { followSocket } from '../src/source/live-socket.ts';
import { readPipe } from '../src/source/piped-input.ts';
import {
  design,
  driven,
  optionsFor,
  temporaryFolder,
  textOf,
  TRACES,
  writeTrace,
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

const traceOf = (text: string, flushes = 7): ReturnType<typeof writeTrace> =>
  writeTrace(newPath(), text, flushes);

const plain = ({ accesses, hits, fallbacks, iotlb, ambiguous }: Omit<Decided, 'isEstimated'>) => ({
  accesses,
  hits,
  fallbacks,
  iotlb,
  ambiguous,
});

/** Totals of `replay run`; while a trace may grow, of ranges order. */
async function replayed(path: string, name = 'merged', order: 'auto' | 'ranges' = 'auto') {
  const trace = await openTrace(path);
  const all = replayTrace(trace, design(name), { order }, undefined, WRONG_COUNTS);
  const basis = { smap: undefined, calibrated: undefined };
  const { totals } = runResult(trace, all, completenessOf(trace), basis, undefined);
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
    expect(view.recording.order).toContain('may still grow');
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
  const whole = newPath();
  writeFileSync(whole, bytes);
  expect(plain(view.total.total)).toEqual(await replayed(whole, 'fixes-v5'));
});

test('a file that is cut, or damaged in its middle, is said to be, and what was shown stays', async () => {
  const { bytes, ends } = traceOf(S3);
  const [first = 0, , third = 0] = ends;
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, third));
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  const shown = session.settle();
  const before = { ...shown.total.total, at: shown.clock.at };
  expect(before.accesses).toBeGreaterThan(0);
  writeFileSync(path, bytes.subarray(0, first));
  session.pass(100);
  const { source, total } = session.settle();
  expect(source).toMatchObject({ state: 'reading', isStuck: false });
  expect(source.problems.join()).toContain('was cut');
  expect(total.total.accesses).toBeGreaterThanOrEqual(before.accesses);
  // What stood in it is not there to be played again, and what stands there now is not what was shown.
  session.tell({ do: 'seek', at: 0 });
  expect(session.view().answer).toMatchObject({ isError: true });
  expect(session.view().answer?.text).toContain('cannot be read again');
  expect(session.settle().clock.at).toBe(before.at);
  // A trace that is written into it anew takes its place.
  session.pass(1000);
  const again = session.settle();
  expect(again.source.problems.join()).toContain('was written anew');
  expect(again.total.total.accesses).toBeLessThan(before.accesses);
  writeFileSync(path, bytes);
  session.pass(1000);
  const whole = await until(session, (view) => view.source.state === 'ended');
  expect(plain(whole.total.total)).toEqual(await replayed(path));

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
  expect(view.recording.complete).toBe('no');
  expect(view.total.total.accesses).toBeGreaterThan(0);
});

test('a file that is written anew is known, however long it is by then', async () => {
  const { bytes, ends } = traceOf(S3);
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, ends[2]));
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  expect(session.settle().total.total.accesses).toBeGreaterThan(0);
  const { bytes: other } = traceOf(textOf(TRACES.u1));
  expect(other.length).toBeGreaterThan(ends[2] ?? 0);
  writeFileSync(path, other);
  session.pass(100);
  expect(session.view().source.problems.join()).toContain('was cut');
  session.pass(1000);
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(plain(view.total.total)).toEqual(await replayed(path));
});

test('a file that loses its name is read on, and one that gets it takes its place', async () => {
  const { bytes, ends } = traceOf(S3);
  const [first = 0, second = 0] = ends;
  const [path, moved, other] = [newPath(), newPath(), newPath()];
  writeFileSync(path, bytes.subarray(0, first));
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  const before = session.settle().total.total.accesses;
  renameSync(path, moved);
  appendFileSync(moved, bytes.subarray(first, second));
  session.pass(1000);
  const gone = session.settle();
  expect(gone.source).toMatchObject({ state: 'reading', isStuck: false });
  expect(gone.source.problems).toEqual([
    `${path} is not there any more (no such file): what is shown is the file that was opened`,
  ]);
  expect(gone.total.total.accesses).toBeGreaterThan(before);
  // The next one, of which there is nothing yet.
  writeFileSync(path, '');
  session.pass(1000);
  expect(session.settle().source.problems.join()).toContain('nothing can be shown yet');
  expect(session.view().total.total).toEqual(gone.total.total);
  // Who looks back keeps what there is.
  session.tell({ do: 'seek', at: 0.2e9 });
  writeFileSync(other, bytes);
  renameSync(other, path);
  session.pass(1000);
  const back = session.settle();
  expect(back.source.problems.join()).toContain('l goes on with it');
  expect(back.clock.at).toBe(0.2e9);
  session.tell({ do: 'live' });
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.source.problems.join()).toContain('what was before is not shown any more');
  expect(plain(view.total.total)).toEqual(await replayed(path));
  // A trace that is whole is kept.
  renameSync(moved, path);
  session.pass(1000);
  expect(session.settle().source.problems.join()).toContain(`tui --follow ${path} shows that one`);
  expect(session.view().total.total).toEqual(view.total.total);
});

test('a growing file that is text is said to be that, and how it can be followed', async () => {
  const path = newPath();
  writeFileSync(path, S3.slice(0, 1000), 'latin1');
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  const { source } = session.settle();
  expect(source.state).toBe('gone');
  expect(source.problems).toEqual([
    `${path} is no trace; text that grows is shown by: tail -c +1 -F ${path} | tui -`,
  ]);
});

test.each([
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
  expect(await replayed(saved, 'merged', 'ranges')).toEqual(plain(gone.total.total));

  session.tell({ do: 'live' });
  const back = await until(session, ({ source }) => source.state === 'ended');
  const whole = newPath();
  writeFileSync(whole, bytes);
  expect(plain(back.total.total)).toEqual(await replayed(whole));
  expect(back.source.problems.join()).toContain('came back');
});

const writeTo = promisify(writeBytes);

/** A session on a pipe that is written to. */
interface Piped {
  readonly session: DrivenSession;
  /** Resolves once the pipe has taken it all: meanwhile this process reads it. */
  readonly write: (bytes: string | Uint8Array) => Promise<void>;
  readonly end: () => void;
}

async function piped(other: Partial<SessionOptions> = {}, mostPassing?: number): Promise<Piped> {
  const { execFileSync } = await import('node:child_process');
  const path = newPath();
  execFileSync('mkfifo', [path]);
  const options = optionsFor({ kind: 'pipe' }, other);
  const session = driven(openSession(options, readPipe(options.keep, path, mostPassing)));
  onTestFinished(async () => session.close());
  const fd = openSync(path, 'w');
  return {
    session,
    write: async (bytes) => {
      const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
      for (let at = 0; at < all.length;) at += (await writeTo(fd, all, at)).bytesWritten;
    },
    end: () => closeSync(fd),
  };
}

/**
 * Writes lines, some at a time: they are shown as they come, from so many events on, and at the end the numbers are
 * those of the same text as a file.
 */
async function playedAsItCame(
  { session, write, end }: Piped,
  lines: readonly string[],
  atOnce: number,
  events: number,
): Promise<DashboardView> {
  for (let at = 0; at < lines.length; at += atOnce) {
    await write(lines.slice(at, at + atOnce).join(''));
    session.pass(20);
    await sleep(2);
  }
  const live = await until(session, ({ clock }) => clock.events > events);
  expect(live.source.state).toBe('reading');
  end();
  const view = await until(session, ({ source }) => source.state === 'ended');
  const path = newPath();
  writeFileSync(path, lines.join(''), 'latin1');
  expect(plain(view.total.total)).toEqual(await replayed(path));
  return view;
}

test('bpftrace text from a pipe, with junk and losses, comes to what the same text does as a file', async () => {
  const lines = S3.split(/(?<=\n)/).slice(0, 9000);
  lines.splice(2000, 0, 'not an event\n', 'Lost 17 events\n', 'A 1 2\n');
  const pipe = await piped();
  expect(pipe.session.settle().source).toMatchObject({ state: 'reading', isEmpty: true });
  const view = await playedAsItCame(pipe, lines, 300, 1000);
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

test('perf script text from a pipe, as it comes, comes to what the same text does as a file', async () => {
  const golden = join(import.meta.dirname, '../../trace/test/golden/perf-script-default.txt.gz');
  const lines = gunzipSync(readFileSync(golden))
    .toString('latin1')
    .split(/(?<=\n)/);
  lines.splice(3000, 0, (lines[2999] ?? '').replace(/vho:.*/, 'PERF_RECORD_LOST lost 17'));
  const pipe = await piped();
  const view = await playedAsItCame(pipe, lines, 500, 100);
  expect(view.source.problems.join()).toMatch(/perf lost 17 events/);
  expect(new Map(view.recording.facts).get('clock')).toBe('not known');
  // As replay run has it: whoever recorded picks the events.
  expect(view.recording.assumptions).toContain(
    'all events that a design depends on were recorded, of all CPUs and all the time',
  );
});

test('a trace from a pipe, and nothing, and junk', async () => {
  const { bytes } = traceOf(S3);
  const one = await piped();
  void (async () => {
    for (let at = 0; at < bytes.length; at += 30_000) {
      await one.write(bytes.subarray(at, at + 30_000));
      await sleep(1);
    }
    one.end();
  })();
  // So slowly that no CPU is taken for silent, however long the machine takes.
  const view = await until(one.session, ({ source }) => source.state === 'ended', 2);
  const path = newPath();
  writeFileSync(path, bytes);
  expect(plain(view.total.total)).toEqual(await replayed(path));

  const nothing = await piped();
  nothing.end();
  const empty = await until(nothing.session, ({ source }) => source.state === 'ended');
  expect(empty.source.problems.join()).toContain('is empty');

  const junk = await piped();
  await junk.write('all\nof\nthis\n');
  junk.end();
  const none = await until(junk.session, ({ source }) => source.state === 'ended');
  expect(none.source.problems.join()).toContain('no events');
});

test('beyond --keep it stays live, and one can go back to where that ends', async () => {
  const { bytes } = traceOf(S3, 60);
  const keep = Math.floor(bytes.length / 3);
  const { session, write, end } = await piped({ keep });
  for (let at = 0; at < bytes.length - 9000; at += 9000) {
    await write(bytes.subarray(at, at + 9000));
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
  await write(bytes.subarray(last));
  end();
  const view = await until(session, ({ source }) => source.state === 'ended');
  const path = newPath();
  writeFileSync(path, bytes);
  expect(plain(view.total.total)).toEqual(await replayed(path, 'merged', 'ranges'));
});

test('who pauses where nothing is kept any more misses nothing of what comes', async () => {
  const { bytes } = traceOf(S3, 60);
  const { session, write, end } = await piped({ keep: Math.floor(bytes.length / 3) });
  const part = Math.ceil(bytes.length / 40);
  for (let at = 0; at < bytes.length; at += part) {
    await write(bytes.subarray(at, at + part));
    await sleep(2);
    session.pass(40);
    const { keptUntil, isPaused } = session.view().clock;
    if (keptUntil !== undefined && !isPaused) session.tell({ do: 'pause' });
  }
  end();
  await until(session, ({ source }) => source.state === 'ended', 2);
  expect(session.view().clock).toMatchObject({ isPaused: true, isLive: true });
  session.tell({ do: 'play' });
  const view = await until(session, ({ clock }) => clock.at > clock.end, 2);
  const path = newPath();
  writeFileSync(path, bytes);
  expect(plain(view.total.total)).toEqual(await replayed(path, 'merged', 'ranges'));
  // It cannot be looked through again: how it is judged stays, and why is said.
  expect(view.recording).toMatchObject({ complete: 'not known' });
  expect(view.recording.order).toMatch(/^ranges: .*not all of it was kept/);
  expect(view.source.problems).toEqual([]);
});

test('where what was kept ends is said to who wants to go on behind it', async () => {
  const { bytes } = traceOf(S3, 60);
  const { session, write } = await piped({ keep: Math.floor(bytes.length / 3) });
  for (let at = 0; at < bytes.length / 2; at += 9000) {
    await write(bytes.subarray(at, at + 9000));
    await sleep(2);
    session.pass(20);
  }
  const { keptUntil = 0, end } = session.settle().clock;
  expect(keptUntil).toBeGreaterThan(0);
  const said = new RegExp(
    `^nothing behind ${(Math.floor(keptUntil / 1e6) / 1000).toFixed(3)} s was kept`,
  );
  session.tell({ do: 'seek', at: end });
  expect(session.settle()).toMatchObject({ clock: { at: keptUntil } });
  expect(session.view().answer?.text).toMatch(said);
  session.tell({ do: 'seek', at: keptUntil / 2 });
  const { answer } = session.settle();
  session.tell({ do: 'seek', at: keptUntil });
  session.settle();
  session.tell({ do: 'step', kind: 'event', by: 1 });
  const stepped = session.settle();
  expect(stepped.clock.at).toBe(keptUntil);
  expect(stepped.answer).not.toEqual(answer);
  expect(stepped.answer?.text).toMatch(said);
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

test('what was followed to its end is a finished trace: judged, and saved, as that', async () => {
  const { bytes, ends } = traceOf(S3, 20);
  const whole = newPath();
  writeFileSync(whole, bytes);
  const [early = 0] = ends.slice(8);
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, early));
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  expect(session.settle().recording.order).toContain('may still grow');
  writeFileSync(path, bytes);
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.clock).toMatchObject({ isPaused: true, isLive: false, at: view.clock.end + 1 });
  expect(view.recording.order).toBe('effects: every overlapping range has its effects');
  expect(plain(view.total.total)).toEqual(await replayed(whole));
  expect(view.total.total.ambiguous).toBe(0);
  const saved = newPath();
  session.tell({ do: 'save', path: saved });
  const { answer } = await until(session, (now) => now.answer !== undefined);
  expect(answer?.text).toContain('the whole trace');
  expect(readFileSync(saved).equals(readFileSync(whole))).toBe(true);
  // And it plays from its start.
  session.tell({ do: 'speed', speed: 1 });
  session.tell({ do: 'play' });
  expect(session.settle().clock).toMatchObject({ isPaused: false, isLive: false, at: 0.2e9 });
});

test('who looks back while it ends stays where they are, and sees it judged anew', async () => {
  const { bytes, ends } = traceOf(S3, 20);
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, ends.at(-3)));
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  session.settle();
  session.tell({ do: 'seek', at: 1e9 });
  expect(session.settle().clock.at).toBe(1e9);
  writeFileSync(path, bytes);
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.clock).toMatchObject({ at: 1e9, isPaused: true });
  const file = await open({ kind: 'file', path });
  file.settle();
  file.tell({ do: 'seek', at: 1e9 });
  const { total, recording } = file.settle();
  expect(view.total).toEqual(total);
  expect(view.recording.order).toBe(recording.order);
  session.tell({ do: 'live' });
  expect(plain(session.settle().total.total)).toEqual(await replayed(path));
});

test('where its end tells no other order the numbers stay as they are', async () => {
  const bytes = gunzipSync(readFileSync(TRACES.stock));
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
  const session = await open({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  writeFileSync(path, bytes);
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(plain(view.total.total)).toEqual(await replayed(path));
  expect(view.recording.order).not.toContain('may still grow');
  expect(view.clock).toMatchObject({ isPaused: true, isLive: false });
});

test('a pipe that ends before its recording did is said to', async () => {
  const { bytes, ends } = traceOf(S3);
  const { session, write, end } = await piped();
  for (let at = 0; at < (ends[2] ?? 0); at += 9000) {
    await write(bytes.subarray(at, Math.min(ends[2] ?? 0, at + 9000)));
    await sleep(2);
    session.pass(20);
  }
  expect(session.settle().recording.complete).toBe('not known yet');
  end();
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.recording.complete).toBe('no');
  expect(view.source.problems.join()).toContain('ended before the recording did');
});

test('a text without its first line is judged anew where it comes to tell of another host', async () => {
  const vq = 'ffff8cc54f964ab0';
  const head = [
    `V 1000 0 ${vq} ffff8cc54f960000 214 1 1`,
    `U 2000 0 ${vq} 0 7fef24a07000 4096 -`,
    `U 3000 0 ${vq} 1 7fef24a08000 518 -`,
    `U 4000 0 ${vq} 2 7fef24a09000 2054 -`,
  ];
  const rounds = Array.from({ length: 20 }, (_, at) => [
    `M ${10_000 + 100 * at} 0 ${vq}`,
    `E ${10_050 + 100 * at} 0 ${vq} 2 256 1 4000000000000 4002e002e002e`,
  ]).flat();
  const { session, write, end } = await piped();
  await write(`${head.join('\n')}\n`);
  const early = await until(session, ({ clock }) => clock.events > 0);
  expect(early.recording.facts).toContainEqual(['host', 'with the direct-map driver']);
  await write(`${rounds.join('\n')}\n`);
  const later = await until(session, ({ answer }) => answer !== undefined);
  expect(later.answer?.text).toContain('judged anew');
  expect(later.recording.facts[0]?.[1]).toMatch(/^stock/);
  expect(later.total.total.accesses).toBeGreaterThan(0);
  end();
  const view = await until(session, ({ source }) => source.state === 'ended');
  const path = newPath();
  writeFileSync(path, `${[...head, ...rounds].join('\n')}\n`);
  expect(plain(view.total.total)).toEqual(await replayed(path));
  expect(plain(later.total.total)).toEqual(plain(view.total.total));
});

test('where not all is kept to be judged anew, that stays among what is wrong', async () => {
  const vq = 'ffff8cc54f964ab0';
  const head = [
    `V 1000 0 ${vq} ffff8cc54f960000 214 1 1`,
    `U 2000 0 ${vq} 0 7fef24a07000 4096 -`,
    ...Array.from({ length: 96 }, (_, at) => `M ${3000 + at} 0 ${vq}`),
  ];
  const rounds = Array.from({ length: 2000 }, (_, at) => [
    `M ${10_000 + 100 * at} 0 ${vq}`,
    `E ${10_050 + 100 * at} 0 ${vq} 2 256 1 4000000000000 4002e002e002e`,
  ]).flat();
  const { bytes, ends } = traceOf(`${[...head, ...rounds].join('\n')}\n`, 50);
  const { session, write } = await piped({ keep: Math.floor(bytes.length / 2) });
  await write(bytes.subarray(0, ends[0]));
  await until(session, ({ clock }) => clock.events > 0);
  await write(bytes.subarray(ends[0]));
  const view = await until(session, ({ source }) => source.problems.length > 0);
  expect(view.source.problems).toEqual([expect.stringContaining('the numbers may be wrong')]);
  expect(view.answer).toBeUndefined();
});

/** Rounds of a virtqueue on two CPUs in turns: neither is ever waited for. */
const TURNS = 60_000;
const turns = (): Uint8Array =>
  traceOf(
    Array.from({ length: TURNS }, (_, at) => `M ${1000 + at} ${at % 2} ffff888100000100\n`).join(
      '',
    ),
    400,
  ).bytes;

const roundsOf = ({ recording }: DashboardView): number | undefined =>
  new Map(recording.counts).get('round');

test('what comes faster than it is shown, and is not kept, waits at its writer', async () => {
  const bytes = turns();
  const most = Math.floor(bytes.length / 5);
  const { session, write, end } = await piped({ keep: most }, most);
  let written = 0;
  const writing = (async () => {
    for (let at = 0; at < bytes.length; at += 4096) {
      await write(bytes.subarray(at, at + 4096));
      written = Math.min(bytes.length, at + 4096);
    }
    end();
  })();
  // The screen has not begun to play.
  for (let now = 0; now < 400; now += 4) {
    session.advance(now, 0);
    await sleep(5);
  }
  // What is kept, what may wait, and what a pipe and its reader hold.
  expect(written).toBeGreaterThan(2 * most);
  expect(written).toBeLessThan(2 * most + 300_000);
  expect(written).toBeLessThan(bytes.length);
  expect(session.view().source.problems.join()).toContain('no more is read until half');
  const view = await until(session, ({ source }) => source.state === 'ended');
  await writing;
  expect(view.source.problems.join()).not.toContain('no more is read');
  expect(roundsOf(view)).toBe(TURNS);
});

test('who waits for the screen goes on writing once nothing of it is wanted any more', async () => {
  const { execFileSync } = await import('node:child_process');
  const bytes = turns();
  const most = Math.floor(bytes.length / 5);
  const path = newPath();
  execFileSync('mkfifo', [path]);
  const source = readPipe(most, path, most);
  onTestFinished(async () => source.close());
  const fd = openSync(path, 'w');
  let written = 0;
  const writing = (async () => {
    while (written < bytes.length)
      written += (await writeTo(fd, bytes.subarray(written, written + 4096))).bytesWritten;
  })();
  for (let now = 0; !source.isBehind; now += 5) {
    source.refresh(now, true);
    await sleep(5);
  }
  expect(written).toBeLessThan(bytes.length);
  source.stop();
  expect(source.isBehind).toBe(false);
  await writing;
  closeSync(fd);
});

test('who stands still where nothing is kept is set going again once much waits', async () => {
  const bytes = turns();
  const most = Math.floor(bytes.length / 5);
  const { session, write, end } = await piped({ keep: most }, most);
  const writing = (async () => {
    for (let at = 0; at < bytes.length; at += 4096) await write(bytes.subarray(at, at + 4096));
    end();
  })();
  session.tell({ do: 'pause' });
  const held = await until(session, ({ answer }) => answer !== undefined);
  expect(held.answer?.text).toContain('cannot stand still any longer');
  expect(held.clock).toMatchObject({ isPaused: false, isLive: true });
  const view = await until(session, ({ source }) => source.state === 'ended');
  await writing;
  expect(roundsOf(view)).toBe(TURNS);
});

test('a socket that is not read for a time is read on', async () => {
  const bytes = turns();
  const most = Math.floor(bytes.length / 5);
  const path = join(mkdtempSync('/tmp/tui-test-'), 's');
  onTestFinished(() => rmSync(join(path, '..'), { recursive: true }));
  const server = await listen(path, (socket) => {
    socket.on('error', () => {});
    socket.end(bytes);
  });
  onTestFinished(() => void server.close());
  const options = optionsFor({ kind: 'socket', path }, { keep: most });
  const session = driven(openSession(options, followSocket(path, most, most)));
  onTestFinished(async () => session.close());
  for (let now = 0; now < 400; now += 4) {
    session.advance(now, 0);
    await sleep(5);
  }
  expect(session.view().source.problems.join()).toContain('no more is read until half');
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.source.problems).toEqual([]);
  expect(roundsOf(view)).toBe(TURNS);
});

test('a file that exists is not written over, and one is written at a time', async () => {
  const session = await open({ kind: 'file', path: TRACES.s3 });
  session.settle();
  const path = newPath();
  writeFileSync(path, 'mine');
  session.tell({ do: 'save', path });
  const refused = await until(session, ({ answer }) => answer !== undefined);
  expect(refused.answer).toMatchObject({ isError: true });
  expect(refused.answer?.text).toContain(`${path} exists`);
  expect(readFileSync(path, 'utf8')).toBe('mine');
  const [one, two] = [newPath(), newPath()];
  session.tell({ do: 'save', path: one });
  expect(session.view().saving).toMatchObject({ path: one });
  session.tell({ do: 'save', path: two });
  expect(session.view().answer?.text).toContain('one file at a time');
  const saved = await until(session, ({ saving }) => saving === undefined);
  expect(saved.answer).toMatchObject({ isError: false });
  expect(existsSync(two)).toBe(false);
});

test('a file that comes while one is saved under its name is not written over', async () => {
  const session = await open({ kind: 'file', path: TRACES.s3 });
  session.settle();
  const folderOfIt = mkdtempSync(join(folder, 'saved '));
  const path = join(folderOfIt, 'a.arrows');
  session.tell({ do: 'save', path });
  writeFileSync(path, 'mine');
  const refused = await until(session, ({ answer }) => answer !== undefined);
  expect(refused.answer).toMatchObject({ isError: true });
  expect(refused.answer?.text).toContain(`${path} exists`);
  expect(readFileSync(path, 'utf8')).toBe('mine');
  expect(readdirSync(folderOfIt)).toEqual(['a.arrows']);
});

test('who leaves while a file is written gives it up, and nothing of it is left', async () => {
  const session = await createSession(optionsFor({ kind: 'file', path: TRACES.s3 }));
  session.advance(0, 1000);
  const folderOfIt = mkdtempSync(join(folder, 'saved '));
  const path = join(folderOfIt, 'a.arrows');
  session.tell({ do: 'save', path });
  await session.close();
  expect(session.unsaved).toContain(`${path} was not written`);
  expect(readdirSync(folderOfIt)).toEqual([]);
});

test('recordings whose clocks go back: sums are those of replay, and the end can be come back to', async () => {
  // The second begins before the first, and ends before it.
  const later = S3.replaceAll(/^(\w+) (\d{9,})/gm, (_, tag: string, time: string) =>
    [tag, BigInt(time) - 1_000_000_000n].join(' '),
  );
  const path = newPath();
  writeFileSync(path, S3 + later, 'latin1');
  const session = await open({ kind: 'file', path });
  const view = session.settle();
  const all = await replayed(path);
  expect(plain(view.total.total)).toEqual(all);
  expect(view.source.problems[0]).toMatch(/^recordings of this trace overlap in time: sums hold/);
  // The clock of the first goes further.
  expect(view.clock.at).toBe(view.clock.end + 1);
  expect(view.clock.end).toBeGreaterThan(3.4e9);
  for (const command of [{ do: 'seek', at: view.clock.end + 1 }, { do: 'live' }] as const) {
    session.tell({ do: 'seek', at: 1e9 });
    expect(session.settle().clock.at).toBe(1e9);
    session.tell(command);
    expect(plain(session.settle().total.total)).toEqual(all);
  }
});

test('a path that no socket can have is told, and another socket is not taken for it', () => {
  const path = join(folder, 's'.repeat(200));
  const source = followSocket(path, 1 << 20);
  onTestFinished(async () => source.close());
  source.refresh(0, true);
  const bytes = Buffer.byteLength(path);
  expect(source.problems).toEqual([
    `cannot read ${path}: its path has ${bytes} bytes, and a socket's at most 107`,
  ]);
});
