/** `replay fleet --share` over workers of a real server, one of which is killed. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectFleet, initStream, openJobQueue, parseFleetUrl } from '@vhostscope/fleet';
import { hasServer, withServer, type ServerInUse } from '@vhostscope/nats-testbed';
import { afterAll, describe, expect, test } from 'vitest';
import { programDigest } from '../src/fleet/program-digest.ts';
import { workerProgram } from '../src/worker-program.ts';
import { fleetResultSchema } from '../src/fleet/fleet-result.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const REPLAY = join(REPOSITORY, 'packages/replay/bin/replay.js');
const COLLECTOR = join(REPOSITORY, 'packages/collector/bin/collector.js');
const EXAMPLES = ['d1-dpdk-virtio-user', 's3-resetup-under-storm', 'u5-json-q256'];

const server = withServer('shared', { prepare: publishExamples });
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

async function publishExamples({ url, folder }: ServerInUse): Promise<void> {
  const connection = await connectFleet(parseFleetUrl(url), {});
  await initStream(connection, {});
  await connection.close();
  for (const [at, name] of EXAMPLES.entries()) {
    const path = join(REPOSITORY, 'examples', `${name}.txt.gz`);
    const spool = join(folder, 'spool');
    const { status } = spawnSync(
      process.execPath,
      [COLLECTOR, 'import', path, '--publish', url, '--publish-as', `host${at}`, '--spool', spool],
      { stdio: 'ignore' },
    );
    if (status !== 0) throw new Error(`${name} was not published`);
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, [REPLAY, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, out: () => out, err: () => err, ended };
}

async function stopped({ child, ended }: Running, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal);
  return ended;
}

describe.skipIf(!hasServer)('a shared fleet', () => {
  test('has the figures of one that is not, though a worker is killed in the middle of a job', async () => {
    const queue = await openJobQueue(parseFleetUrl(server.url), programDigest(workerProgram()), {});
    const asked = start('fleet', server.url, '--share', '--json', '--design', 'merged,fixes-v5');
    await expect.poll(async () => (await queue.state()).waiting, { timeout: 30_000 }).toBe(3);
    // Its processes hold jobs and come no further; then it is gone.
    const lost = start('fleet-worker', server.url, '--workers', '1');
    for (let tries = 0; (await queue.state()).underWay === 0; tries++) {
      expect(tries).toBeLessThan(3000);
      await pause(2);
    }
    lost.child.kill('SIGSTOP');
    const { underWay } = await queue.state();
    expect(underWay).toBe(1);
    const other = start('fleet-worker', server.url, '--workers', '2');
    await stopped(lost, 'SIGKILL');
    expect(await asked.ended).toBe(0);
    expect(await queue.state()).toMatchObject({ waiting: 0 });
    const here = start('fleet', server.url, '--json', '--design', 'merged,fixes-v5');
    expect(await here.ended).toBe(0);
    expect(asked.out()).toBe(here.out());
    // Each was answered once by whoever was left.
    expect(other.err().match(/: replayed/g)).toHaveLength(3);

    // Who asks again has the answers at once; no worker is needed.
    expect(await stopped(other, 'SIGINT')).toBe(130);
    const again = start('fleet', server.url, '--share', '--json', '--design', 'merged,fixes-v5');
    expect(await again.ended).toBe(0);
    expect(again.out()).toBe(here.out());
    expect(again.err()).toContain('3 runs answered before');
    await queue.close();
  });

  test('of one host, and named twice, is what it is where it is not shared', async () => {
    const worker = start('fleet-worker', server.url, '--workers', '1');
    const host = `${server.url}/host1`;
    const shared = start('fleet', host, `${host}/`, '--share', '--json', '--design', 'fixes-v1');
    expect({ code: await shared.ended, err: shared.err() }).toMatchObject({ code: 0 });
    const here = start('fleet', host, '--json', '--design', 'fixes-v1');
    expect(await here.ended).toBe(0);
    expect(shared.out()).toBe(here.out());
    expect(shared.err()).toContain('taken once, though named twice');
    expect(await stopped(worker, 'SIGTERM')).toBe(130);
  });

  test('what nobody answers in time is told, and is in no figure', async () => {
    // They would never take what is asked here.
    const other = await openJobQueue(parseFleetUrl(server.url), 'another', {});
    const waiting = other.take(10_000);
    const page = join(server.folder, 'fleet.html');
    const share = ['--share', '--share-wait', '8s', '--json', '--report', page];
    const asked = start('fleet', server.url, ...share);
    expect(await asked.ended).toBe(2);
    // Nobody has tried to read them.
    expect(readFileSync(page, 'utf8')).toMatch(/not answered by any worker:<\/h2>/);
    expect(readFileSync(page, 'utf8')).not.toMatch(/unreadable|could not be read/);
    const { runs, totals } = fleetResultSchema.parse(JSON.parse(asked.out()));
    expect(runs.map(({ status }) => status)).toEqual(Array(3).fill('not answered'));
    expect(totals).toMatchObject({ unreadable: 0, not_answered: 3, rounds: 0 });
    expect(asked.err()).toContain(
      'no worker of this build of replay is there, but workers of 1 other build: compare',
    );
    expect(await waiting).toBeUndefined();
    await other.close();
    expect(asked.err()).toContain('no worker has answered in time');
  });
});
