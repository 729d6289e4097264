/** A socket that comes, goes away, comes back, and waits. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTrace } from '@vhostscope/trace';
import { expect, onTestFinished, test } from 'vitest';
import { openSession } from '../src/session/session.ts';
import { followSocket } from '../src/source/live-socket.ts';
import { closedBehindTest, openSource, optionsFor, until } from './driven-session.ts';
import { roundsOf, TURNS, turnsAt } from './piped-session.ts';
import { replayedTotals, totalsOf } from './replayed-totals.ts';
import { freshPaths, temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const newPath = freshPaths(temporaryFolder());
const traceOf = (text: string, flushes = 7): ReturnType<typeof writeTrace> =>
  writeTrace(newPath(), text, flushes);
const S3 = textOf(TRACES.s3);

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
  const session = await openSource({ kind: 'socket', path });
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
  expect(await replayedTotals(saved, 'merged', 'ranges')).toEqual(totalsOf(gone.total.total));

  session.tell({ do: 'live' });
  const back = await until(session, ({ source }) => source.state === 'ended');
  const whole = newPath();
  writeFileSync(whole, bytes);
  expect(totalsOf(back.total.total)).toEqual(await replayedTotals(whole));
  expect(back.source.problems.join()).toContain('came back');
});

test('a socket that is not read for a time is read on', async () => {
  const bytes = turnsAt(newPath());
  const most = Math.floor(bytes.length / 5);
  const path = join(mkdtempSync('/tmp/tui-test-'), 's');
  onTestFinished(() => rmSync(join(path, '..'), { recursive: true }));
  const server = await listen(path, (socket) => {
    socket.on('error', () => {});
    socket.end(bytes);
  });
  onTestFinished(() => void server.close());
  const options = optionsFor({ kind: 'socket', path }, { keep: most });
  const session = closedBehindTest(openSession(options, followSocket(path, most, most)));
  for (let now = 0; now < 400; now += 4) {
    session.advance(now, 0);
    await sleep(5);
  }
  expect(session.view().source.problems.join()).toContain('no more is read until half');
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.source.problems).toEqual([]);
  expect(roundsOf(view)).toBe(TURNS);
});
