import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasServer } from '@vhostscope/nats-testbed';
import { endOfStream } from '@vhostscope/trace';
import { openFleet, type FleetRun, type FleetUsage } from '../src/index.js';
import {
  appendAll,
  COLLECTOR,
  fleetServer,
  initFleet,
  never,
  publisherTo,
  randomAppends,
} from './runs.js';

describe.skipIf(!hasServer)('limits that are less than what the stream holds', () => {
  const server = fleetServer('for each test');

  async function publish(host: string, bytes: number): Promise<void> {
    const publisher = await publisherTo(server.url, join(server.folder, 'spool'), { host });
    // Each is a piece of its own when it is written before the next.
    for (let at = 0; at < bytes; at += 100_000) {
      appendAll(publisher, [new Uint8Array(100_000).fill(at)]);
      await publisher.output.settle();
    }
    appendAll(publisher, [...randomAppends(1, 10), endOfStream()]);
    expect(await publisher.finish(20_000, never())).toMatchObject({ isSent: true });
    await publisher.close();
  }

  const state = async (): Promise<{ usage: FleetUsage; runs: FleetRun[] }> => {
    const fleet = await openFleet(server.url, {});
    const usage = await fleet.usage();
    const runs = await fleet.listRuns();
    await fleet.close();
    return { usage, runs };
  };
  const refusal = (wishes: Parameters<typeof initFleet>[1]): Promise<Error> =>
    initFleet(server.url, wishes).then(
      () => expect.fail('nothing was refused'),
      (error: Error) => error,
    );

  it('are refused, saying what would go, and set where that is allowed', async () => {
    await publish('first', 1_000_000);
    await publish('second', 1_000_000);
    const { usage, runs } = await state();
    expect(runs).toMatchObject([{ host: 'first' }, { host: 'second' }]);
    const maxBytes = usage.bytes - 350_000;
    const error = await refusal({ maxBytes });
    expect(error).toMatchObject({ exitCode: 2 });
    expect(error.message).toMatch(
      /would delete what stream VHOSTSCOPE_RUNS holds: the oldest 4\d\d\.\d kB of 2\.0 MB, of 1 run$/,
    );
    expect(error).toMatchObject({ details: [`first/${runs[0].run}: 4 pieces`] });
    expect(error).toMatchObject({ advice: expect.stringContaining('--allow-deleting') as string });
    expect(await state()).toEqual({ usage, runs });
    // What is more than it holds deletes nothing.
    await initFleet(server.url, { maxBytes: usage.bytes });
    await initFleet(server.url, { maxBytes, allowDeleting: true });
    const after = await state();
    const told = Number(/oldest (\d+\.\d) kB/.exec(error.message)?.[1]) * 1000;
    expect(Math.abs(usage.bytes - after.usage.bytes - told)).toBeLessThan(60);
    // What is left of it is not told as if it were whole.
    expect(after.runs).toEqual([{ ...runs[0], missing: 4, first: 4 }, runs[1]]);
    const { status, stdout } = spawnSync(process.execPath, [
      COLLECTOR,
      'fleet',
      'status',
      server.url,
    ]);
    expect(status).toBe(0);
    expect(String(stdout)).toMatch(
      /first .* 1\d, first 4 gone {2}finished[\s\S]*second .* 1\d {2}finished[\s\S]*\n1 run of which pieces/,
    );
  });

  it('of age, too', async () => {
    await publish('first', 200_000);
    await pause(1500);
    await publish('second', 200_000);
    const { usage, runs } = await state();
    expect(await refusal({ maxAge: 1000 })).toMatchObject({
      details: [`first/${runs[0].run}: ${runs[0].pieces} pieces`],
    });
    await initFleet(server.url, { maxAge: 3_600_000 });
    expect(await state()).toEqual({ usage, runs });
  });
});
