import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasServer, withServer } from '@vhostscope/nats-testbed';
import { endOfStream } from '@vhostscope/trace';
import { openFleet } from '../src/index.js';
import {
  appendAll,
  COLLECTOR,
  initFleet,
  never,
  publisherTo,
  randomAppends,
  traceOnServer,
} from './runs.js';

/** How long the server is away; a minute in the acceptance of this, less in passing. */
const AWAY_S = Number(process.env['FLEET_AWAY_S'] ?? '5');

describe.skipIf(!hasServer)('a server that does not take what is sent', () => {
  const server = withServer('for each test');
  const spool = (): string => join(server.folder, 'spool');

  it(`is away for ${AWAY_S} s: what was written meanwhile arrives afterwards`, async () => {
    await initFleet(server.url);
    const publisher = await publisherTo(server.url, spool());
    const all = [...randomAppends(60, 200_000), endOfStream()];
    appendAll(publisher, all.slice(0, 20));
    await publisher.output.settle();
    await pause(200);
    await server.stop('SIGKILL');
    const end = Date.now() + AWAY_S * 1000;
    for (const bytes of all.slice(20, 50)) {
      appendAll(publisher, [bytes]);
      await pause((AWAY_S * 1000) / 30);
    }
    await pause(Math.max(0, end - Date.now()));
    await server.start();
    appendAll(publisher, all.slice(50));
    const result = await publisher.finish(60_000, never());
    await publisher.close();
    expect(result).toMatchObject({ isSent: true });
    expect(publisher.told.join('\n')).toMatch(/connection to .* is cut.*\n.*again/);
    expect((await traceOnServer(server.url, publisher.name)).equals(Buffer.concat(all))).toBe(true);
  });

  it('is away from the beginning: the recording goes on, and all is sent when it comes', async () => {
    await initFleet(server.url);
    await server.stop();
    const publisher = await publisherTo(server.url, spool());
    expect(publisher.told).toEqual([expect.stringContaining('is away')]);
    const all = [...randomAppends(20, 100_000), endOfStream()];
    appendAll(publisher, all);
    await publisher.output.settle();
    await server.start();
    expect(await publisher.finish(60_000, never())).toMatchObject({ isSent: true });
    await publisher.close();
    expect((await traceOnServer(server.url, publisher.name)).equals(Buffer.concat(all))).toBe(true);
  });

  it('is away to the end: the next that publishes sends what is left, and ends no run of others', async () => {
    await initFleet(server.url);
    await server.stop();
    const first = await publisherTo(server.url, spool(), { host: 'first' });
    const all = [...randomAppends(20, 100_000), endOfStream()];
    appendAll(first, all);
    const result = await first.finish(300, never());
    expect(result).toMatchObject({ isSent: false, acknowledgedBytes: 0 });
    expect(result.trouble).toContain('is away');
    await first.close();
    await server.start();
    const second = await publisherTo(server.url, spool(), { host: 'second' });
    appendAll(second, [endOfStream()]);
    const fleet = await openFleet(server.url, {});
    for (let runs = 0, tries = 0; runs < 1 && tries < 100; tries++) {
      await pause(100);
      runs = (await fleet.listRuns()).filter(
        ({ host, end }) => host === 'first' && end === 'closed',
      ).length;
    }
    await fleet.close();
    await second.finish(10_000, never());
    await second.close();
    expect((await traceOnServer(server.url, first.name)).equals(Buffer.concat(all))).toBe(true);
    await traceOnServer(server.url, second.name);
  });

  it('is full: that is told, nothing is dropped, and all is there when there is room', async () => {
    await initFleet(server.url, { maxBytes: 2_000_000 });
    const publisher = await publisherTo(server.url, spool());
    const all = [...randomAppends(40, 400_000), new Uint8Array(3_000_000), endOfStream()];
    appendAll(publisher, all);
    const end = Date.now() + 30_000;
    while (publisher.told.length === 0 && Date.now() < end) await pause(50);
    expect(publisher.told).toEqual([expect.stringMatching(/VHOSTSCOPE_RUNS .* is full; .* spool/)]);
    await initFleet(server.url, { maxBytes: 100_000_000 });
    expect(await publisher.finish(60_000, never())).toMatchObject({ isSent: true });
    await publisher.close();
    expect((await traceOnServer(server.url, publisher.name)).equals(Buffer.concat(all))).toBe(true);
  });

  it('is full: fleet send gives up with the reason, and with 1', async () => {
    await initFleet(server.url);
    await server.stop();
    const publisher = await publisherTo(server.url, spool(), { host: 'left' });
    appendAll(publisher, [...randomAppends(40, 400_000), new Uint8Array(3_000_000), endOfStream()]);
    await publisher.finish(100, never());
    await publisher.close();
    await server.start();
    await initFleet(server.url, { maxBytes: 1_000_000 });
    const args = ['fleet', 'send', server.url, '--spool', spool(), '--wait', '1s'];
    const run = (...more: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(process.execPath, [COLLECTOR, ...args, ...more], { encoding: 'utf8' });
    interface Sent {
      readonly bytes: number;
      readonly acknowledged_bytes: number;
      readonly sent_bytes: number;
    }
    const { status, stdout, stderr } = run('--json');
    const reason = /VHOSTSCOPE_RUNS of .* is full/;
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      left: [{ host: 'left' }],
      trouble: expect.stringMatching(reason) as string,
    });
    expect(stderr).toMatch(
      /left\/.*: the server has .* of .*; the rest waits in .* \(.* is full\); the next --publish sends it, or: collector fleet send/,
    );
    const { left } = JSON.parse(stdout) as { left: Sent[] };
    const [{ bytes, acknowledged_bytes: first, sent_bytes: firstSent }] = left;
    expect(firstSent).toBe(first);
    expect(first).toBeGreaterThan(100_000);
    expect(first).toBeLessThan(bytes);
    // There is not a byte of room any more.
    expect(run().stdout).toMatch(
      /: 1 run; the server took 0 B of \d.* now \(the stream .* is full\)/,
    );
    await initFleet(server.url, { maxBytes: 100_000_000 });
    const rest = run('--json');
    expect(rest.status).toBe(0);
    const { sent } = JSON.parse(rest.stdout) as { sent: Sent[] };
    // What the server had is not sent once more, nor told as if it were.
    expect(sent).toMatchObject([{ bytes, acknowledged_bytes: bytes, sent_bytes: bytes - first }]);
  });

  it('tells how far the clock of the host is from its own', async () => {
    await initFleet(server.url);
    const publisher = await publisherTo(server.url, spool());
    appendAll(publisher, [...randomAppends(10, 100_000), endOfStream()]);
    const fleet = await openFleet(server.url, {});
    let clock = (await fleet.readClocks())(publisher.name);
    for (let tries = 0; clock === undefined && tries < 50; tries++) {
      await pause(100);
      clock = (await fleet.readClocks())(publisher.name);
    }
    await fleet.close();
    await publisher.finish(10_000, never());
    await publisher.close();
    expect(clock?.clock).toBe('CLOCK_REALTIME');
    // Both are this machine's, and Date.now() is cut to milliseconds.
    expect(Math.abs(Number(clock?.offset))).toBeLessThan(Number(clock?.uncertainty) + 2e6);
  });
});
