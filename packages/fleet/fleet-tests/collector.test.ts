import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { hasServer } from '@vhostscope/nats-testbed';
import { openFleet, type FleetRun } from '../src/index.js';
import { COLLECTOR, EXAMPLE, fleetServer, traceOnServer } from './runs.js';

const REPLAY = join(import.meta.dirname, '../../replay/bin/replay.js');

describe.skipIf(!hasServer)('the built programs', () => {
  const server = fleetServer('shared');
  const spool = (): string => join(server.folder, 'spool');
  const run = (
    program: string,
    ...args: string[]
  ): { code: number | null; out: string; err: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      encoding: 'utf8',
    });
    return { code: status, out: stdout, err: stderr };
  };

  it('publish an import, whose replay from the server is that of the file', async () => {
    const path = join(server.folder, 'd1.arrows');
    const args = ['--publish', server.url, '--publish-as', 'one', '--spool', spool(), '--json'];
    const { code, out } = run(COLLECTOR, 'import', EXAMPLE, '-o', path, ...args);
    expect(code).toBe(0);
    const { published } = JSON.parse(out) as {
      published: { url: string; host: string; run: string; sent: boolean };
    };
    expect(published.sent).toBe(true);
    expect((await traceOnServer(server.url, published)).equals(readFileSync(path))).toBe(true);
    const there = run(REPLAY, 'run', '--json', published.url);
    const here = run(REPLAY, 'run', '--json', path);
    expect(there.code).toBe(0);
    const named = (text: string, name: string): string => text.replaceAll(name, 'TRACE');
    expect(named(there.out, published.url)).toBe(named(here.out, path));
    expect(run(COLLECTOR, 'fleet', 'status', server.url).out).toMatch(/one .* finished/);
  });

  it('lose nothing that was whole when the collector is killed: fleet send brings it', async () => {
    const text = gunzipSync(readFileSync(EXAMPLE));
    const child = spawn(
      process.execPath,
      [
        COLLECTOR,
        'import',
        '-',
        '--publish',
        server.url,
        '--publish-as',
        'killed',
        '--spool',
        spool(),
      ],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    );
    child.stdin.on('error', () => undefined);
    child.stdin.write(text.subarray(0, text.length / 2));
    const fleet = await openFleet(server.url, {});
    const mine = async (): Promise<{ bytes: number; run: string; end: string | undefined }[]> =>
      (await fleet.listRuns()).filter(({ host }) => host === 'killed');
    for (let tries = 0; ((await mine())[0]?.bytes ?? 0) < 500_000; tries++) {
      expect(tries).toBeLessThan(200);
      await pause(100);
    }
    // What comes in these moments is in the spool, or on the way.
    child.stdin.write(text.subarray(text.length / 2, (text.length * 3) / 4));
    await pause(30);
    expect(run(COLLECTOR, 'fleet', 'send', server.url, '--spool', spool()).out).toContain('in use');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const sent = run(COLLECTOR, 'fleet', 'send', server.url, '--spool', spool(), '--json');
    expect(sent.code).toBe(0);
    expect(JSON.parse(sent.out)).toMatchObject({ sent: [{ host: 'killed' }], left: [], in_use: 0 });
    const [found] = await mine();
    expect(found.end).toBe('cut');
    await fleet.close();
    const bytes = await traceOnServer(server.url, { host: 'killed', run: found.run });
    expect(bytes.length).toBeGreaterThanOrEqual(500_000);
    const info = run(REPLAY, 'info', `${server.url}/killed/${found.run}`);
    expect(info.code).toBe(0);
    expect(info.err).toContain('was not closed');
    expect(run(COLLECTOR, 'fleet', 'send', server.url, '--spool', spool()).out).toContain(
      'nothing waits',
    );
  });

  it('end what Ctrl-C interrupts, and send the end', async () => {
    const args = ['import', '-', '--publish', server.url, '--publish-as', 'stopped'];
    const child = spawn(process.execPath, [COLLECTOR, ...args, '--spool', spool(), '--json'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const text = gunzipSync(readFileSync(EXAMPLE));
    // What it has not taken when it ends it never does.
    child.stdin.on('error', () => undefined);
    child.stdin.write(text.subarray(0, text.length / 2));
    const fleet = await openFleet(server.url, {});
    const find = async (): Promise<FleetRun | undefined> =>
      (await fleet.listRuns()).find(({ host }) => host === 'stopped');
    for (let tries = 0; ((await find())?.bytes ?? 0) < 500_000; tries++) {
      expect(tries).toBeLessThan(200);
      await pause(100);
    }
    child.kill('SIGINT');
    // A shell may signal it and its group.
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(130);
    expect(JSON.parse(out)).toMatchObject({ interrupted: true, published: { sent: true } });
    expect(err).toMatch(/stopped\/.*: all .* are on the server/);
    const found = await find();
    expect(found).toMatchObject({ end: 'closed', missing: 0 });
    await fleet.close();
    // That it was interrupted stands in the trace, which the list of runs does not read.
    expect(run(COLLECTOR, 'fleet', 'status', server.url).out).toMatch(
      /^finished: .*interrupted.*; replay info URL says whether it is complete$/m,
    );
    const info = run(REPLAY, 'info', `${server.url}/stopped/${found?.run}`).out;
    expect(info).toContain('complete    NO');
    expect(info).toContain('the import was interrupted');
    child.stdin.destroy();
  });

  it('say what to do, in one or two lines, and repeat no password', () => {
    const { code, err } = run(COLLECTOR, 'import', EXAMPLE, '--publish', 'nats://me:pass@h');
    expect(code).toBe(2);
    expect(err).toMatch(/holds a user or a password\n.*NATS_USER/);
    expect(err).not.toContain('pass@');
    expect(run(REPLAY, 'info', 'nats://127.0.0.1:1').err).toMatch(/is away: .*refused\n.*address/);
    expect(run(REPLAY, 'info', `${server.url}/no/run`).err).toMatch(/has no run no\/run\n.*status/);
  });
});
