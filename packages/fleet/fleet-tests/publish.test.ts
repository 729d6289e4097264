import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasServer } from '@vhostscope/nats-testbed';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { endOfStream } from '@vhostscope/trace';
import { openFleet, openPublisher, openRunTrace, parseFleetUrl } from '../src/index.js';
import {
  appendAll,
  bytesOfRun,
  fleetServer,
  never,
  publisherTo,
  randomAppends,
  recordedBatches,
} from './runs.js';

describe.skipIf(!hasServer)('a run that is published', () => {
  const server = fleetServer('shared');

  it('comes back byte for byte', async () => {
    const spool = join(server.folder, 'spool');
    const told: string[] = [];
    const publisher = await openPublisher({
      url: parseFleetUrl(server.url),
      host: 'ünï.host',
      spool,
      spoolMax: 2 ** 30,
      env: {},
      tell: (words) => told.push(words),
      clock: { name: 'CLOCK_REALTIME', now: () => BigInt(Date.now()) * 1_000_000n },
    });
    publisher.begin();
    const appended = randomAppends(200, 900_000);
    for (const bytes of [...appended, endOfStream()]) {
      publisher.output.append([bytes], bytes.length);
      await publisher.output.keepPace();
    }
    const result = await publisher.finish(30_000, new AbortController().signal);
    expect(told).toEqual([]);
    expect(result).toMatchObject({ isSent: true, trouble: undefined });
    await publisher.close();
    expect(readdirSync(spool)).toEqual([]);
    const fleet = await openFleet(server.url, {});
    const runs = await fleet.listRuns();
    const whole = Buffer.concat([...appended, endOfStream()]);
    expect(runs).toMatchObject([
      { host: 'ünï.host', run: publisher.name.run, bytes: whole.length, end: 'closed' },
    ]);
    const { bytes, reading } = await bytesOfRun(fleet, publisher.name);
    expect(bytes.equals(whole)).toBe(true);
    expect(reading.result).toMatchObject({ end: 'closed', damage: undefined });
    await fleet.close();
    expect(existsSync(spool)).toBe(true);
  });

  it('is followed while it is written, to its end', async () => {
    const spool = join(server.folder, 'followed');
    const publisher = await publisherTo(server.url, spool, { host: 'followed' });
    const { host, run } = publisher.name;
    const fleet = await openFleet(server.url, {});
    const reading = fleet.readRun(host, run, { follow: true });
    const chunks: Uint8Array[] = [];
    const all = (async () => {
      for await (const chunk of reading) chunks.push(chunk);
    })();
    const appended = randomAppends(30, 100_000);
    for (const bytes of appended) {
      appendAll(publisher, [bytes]);
      await pause(20);
    }
    const size = appended.reduce((sum, { length }) => sum + length, 0);
    for (let tries = 0; reading.result.bytes < size && tries < 100; tries++) await pause(50);
    expect(reading.result).toMatchObject({ bytes: size, end: undefined });
    await publisher.finish(10_000, never());
    await publisher.close();
    await all;
    await fleet.close();
    expect(reading.result).toMatchObject({ end: 'cut', damage: undefined });
    expect(Buffer.concat(chunks).equals(Buffer.concat(appended))).toBe(true);
  });

  it('is said to be under way while it is, and not when it has ended', async () => {
    const batches = recordedBatches(server.folder);
    const publisher = await publisherTo(server.url, join(server.folder, 'way'), { host: 'way' });
    const told: string[] = [];
    const open = async (): Promise<void> => {
      const options = { env: {}, tell: (words: string) => told.push(words) };
      (await openRunTrace(publisher.url, {}, options)).close();
    };
    appendAll(publisher, batches.slice(0, 3));
    const fleet = await openFleet(server.url, {});
    const isThere = async (): Promise<boolean> =>
      (await fleet.listRuns()).some(({ host }) => host === 'way');
    for (let tries = 0; tries < 100 && !(await isThere()); tries++) await pause(50);
    await fleet.close();
    await open();
    expect(told).toEqual([expect.stringContaining('is under way, or its end was not sent yet')]);
    appendAll(publisher, batches.slice(3));
    await publisher.finish(10_000, never());
    await publisher.close();
    await open();
    expect(told.length).toBe(1);
  });

  it('that stops being followed is left at once', async () => {
    const fleet = await openFleet(server.url, {});
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 200);
    const reading = fleet.readRun('nobody', 'none', { follow: true, signal: stop.signal });
    for await (const chunk of reading) expect(chunk).toBeUndefined();
    expect(reading.result).toMatchObject({ bytes: 0, damage: undefined });
    await fleet.close();
  });
});
