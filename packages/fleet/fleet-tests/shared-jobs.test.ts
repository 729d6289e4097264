/** The queue of jobs on a real server: what belongs to which build. */
import { hasServer, withServer } from '@vhostscope/nats-testbed';
import { describe, expect, it } from 'vitest';
import { jobId, openJobQueue, parseFleetUrl } from '../src/index.js';
import { initFleet } from './runs.js';

describe.skipIf(!hasServer)('jobs', () => {
  const server = withServer('for each test');

  it('and their results are of the build that knows how to do them', async () => {
    await initFleet(server.url);
    const open = (build: string) => openJobQueue(parseFleetUrl(server.url), build, {});
    const [one, other] = [await open('aa'), await open('bb')];
    const job = Buffer.from('replay this');
    await one.put(job);
    expect(await one.othersWithWorkers()).toBe(0);
    const waiting = other.take(3000);
    // There are workers, and none that could do it.
    await expect.poll(() => one.othersWithWorkers()).toBe(1);
    expect(await one.state()).toMatchObject({ idleWorkers: 0, waiting: 1 });
    expect(await waiting).toBeUndefined();
    const taken = await one.take(5000);
    expect(taken?.id).toBe(jobId(job));
    await one.putResult(jobId(job), Buffer.from('figures'));
    await taken?.done();
    expect(Buffer.from((await one.result(jobId(job))) ?? []).toString()).toBe('figures');
    expect(await other.result(jobId(job))).toBeUndefined();
    await one.close();
    await other.close();
  });

  it('that are given back come again, and not before the time that was said', async () => {
    await initFleet(server.url);
    const queue = await openJobQueue(parseFleetUrl(server.url), 'aa', {});
    await queue.put(Buffer.from('x'));
    const first = await queue.take(5000);
    first?.giveBack(3000);
    expect(await queue.take(1000)).toBeUndefined();
    expect((await queue.take(5000))?.tries).toBe(2);
    await queue.close();
  });
});

describe.skipIf(!hasServer)('fleet init', () => {
  const server = withServer('for each test');

  it('asks no single server for replicas: it would not find the stream again', async () => {
    await initFleet(server.url);
    await expect(initFleet(server.url, { replicas: 3 })).rejects.toThrow(
      `is one server, and no cluster of 3`,
    );
  });
});
