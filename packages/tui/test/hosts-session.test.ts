/** Many hosts of a server that is not one: what is followed, in which bounds, and that its numbers are those of the runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseFleetUrl, type WatchedRun, type RunReading } from '@vhostscope/fleet';
import { expect, onTestFinished, test } from 'vitest';
import { openHosts, type HostsSession } from '../src/hosts/hosts-session.ts';
import type { HostsView } from '../src/hosts/hosts-view.ts';
import { fileSession, optionsFor } from './driven-session.ts';
import { pretendedReading } from './pretended-run.ts';
import { temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();
const S3 = writeTrace(join(folder, 's3.arrows'), textOf(TRACES.s3), 20).bytes;
const S3_HALF = Math.floor(S3.length / 2);
const U1 = writeTrace(join(folder, 'u1.arrows'), textOf(TRACES.u1), 20).bytes;
const NOW = 1_800_000_000_000;

interface Published {
  readonly bytes: Uint8Array;
  /** What the server has of it. */
  upTo: number;
  end: WatchedRun['end'];
}

/** A server, and what stands on it. */
function server(published: Map<string, Published>): {
  open: (most?: number) => HostsSession;
  /** ms pass by its clock, and nothing more comes. */
  pass: (ms: number) => void;
  /** This machine sleeps for so many ms: nothing is known of what came meanwhile. */
  sleep: (ms: number) => void;
  /** It answers how things are now, and of which runs more came so many ms ago. */
  answer: (ago?: ReadonlyMap<string, number>) => void;
  cut: () => void;
  readings: () => number;
  closed: () => boolean;
} {
  let readings = 0;
  let isClosed = false;
  let now = NOW;
  let isCaughtUp = true;
  let lastOf: ReadonlyMap<string, number> = new Map();
  const runs = new Map<string, WatchedRun>();
  const list = (): void => {
    for (const [key, { upTo, end }] of published) {
      const [host, run] = key.split('/');
      const lastMs = lastOf.get(key) ?? NOW - 1000;
      runs.set(key, { host, run, pieces: 1, bytes: upTo, end, lastMs, link: '' });
    }
  };
  const readRun = (
    host: string,
    run: string,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): RunReading => {
    const one = published.get(`${host}/${run}`);
    readings++;
    return pretendedReading(async function* () {
      let at = 0;
      while (one !== undefined && signal?.aborted !== true) {
        const to = Math.min(one.upTo, at + 300_000);
        if (to > at) yield one.bytes.slice(at, to);
        at = to;
        if (at >= one.upTo && one.end !== undefined) return { end: one.end, damage: undefined };
        await sleep(5);
      }
      return undefined;
    });
  };
  const fleet = {
    url: parseFleetUrl('nats://lab'),
    isCut: false,
    readRun,
    readClocks: async () =>
      Promise.resolve(() => ({ clock: 'CLOCK_BOOTTIME', at: 1n, offset: 2n, uncertainty: 3n })),
    close: async () => {
      isClosed = true;
      return Promise.resolve();
    },
  };
  return {
    open: (most) => {
      const watch = {
        get runs() {
          list();
          return runs;
        },
        get isCaughtUp() {
          return isCaughtUp;
        },
        trouble: undefined,
        now: () => now,
        close: async () => Promise.resolve(),
      };
      const hosts = openHosts(
        fleet,
        watch,
        optionsFor({ kind: 'server', path: 'nats://lab' }),
        most,
      );
      onTestFinished(async () => hosts.close());
      return hosts;
    },
    pass: (ms) => {
      now += ms;
    },
    sleep: (ms) => {
      now += ms;
      isCaughtUp = false;
    },
    answer: (ago = new Map()) => {
      lastOf = new Map([...ago].map(([key, ms]) => [key, now - ms]));
      isCaughtUp = true;
    },
    cut: () => {
      fleet.isCut = true;
    },
    readings: () => readings,
    closed: () => isClosed,
  };
}

let clock = 0;
async function until(
  hosts: HostsSession,
  isThere: (view: HostsView) => boolean,
): Promise<HostsView> {
  for (let tries = 0; tries < 1500; tries++) {
    clock += 100;
    hosts.advance(clock, 50);
    if (isThere(hosts.view())) return hosts.view();
    await sleep(5);
  }
  throw new Error(JSON.stringify(hosts.view().hosts.map(({ host, state }) => [host, state])));
}

async function totalOf(bytes: Uint8Array): Promise<unknown> {
  const path = join(folder, 'one.arrows');
  writeFileSync(path, bytes);
  const session = await fileSession(path);
  const { total } = session.settle();
  await session.close();
  return { total: total.total, window: total.window };
}

const whole = (bytes: Uint8Array): Published => ({ bytes, upTo: bytes.length, end: 'closed' });

test('each host has the numbers of its run; the worst comes first', async () => {
  const hosts = server(
    new Map([
      ['good/1', whole(U1)],
      ['bad/1', whole(S3)],
    ]),
  ).open();
  const view = await until(
    hosts,
    ({ hosts: rows }) => rows.length === 2 && rows.every(({ state }) => state === 'finished'),
  );
  expect(view).toMatchObject({
    server: 'nats://lab:4222',
    problems: [],
    leftOut: [],
    design: 'merged',
  });
  expect(view.hosts.map(({ host }) => host)).toEqual(['bad', 'good']);
  const [bad, good] = view.hosts;
  expect({ total: bad.total, window: bad.window }).toEqual(await totalOf(S3));
  expect({ total: good.total, window: good.window }).toEqual(await totalOf(U1));
  expect(bad).toMatchObject({
    storms: 1,
    stormsUnderWay: 0,
    complete: 'not known',
    share: 1,
    age: 1000,
  });
  await until(hosts, ({ hosts: rows }) => rows.every((row) => row.clock?.uncertainty === 3n));
});

