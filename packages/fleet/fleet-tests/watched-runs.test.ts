/** Which runs a server holds, watched through what keeps a watcher from hearing. */
import { join } from 'node:path';
import { withServers, hasServer } from '@vhostscope/nats-testbed';
import { describe, expect, it, vi } from 'vitest';
import { openFleet } from '../src/index.js';
import type { RunWatch } from '../src/watch-runs.js';
import { appendAll, initFleet, publisherTo } from './runs.js';

const asleep = vi.hoisted(() => ({ seconds: 0 }));
vi.mock('node:os', async (real) => {
  const os = await real<{ uptime: () => number }>();
  return { ...os, uptime: () => os.uptime() + asleep.seconds };
});

const servers = withServers('for each test');

const HOUR_MS = 3_600_000;

/** Since when nothing was heard of its only run, ms. */
function silentFor(watch: RunWatch): number {
  const [run] = watch.runs.values();
  return run === undefined ? Number.NaN : watch.now() - run.lastMs;
}

async function caughtUp(watch: RunWatch): Promise<void> {
  await expect.poll(() => watch.isCaughtUp, { timeout: 20_000 }).toBe(true);
}

describe.skipIf(!hasServer)('a watch of runs', () => {
  it('knows nothing of now after a sleep of the machine, until the server has answered', async () => {
    const server = await servers.start();
    await initFleet(server.url);
    const publisher = await publisherTo(server.url, join(servers.folder, 'spool'));
    appendAll(publisher, [new Uint8Array(1000)]);
    const fleet = await openFleet(server.url);
    const watch = await fleet.watchRuns();
    await expect.poll(() => watch.runs.size, { timeout: 20_000 }).toBe(1);
    await caughtUp(watch);
    asleep.seconds += 7200;
    // Who looks first, and before any timer.
    expect(watch.isCaughtUp).toBe(false);
    expect(silentFor(watch)).toBeGreaterThan(HOUR_MS);
    await caughtUp(watch);
    // The server slept for none of it, and says so.
    expect(silentFor(watch)).toBeLessThan(HOUR_MS);
    // It goes on to hear.
    const [{ bytes } = { bytes: 0 }] = watch.runs.values();
    appendAll(publisher, [new Uint8Array(1000)]);
    await expect
      .poll(() => [...watch.runs.values()][0]?.bytes, { timeout: 20_000 })
      .toBeGreaterThan(bytes);
    await watch.close();
    await fleet.close();
    await publisher.close();
  });

  it('nor after the connection has come back', async () => {
    const server = await servers.start();
    await initFleet(server.url);
    const fleet = await openFleet(server.url);
    const watch = await fleet.watchRuns();
    await caughtUp(watch);
    await server.stop('SIGKILL');
    await expect.poll(() => fleet.isCut, { timeout: 20_000 }).toBe(true);
    await server.start();
    await expect.poll(() => fleet.isCut, { timeout: 20_000, interval: 1 }).toBe(false);
    expect(watch.isCaughtUp).toBe(false);
    await caughtUp(watch);
    await watch.close();
    await fleet.close();
  });
});
