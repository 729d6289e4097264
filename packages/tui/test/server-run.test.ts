/** A run on a server as the dashboard's source, with a server that is not one. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet, RunReading } from '@vhostscope/fleet';
import { expect, test } from 'vitest';
import { openSession } from '../src/session/session.ts';
import { followRun } from '../src/source/server-run.ts';
import {
  closedBehindTest,
  openSource,
  optionsFor,
  until,
  type DrivenSession,
} from './driven-session.ts';
import { pretendedReading, type RunEnd } from './pretended-run.ts';
import { temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();
const RUN = { host: 'a\u001b[31mhost', run: '1' };
const { bytes: TRACE } = writeTrace(join(folder, 'trace'), textOf(TRACES.s3), 20);

/** What becomes of one reading: bytes up to a place, and then an end, or an error. */
interface Reading {
  readonly upTo: number;
  readonly ends: RunEnd | Error | 'more comes';
  /** Pieces that it does not have, while those behind them wait. */
  readonly lacks?: string;
}

/** Gives the trace out in pieces, as each reading tells. */
function server(readings: readonly Reading[]): Pick<Fleet, 'readRun' | 'close' | 'isCut'> & {
  readonly asked: () => number;
} {
  let asked = 0;
  return {
    asked: () => asked,
    isCut: false,
    close: async () => Promise.resolve(),
    readRun: (_host, _run, { signal } = {}): RunReading => {
      const { upTo, ends, lacks } = readings[Math.min(asked++, readings.length - 1)];
      // Another size each time: what comes again is cut elsewhere.
      const size = 50_000 + 7777 * asked;
      return pretendedReading(async function* () {
        for (let at = 0; at < upTo; at += size) {
          yield TRACE.subarray(at, Math.min(upTo, at + size));
          await sleep(1);
        }
        if (ends instanceof Error) throw ends;
        if (ends !== 'more comes') return ends;
        await sleep(100_000, undefined, { signal }).catch(() => undefined);
        return undefined;
      }, lacks);
    },
  };
}

function follow(readings: readonly Reading[]): {
  session: DrivenSession;
  fleet: ReturnType<typeof server>;
} {
  const fleet = server(readings);
  const options = optionsFor({ kind: 'server', path: 'nats://host/h/r' });
  const session = closedBehindTest(openSession(options, followRun(fleet, RUN, options.keep)));
  return { session, fleet };
}

const CLOSED = { end: 'closed', damage: undefined } as const;

test('a run has the numbers that its file has', async () => {
  const path = join(folder, 'whole.arrows');
  writeFileSync(path, TRACE);
  const file = await openSource({ kind: 'file', path });
  const { session } = follow([{ upTo: TRACE.length, ends: CLOSED }]);
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.source).toMatchObject({ kind: 'server', problems: [], isStuck: false });
  expect(view.total.total).toEqual(file.settle().total.total);
  expect(view.total.total.accesses).toBeGreaterThan(0);
});

test('a server that goes away is asked again, and what came before is not taken twice', async () => {
  const third = Math.floor(TRACE.length / 3);
  const { session, fleet } = follow([
    { upTo: third, ends: new Error('nats://host is away') },
    { upTo: 0, ends: new Error('nats://host is away') },
    { upTo: 2 * third, ends: new Error('nats://host is away') },
    { upTo: TRACE.length, ends: CLOSED },
  ]);
  const away = await until(session, ({ source }) => source.problems.join().includes('away'));
  expect(away.source).toMatchObject({
    state: 'reading',
    problems: ['nats://host is away; tried again every second'],
  });
  const { session: other } = follow([{ upTo: TRACE.length, ends: CLOSED }]);
  const whole = await until(other, ({ source }) => source.state === 'ended');
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(fleet.asked()).toBe(4);
  expect(view.source.problems).toEqual([]);
  expect(view.total.total).toEqual(whole.total.total);
});

test('a run of which nothing has come is waited for; it goes on until it is closed', async () => {
  const { session } = follow([{ upTo: 0, ends: 'more comes' }]);
  session.pass(100);
  const { source } = session.view();
  expect(source).toMatchObject({ state: 'waiting', isEmpty: true, isStuck: false });
  expect(source.problems.join()).toContain('it may be named otherwise');
  const { session: live } = follow([{ upTo: 300_000, ends: 'more comes' }]);
  const view = await until(live, ({ clock }) => clock.events > 1000);
  expect(view.source).toMatchObject({ state: 'reading', problems: [] });
  expect(view.clock.isLive).toBe(true);
});

test('a run that goes on and whose first pieces are gone says so, and not that there is nothing of it', async () => {
  const lacks = 'pieces 0 to 4 are not on the server';
  const { session } = follow([{ upTo: 0, ends: 'more comes', lacks }]);
  // They may be on their way.
  session.pass(100);
  expect(session.view().source.problems).toEqual([]);
  const { source } = await until(session, (view) => view.source.problems.length > 0);
  expect(source.problems.join()).toMatch(/1: pieces 0 to 4 are not on the server: .* may be gone$/);
});

test.each([
  [{ end: 'cut', damage: undefined } as const, 'ended before the recording did'],
  [{ end: 'closed', damage: 'piece 3 is missing on the server' } as const, 'piece 3 is missing'],
])('a run that is not whole says so: %j', async (ends, words) => {
  const { session } = follow([{ upTo: 300_000, ends }]);
  const { source, total } = await until(session, (view) => view.source.state === 'ended');
  expect(source.problems.join()).toContain(words);
  expect(total.total.accesses).toBeGreaterThan(0);
});

test('a connection that is cut is told for as long as it is', async () => {
  const fleet = { ...server([{ upTo: 300_000, ends: 'more comes' }]), isCut: false };
  const options = optionsFor({ kind: 'server', path: 'nats://host/h/r' });
  const session = closedBehindTest(openSession(options, followRun(fleet, RUN, options.keep)));
  await until(session, ({ clock }) => clock.events > 1000);
  fleet.isCut = true;
  const cut = await until(session, ({ source }) => source.problems.length > 0);
  expect(cut.source.problems).toEqual(['the connection to the server is cut; it is tried again']);
  fleet.isCut = false;
  await until(session, ({ source }) => source.problems.length === 0);
});