test('what goes on is followed; it is read up to where it is before it counts as being under way', async () => {
  const run: Published = { bytes: S3, upTo: S3_HALF, end: undefined };
  const hosts = server(new Map([['a/1', run]])).open();
  const first = await until(hosts, ({ hosts: [row] }) => row?.state === 'under way');
  const before = first.hosts[0].total.accesses;
  expect(before).toBeGreaterThan(0);
  run.upTo = S3.length;
  await until(hosts, ({ hosts: [row] }) => row.total.accesses > before);
  run.end = 'cut';
  await until(hosts, ({ hosts: [row] }) => row.state === 'cut');
});

test('as many as can be followed are, and the others are told; few are read at once', async () => {
  const published = new Map(
    Array.from({ length: 12 }, (_, at) => {
      const run: Published = { bytes: U1, upTo: 200_000, end: undefined };
      return [`h${String(at).padStart(2, '0')}/1`, run] as const;
    }),
  );
  const made = server(published);
  const hosts = made.open(10);
  clock += 1000;
  hosts.advance(clock, 50);
  const begun = hosts.view();
  expect(begun.leftOut).toEqual(['h10', 'h11']);
  expect(begun.hosts).toHaveLength(10);
  expect(begun.hosts.filter(({ state }) => state === 'waiting')).toHaveLength(6);
  expect(made.readings()).toBe(4);
  await until(hosts, ({ hosts: rows }) => rows.every(({ state }) => state === 'under way'));
  expect(made.readings()).toBe(10);
  expect(hosts.view().leftOut).toEqual(['h10', 'h11']);
});

test('a host that begins another run is followed there', async () => {
  const first: Published = { bytes: U1, upTo: U1.length, end: undefined };
  const published = new Map([['a/1', first]]);
  const hosts = server(published).open();
  await until(hosts, ({ hosts: [row] }) => row?.state === 'under way');
  first.end = 'closed';
  published.set('a/2', { bytes: S3, upTo: S3_HALF, end: undefined });
  const view = await until(
    hosts,
    ({ hosts: [row] }) => row.run === '2' && row.state === 'under way',
  );
  expect(view.hosts).toHaveLength(1);
});

test('the run of a host opens as a session of its own, which ends without the server', async () => {
  const made = server(new Map([['a/1', whole(S3)]]));
  const hosts = made.open();
  const { hosts: rows } = await until(hosts, ({ hosts: [row] }) => row?.state === 'finished');
  const session = hosts.open(rows[0]);
  for (let tries = 0; session.view().source.state !== 'ended' && tries < 500; tries++) {
    clock += 100;
    session.advance(clock, 50);
    await sleep(5);
  }
  expect(session.view().source).toMatchObject({ name: 'a/1', kind: 'server', state: 'ended' });
  await session.close();
  expect(made.closed()).toBe(false);
});

test('after a sleep of this machine no host goes before the server has answered; then one that is too old does', async () => {
  const goingOn = (): Published => ({ bytes: S3, upTo: S3.length, end: undefined });
  const lab = server(
    new Map([
      ['web/1', goingOn()],
      ['db/1', goingOn()],
    ]),
  );
  const hosts = lab.open();
  const names = ({ hosts: rows }: HostsView): string[] =>
    rows.map(({ host }) => host).toSorted((a, b) => (a < b ? -1 : 1));
  const areThere = ({ hosts: rows }: HostsView): boolean =>
    rows.length === 2 && rows.every(({ state }) => state === 'under way');
  expect((await until(hosts, areThere)).hosts[0]?.age).toBe(1000);
  // The clock that turns go by stands still meanwhile.
  const slept = 80 * 60_000;
  lab.sleep(slept);
  const later = await until(hosts, ({ hosts: [row] }) => row?.age !== 1000);
  expect(later.hosts.map(({ age }) => age)).toEqual([1000 + slept, 1000 + slept]);
  for (let times = 0; times < 20; times++) hosts.advance((clock += 100), 50);
  expect(names(hosts.view())).toEqual(['db', 'web']);
  lab.answer(new Map([['web/1', 400]]));
  const after = await until(hosts, ({ hosts: rows }) => rows.length === 1);
  expect(after).toMatchObject({
    hosts: [{ host: 'web', age: 400, state: 'under way' }],
    problems: [],
  });
  // The one that stays is not read anew.
  expect(lab.readings()).toBe(2);
  lab.pass(80 * 60_000);
  await until(hosts, ({ hosts: rows }) => rows.length === 0);
});

test('while the server is away no host goes, however long that is', async () => {
  const lab = server(new Map([['web/1', { bytes: S3, upTo: S3.length, end: undefined }]]));
  const hosts = lab.open();
  await until(hosts, ({ hosts: [row] }) => row?.state === 'under way');
  lab.cut();
  lab.pass(2 * 3_600_000);
  const away = await until(hosts, ({ problems }) => problems.length > 0);
  expect(away.hosts[0]).toMatchObject({ host: 'web', age: 1000 + 2 * 3_600_000 });
  // Nor later.
  for (let times = 0; times < 20; times++) hosts.advance((clock += 100), 50);
  expect(hosts.view().hosts).toHaveLength(1);
});
