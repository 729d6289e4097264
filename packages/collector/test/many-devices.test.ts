/** `collector attach` on a host with hundreds of virtqueues, whose devices come and go. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hasDetail, KIND } from '@vhostscope/model';
import { openTrace, recordingCounts, visitTrace, type RecordingCounts } from '@vhostscope/trace';
import { beforeEach, expect, it } from 'vitest';
import { fakeHost, type Scenario, type Truth } from './fake-host.ts';
import { collectorOn, type Outcome } from './in-process.ts';
import { temporaryFolder } from './traces.ts';

const top = temporaryFolder();
let made = 0;

beforeEach(() => {
  const folder = join(top, String(made++));
  mkdirSync(folder);
  process.chdir(folder);
});

const TRUTH = 'truth.json';

async function attach(scenario: Scenario, ...args: string[]): Promise<Outcome> {
  return collectorOn(fakeHost({ truth: TRUTH, ...scenario }), 'attach', ...args);
}

const truth = (): Truth => JSON.parse(readFileSync(TRUTH, 'utf8')) as Truth;

interface Found {
  readonly counts: RecordingCounts | undefined;
  /** Device of each virtqueue, as the recording has it at its end; -1 where it has none. */
  readonly devices: ReadonlyMap<number, number>;
  /** Virtqueues whose areas were told and that were not reset since. */
  readonly setUp: ReadonlySet<number>;
}

async function found(path: string): Promise<Found> {
  const trace = await openTrace(path);
  const devices = new Map<number, number>();
  const setUp = new Set<number>();
  visitTrace(trace.fd, trace.index, ({ kind, vq, detail, details }, from, to) => {
    for (let row = from; row < to; row++) {
      const id = vq[row] ?? 0;
      const at = detail[row] ?? 0;
      if (kind[row] === KIND.virtqueue)
        devices.set(id, hasDetail(details, at, 'dev') ? (details.dev[at] ?? -1) : -1);
      else if (kind[row] === KIND.addresses) setUp.add(id);
      else if (kind[row] === KIND.reset) setUp.delete(id);
    }
  });
  const [recording] = trace.index.recordings;
  const counts = recording && recordingCounts(trace.fd, recording);
  trace.close();
  return { counts, devices, setUp };
}

/** Of the rounds that the fake tells beside the devices. */
const OTHERS = 10;

it('tells 300 virtqueues, and those that come and go', async () => {
  const { code } = await attach({ devices: 150, churn: 2 }, '--duration', '700ms');
  expect(code).toBe(0);
  const { counts, devices, setUp } = await found('vhost.arrows');
  expect(counts).toMatchObject({ lost: {}, missing: { state: 0, rounds: 0 } });
  expect(counts?.complete).not.toBe(false);
  expect(truth().opened).toBeGreaterThan(150);
  const told = [...devices.values()].filter((dev) => dev >= 0);
  // Those that closed before the recording began are not in it.
  expect(told.length).toBeGreaterThan(2 * 150);
  expect(told.length).toBeLessThanOrEqual(2 * truth().opened);
  for (const dev of new Set(told)) expect(told.filter((one) => one === dev)).toHaveLength(2);
  expect(setUp.size).toBeGreaterThanOrEqual(300 - OTHERS);
  expect(setUp.size).toBeLessThanOrEqual(300);
});

it('tells a reader who joins of the rings that there are then', async () => {
  const bytes: Buffer[] = [];
  const joining = (async () => {
    while (!existsSync('a.arrows')) await pause(20);
    await pause(200);
    const socket = connect('s');
    socket.on('data', (chunk) => bytes.push(chunk));
    await new Promise((resolve) => socket.once('close', resolve));
  })();
  await attach(
    { devices: 150, churn: 2 },
    '--duration',
    '900ms',
    '--socket',
    's',
    '-o',
    'a.arrows',
  );
  await joining;
  writeFileSync('joined.arrows', Buffer.concat(bytes));
  const joined = await found('joined.arrows');
  const whole = await found('a.arrows');
  // Not known where the machine was too busy to say that all had arrived.
  expect(joined.counts?.complete).not.toBe(false);
  expect([...joined.setUp].toSorted((a, b) => a - b)).toEqual(
    [...whole.setUp].toSorted((a, b) => a - b),
  );
});
