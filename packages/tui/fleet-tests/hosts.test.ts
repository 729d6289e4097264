/** Many hosts of a real server: on a terminal, and printed. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  connectFleet,
  initStream,
  openPublisher,
  parseFleetUrl,
  type Publisher,
} from '@vhostscope/fleet';
import { hasServer, withServer } from '@vhostscope/nats-testbed';
import { afterEach, describe, expect, test } from 'vitest';
import { hostsStatusSchema, type HostsStatus } from '../src/plain/hosts-status.ts';
import { openTerminal, type TerminalScreen } from '../test/terminal-screen.mjs';
import { fileSession } from '../test/driven-session.ts';
import { temporaryFolder, textOf, TRACES, writeTrace } from '../test/traces.ts';

const BIN = join(import.meta.dirname, '../bin/tui.js');
const folder = temporaryFolder();
const S3 = writeTrace(join(folder, 's3.arrows'), textOf(TRACES.s3), 20);
const U1 = writeTrace(join(folder, 'u1.arrows'), textOf(TRACES.u1), 20);

const server = withServer('shared', {
  prepare: async ({ url }) => {
    const connection = await connectFleet(parseFleetUrl(url), {});
    await initStream(connection, {});
    await connection.close();
  },
});
const opened: TerminalScreen[] = [];

afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});
async function publisher(host: string): Promise<Publisher> {
  const made = await openPublisher({
    url: parseFleetUrl(server.url),
    host,
    spool: join(folder, `spool ${host}`),
    spoolMax: 2 ** 26,
    env: {},
    tell: () => undefined,
    clock: { name: 'CLOCK_BOOTTIME', now: () => process.hrtime.bigint() },
  });
  made.begin();
  return made;
}

/** The mark at the end of a trace, which its writer appends by itself. */
const MARK_BYTES = 8;

/** Appends what lies between two flushes of a trace, one after another; behind the last is its end. */
function append({ output }: Publisher, { bytes, ends }: typeof S3, from: number, to: number): void {
  const cuts = [0, ...ends, bytes.length - MARK_BYTES, bytes.length];
  for (let at = from; at < to; at++) {
    const part = bytes.subarray(cuts[at], cuts[at + 1]);
    output.append([part], part.length);
  }
}

const ALL = S3.ends.length + 2;

const never = (): AbortSignal => new AbortController().signal;

/** Starts the program, and what it says as JSON. */
function json(): {
  child: ChildProcess;
  last: () => HostsStatus | undefined;
  ended: Promise<number>;
} {
  const child = spawn(process.execPath, [BIN, '--from', server.url, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  return {
    child,
    last: () => {
      const line = out.split('\n').at(-2);
      return line === undefined ? undefined : hostsStatusSchema.strict().parse(JSON.parse(line));
    },
    ended: once(child, 'close').then(([code]) => Number(code)),
  };
}

describe.skipIf(!hasServer)('hosts of a server', () => {
  test('one row each, live, whatever becomes of the server; a run opens, and Esc comes back', async () => {
    const over = await publisher('over\u001b[31m');
    append(over, U1, 0, ALL);
    expect((await over.finish(30_000, never())).isSent).toBe(true);
    const live = await publisher('live');
    append(live, S3, 0, 10);

    const { child, last, ended } = json();
    const rows = (): unknown[] => last()?.hosts.map(({ host, state }) => [host, state]) ?? [];
    await expect.poll(rows, { timeout: 30_000 }).toEqual([
      ['live', 'under way'],
      ['over\u001b[31m', 'finished'],
    ]);
    const half = last()?.hosts[0];
    expect(half?.total.accesses).toBeGreaterThan(0);
    expect(half?.age_ms).toBeLessThan(60_000);

    const terminal = openTerminal(process.execPath, [BIN, '--from', server.url], {
      columns: 80,
      rows: 24,
    });
    opened.push(terminal);
    await terminal.until((text) => /▸ live [^]*over\\x1b\[31m .* finished/.test(text));
    terminal.press('\r');
    // The dashboard of that run, as it is when it is named.
    await terminal.until((text) => /^vhostscope {2}live\//.test(text) && /vq \d/.test(text));
    terminal.press('2');
    await terminal.until('each second');
    terminal.press('\u001b');
    await terminal.until('virtqueues by misses');
    terminal.press('\u001b');
    await terminal.until('2 hosts');

    // Away, and back: what was recorded meanwhile comes then.
    await server.stop('SIGKILL');
    await terminal.until('the connection to the server is cut');
    append(live, S3, 10, ALL);
    await server.start();
    const finished = await live.finish(60_000, never());
    expect(finished.isSent).toBe(true);
    await expect.poll(() => rows(), { timeout: 60_000 }).toContainEqual(['live', 'finished']);
    await terminal.until(
      (text) => /live .* finished/.test(text) && !text.includes('is cut'),
      60_000,
    );
    terminal.press('q');
    expect((await terminal.exited).exitCode).toBe(0);

    // The numbers are those of the file, and its clock was measured.
    const session = await fileSession(join(folder, 's3.arrows'));
    const { total, window } = session.settle().total;
    await session.close();
    const row = last()?.hosts.find(({ host }) => host === 'live');
    const { isEstimated, ...counts } = total;
    expect(row).toMatchObject({ share: 1, total: { ...counts, estimated: isEstimated } });
    expect(row?.window.hits).toBe(window.hits);
    expect(Number(row?.clock?.uncertainty)).toBeGreaterThan(0);
    const itsNow = BigInt(row?.clock?.offset ?? 0) + process.hrtime.bigint();
    expect(Math.abs(Number(itsNow / 1_000_000n) - Date.now())).toBeLessThan(5000);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
  });

  test('a server without runs says so, and one that is away, or has no stream, is an error', async () => {
    const run = (of: string): { status: number | null; stderr: string } =>
      spawnSync(process.execPath, [BIN, '--from', of], { encoding: 'utf8', timeout: 60_000 });
    const away = run('nats://127.0.0.1:1');
    expect(away.status).toBe(2);
    expect(away.stderr).toMatch(/is away: .*refused\n/);
    const other = run(`${server.url}/other`);
    expect(other.status).toBe(2);
    expect(other.stderr).toContain('collector fleet init');
    const connection = await connectFleet(parseFleetUrl(`${server.url}/other`), {});
    await initStream(connection, {});
    await connection.close();
    const terminal = openTerminal(process.execPath, [BIN, '--from', `${server.url}/other`]);
    opened.push(terminal);
    await terminal.until('no host has a run under way');
    terminal.press('\u0003');
    expect((await terminal.exited).exitCode).toBe(130);
  });
});
