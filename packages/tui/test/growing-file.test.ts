/** Trace files that grow, are cut, written anew, moved, or come to their end. */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openSource, until } from './driven-session.ts';
import { replayedTotals, totalsOf } from './replayed-totals.ts';
import { freshPaths, temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const newPath = freshPaths(temporaryFolder());
const traceOf = (text: string, flushes = 7): ReturnType<typeof writeTrace> =>
  writeTrace(newPath(), text, flushes);
const S3 = textOf(TRACES.s3);

test('a file that grows is shown as it grows, torn tails and all, and can be gone back in', async () => {
  const { bytes, ends } = traceOf(S3, 20);
  const path = newPath();
  const session = await openSource({ kind: 'growing file', path });
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
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(whole, 'fixes-v5'));
});

test('a file that is cut, or damaged in its middle, is said to be, and what was shown stays', async () => {
  const { bytes, ends } = traceOf(S3);
  const [first = 0, , third = 0] = ends;
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, third));
  const session = await openSource({ kind: 'growing file', path });
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
  expect(totalsOf(whole.total.total)).toEqual(await replayedTotals(path));

  const damaged = newPath();
  writeFileSync(
    damaged,
    Buffer.concat([bytes.subarray(0, third), Buffer.alloc(64, 7), bytes.subarray(third)]),
  );
  const other = await openSource({ kind: 'growing file', path: damaged });
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
  const session = await openSource({ kind: 'growing file', path });
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
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(path));
});

test('a file that loses its name is read on, and one that gets it takes its place', async () => {
  const { bytes, ends } = traceOf(S3);
  const [first = 0, second = 0] = ends;
  const [path, moved, other] = [newPath(), newPath(), newPath()];
  writeFileSync(path, bytes.subarray(0, first));
  const session = await openSource({ kind: 'growing file', path });
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
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(path));
  // A trace that is whole is kept.
  renameSync(moved, path);
  session.pass(1000);
  expect(session.settle().source.problems.join()).toContain(`tui --follow ${path} shows that one`);
  expect(session.view().total.total).toEqual(view.total.total);
});

test('a growing file that is text is said to be that, and how it can be followed', async () => {
  const path = newPath();
  writeFileSync(path, S3.slice(0, 1000), 'latin1');
  const session = await openSource({ kind: 'growing file', path });
  session.pass(10);
  const { source } = session.settle();
  expect(source.state).toBe('gone');
  expect(source.problems).toEqual([
    `${path} is no trace; text that grows is shown by: tail -c +1 -F ${path} | tui -`,
  ]);
});

test('a growing file that is an Arrow stream and no trace is said to be none', async () => {
  const path = newPath();
  const content = Buffer.from('ffffffff1000000000000000000000000000000000000000', 'hex');
  writeFileSync(path, content);
  const session = await openSource({ kind: 'growing file', path });
  session.pass(10);
  expect(session.settle().source.problems.join()).toMatch(/trace|Arrow/);
});

test('a trace that is damaged behind its index says so, and the screen stays', async () => {
  const path = newPath();
  writeFileSync(path, gunzipSync(readFileSync(TRACES.stock)));
  const bytes = readFileSync(path);
  // Values of a batch in the middle: only who reads it sees that.
  bytes.fill(0xee, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 4000);
  writeFileSync(path, bytes);
  const session = await openSource({ kind: 'growing file', path });
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
  const session = await openSource({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  expect(session.settle().recording.order).toContain('may still grow');
  writeFileSync(path, bytes);
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.clock).toMatchObject({ isPaused: true, isLive: false, at: view.clock.end + 1 });
  expect(view.recording.order).toBe('effects: every overlapping range has its effects');
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(whole));
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
  const session = await openSource({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  session.settle();
  session.tell({ do: 'seek', at: 1e9 });
  expect(session.settle().clock.at).toBe(1e9);
  writeFileSync(path, bytes);
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.clock).toMatchObject({ at: 1e9, isPaused: true });
  const file = await openSource({ kind: 'file', path });
  file.settle();
  file.tell({ do: 'seek', at: 1e9 });
  const { total, recording } = file.settle();
  expect(view.total).toEqual(total);
  expect(view.recording.order).toBe(recording.order);
  session.tell({ do: 'live' });
  expect(totalsOf(session.settle().total.total)).toEqual(await replayedTotals(path));
});

test('where its end tells no other order the numbers stay as they are', async () => {
  const bytes = gunzipSync(readFileSync(TRACES.stock));
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
  const session = await openSource({ kind: 'growing file', path });
  session.pass(10);
  session.pass(600);
  writeFileSync(path, bytes);
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(path));
  expect(view.recording.order).not.toContain('may still grow');
  expect(view.clock).toMatchObject({ isPaused: true, isLive: false });
});
