/** `collector attach --publish` with a bpftrace that is not one, and a real server. */
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFleet } from '@vhostscope/fleet';
import { hasServer, withServer } from '@vhostscope/nats-testbed';
import { beforeEach, describe, expect, it } from 'vitest';
import { attachResultSchema } from '../src/attach/attach-result-schema.ts';
import { outcomeOf } from '../test/child-process.ts';
import { fakeHost } from '../test/fake-host.ts';
import { collector, collectorOn, type Outcome } from '../test/in-process.ts';
import { emittedMeanwhile, recordedRounds } from '../test/recorded-rounds.ts';
import { emptyFolder, start } from '../test/started-attach.ts';

const NOBODY = 65534;
const TRUTH = 'truth.json';
const SPOOL = 'spool';
const server = withServer('for each test', { isAway: true });
beforeEach(() => {
  if (hasServer) process.chdir(server.folder);
});

async function startServer(): Promise<void> {
  await server.start();
  expect(await collector('fleet', 'init', server.url)).toMatchObject({ code: 0 });
}

async function attach(...args: string[]): Promise<Outcome> {
  const publish = ['--publish', server.url, '--publish-as', 'a.host', '--spool', SPOOL];
  return collectorOn(fakeHost({ truth: TRUTH }), 'attach', ...publish, ...args);
}

describe.skipIf(!hasServer)('a recording that is published', () => {
  it('is on the server what it is in a file beside it, with the reading of a clock', async () => {
    await startServer();
    const { code, out } = await attach('--duration', '800ms', '-o', 'a.arrows', '--json');
    expect(code).toBe(0);
    const { published, complete } = attachResultSchema.parse(JSON.parse(out));
    expect(complete).toBe(true);
    expect(published).toMatchObject({ host: 'a.host', sent: true, trouble: null });
    expect(readdirSync(SPOOL)).toEqual([]);
    const fleet = await openFleet(server.url, {});
    const run = published?.run ?? '';
    const chunks: Uint8Array[] = [];
    const reading = fleet.readRun('a.host', run);
    for await (const chunk of reading) chunks.push(chunk);
    const clock = (await fleet.readClocks())({ host: 'a.host', run });
    await fleet.close();
    expect(reading.result).toMatchObject({ end: 'closed', damage: undefined });
    expect(Buffer.concat(chunks).equals(readFileSync('a.arrows'))).toBe(true);
    const { rounds } = await recordedRounds('a.arrows');
    expect(emittedMeanwhile(TRUTH, rounds)).toEqual(rounds);
    expect(clock?.clock).toBe('CLOCK_BOOTTIME');
    const now = BigInt(Date.now()) * 1_000_000n;
    const uptime = BigInt(
      Math.round(Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1e9),
    );
    expect(Math.abs(Number(now - uptime - (clock?.offset ?? 0n)))).toBeLessThan(1e9);
  });

  it.runIf(process.getuid?.() === 0)(
    'by a user for whom root was given up is whole there, too',
    async () => {
      await startServer();
      const folder = emptyFolder();
      chownSync(folder, NOBODY, NOBODY);
      const { child, output, truth } = await start(
        {},
        {
          duration: 800,
          user: 'nobody',
          privileges: { capabilities: ['bpf', 'perfmon', 'syslog', 'ipc_lock'], realUser: NOBODY },
          output: join(folder, 'trace.arrows'),
          publish: server.url,
          publishAs: 'a.host',
          spool: join(folder, 'spool'),
        },
      );
      const { code, err } = await outcomeOf(child);
      expect(err).toMatch(/: all .* are on the server\n/);
      expect(code).toBe(0);
      expect(readdirSync(join(folder, 'spool'))).toEqual([]);
      expect(statSync(join(folder, 'spool')).uid).toBe(NOBODY);
      const { rounds } = await recordedRounds(output);
      expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
      const status = await collector('fleet', 'status', server.url);
      expect(status.out).toMatch(/a\.host .* finished/);
    },
  );

  it('goes on without the server, and is sent later', async () => {
    const { code, err } = await attach('--duration', '500ms', '--publish-wait', '200ms');
    expect(code).toBe(0);
    expect(err).toMatch(/is away: .*waits in the spool\n/);
    expect(err).toMatch(
      /has 0 B of .*; the next --publish sends it, or: collector fleet send --spool spool nats:/,
    );
    expect(readdirSync('.')).not.toContain('vhost.arrows');
    await startServer();
    const sent = await collector('fleet', 'send', server.url, '--spool', SPOOL);
    expect(sent).toMatchObject({ code: 0, out: expect.stringContaining('1 run') });
    const status = await collector('fleet', 'status', server.url);
    expect(status.out).toMatch(/a\.host .* finished/);
  });

  it('ends as on a full disk where the spool is full: what fits is there, and why it ended', async () => {
    await startServer();
    await server.stop('SIGKILL');
    // Something else takes most of it, and two megabytes are kept for the end.
    mkdirSync(join(SPOOL, 'other'), { recursive: true, mode: 0o700 });
    writeFileSync(join(SPOOL, 'other', 'file'), new Uint8Array(14_000_000));
    const host = fakeHost({ truth: TRUTH, perTick: 400 });
    const args = [
      '--publish',
      server.url,
      '--spool',
      SPOOL,
      '--spool-max',
      '16MiB',
      '--publish-wait',
      '100ms',
    ];
    const { code, err } = await collectorOn(host, 'attach', ...args, '--duration', '120s');
    expect(code).toBe(2);
    expect(err).toMatch(/the spool .* is full: it may hold 16.8 MB \(--spool-max\)/);
    await startServer();
    expect((await collector('fleet', 'send', server.url, '--spool', SPOOL)).code).toBe(0);
    const fleet = await openFleet(server.url, {});
    const [run] = await fleet.listRuns();
    await fleet.close();
    expect(run.end).toBe('closed');
    expect(run.bytes).toBeGreaterThan(400_000);
    expect(run.bytes).toBeLessThan(16 * 2 ** 20 - 14_000_000);
  });
});
