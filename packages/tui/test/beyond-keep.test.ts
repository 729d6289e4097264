/** Where not all of what comes is kept (--keep): what can be looked at, and who waits for whom. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTrace } from '@vhostscope/trace';
import { expect, onTestFinished, test } from 'vitest';
import { readPipe } from '../src/source/piped-input.ts';
import { until } from './driven-session.ts';
import { makePipe, openPipeEnd, pipedSession, roundsOf, TURNS, turnsAt } from './piped-session.ts';
import { replayedTotals, totalsOf } from './replayed-totals.ts';
import { freshPaths, temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const newPath = freshPaths(temporaryFolder());
const traceOf = (text: string, flushes = 7): ReturnType<typeof writeTrace> =>
  writeTrace(newPath(), text, flushes);
const S3 = textOf(TRACES.s3);

test('beyond --keep it stays live, and one can go back to where that ends', async () => {
  const { bytes } = traceOf(S3, 60);
  const keep = Math.floor(bytes.length / 3);
  const { session, write, end } = pipedSession(newPath(), { keep });
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
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(path, 'merged', 'ranges'));
});

test('who pauses where nothing is kept any more misses nothing of what comes', async () => {
  const { bytes } = traceOf(S3, 60);
  const { session, write, end } = pipedSession(newPath(), { keep: Math.floor(bytes.length / 3) });
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
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(path, 'merged', 'ranges'));
  // It cannot be looked through again: how it is judged stays, and why is said.
  expect(view.recording).toMatchObject({ complete: 'not known' });
  expect(view.recording.order).toMatch(/^ranges: .*not all of it was kept/);
  expect(view.source.problems).toEqual([]);
});

test('where what was kept ends is said to who wants to go on behind it', async () => {
  const { bytes } = traceOf(S3, 60);
  const { session, write } = pipedSession(newPath(), { keep: Math.floor(bytes.length / 3) });
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
  const { session, write } = pipedSession(newPath(), { keep: Math.floor(bytes.length / 2) });
  await write(bytes.subarray(0, ends[0]));
  await until(session, ({ clock }) => clock.events > 0);
  await write(bytes.subarray(ends[0]));
  const view = await until(session, ({ source }) => source.problems.length > 0);
  expect(view.source.problems).toEqual([expect.stringContaining('the numbers may be wrong')]);
  expect(view.answer).toBeUndefined();
});

test('what comes faster than it is shown, and is not kept, waits at its writer', async () => {
  const bytes = turnsAt(newPath());
  const most = Math.floor(bytes.length / 5);
  const { session, write, end } = pipedSession(newPath(), { keep: most }, most);
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
  const bytes = turnsAt(newPath());
  const most = Math.floor(bytes.length / 5);
  const path = newPath();
  makePipe(path);
  const source = readPipe(most, path, most);
  onTestFinished(async () => source.close());
  const { write, end } = openPipeEnd(path);
  let written = 0;
  const writing = (async () => {
    for (; written < bytes.length; written += 4096)
      await write(bytes.subarray(written, written + 4096));
  })();
  for (let now = 0; !source.isBehind; now += 5) {
    source.refresh(now, true);
    await sleep(5);
  }
  expect(written).toBeLessThan(bytes.length);
  source.stop();
  expect(source.isBehind).toBe(false);
  await writing;
  end();
});

test('who stands still where nothing is kept is set going again once much waits', async () => {
  const bytes = turnsAt(newPath());
  const most = Math.floor(bytes.length / 5);
  const { session, write, end } = pipedSession(newPath(), { keep: most }, most);
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
