import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasServer, withServers, type TestServer } from '@vhostscope/nats-testbed';
import { endOfStream } from '@vhostscope/trace';
import { openFleet } from '../src/index.js';
import type { Environment } from '../src/server-credentials.js';
import { makeAccount, type Account, type UserClaims } from './jwt-accounts.js';
import {
  appendAll,
  COLLECTOR,
  EXAMPLE,
  initFleet,
  never,
  publisherTo,
  randomAppends,
  traceOnServer,
} from './runs.js';

const REPLAY = join(import.meta.dirname, '../../replay/bin/replay.js');

describe.skipIf(!hasServer)('a file of credentials, of a user whom an account has signed', () => {
  const servers = withServers('for each test');
  const spool = (): string => join(servers.folder, 'spool');

  async function start(hasJetStream = true): Promise<{ server: TestServer; account: Account }> {
    const account = makeAccount(hasJetStream);
    return { server: await servers.start(account.config), account };
  }

  /** Writes one, and names it. */
  function credentials(account: Account, name: string, user?: UserClaims): Environment {
    const path = join(servers.folder, name);
    writeFileSync(path, account.credentials(user));
    return { NATS_CREDS: path };
  }

  it('lets the programs in: a run is published, listed and replayed', async () => {
    const { server, account } = await start();
    const env = { ...process.env, ...credentials(account, 'me.creds') };
    const run = (program: string, ...args: string[]): string =>
      execFileSync(process.execPath, [program, ...args], { env, encoding: 'utf8', stdio: 'pipe' });
    run(COLLECTOR, 'fleet', 'init', server.url);
    const path = join(servers.folder, 'd1.arrows');
    const publish = ['--publish', server.url, '--publish-as', 'web1', '--spool', spool()];
    run(COLLECTOR, 'import', EXAMPLE, '-o', path, ...publish);
    expect(run(COLLECTOR, 'fleet', 'status', server.url)).toMatch(/^web1 .* finished/m);
    const totals = (...source: string[]): unknown =>
      (JSON.parse(run(REPLAY, 'fleet', '--json', ...source)) as { totals: unknown }).totals;
    expect(totals(server.url)).toEqual(totals(path));
  });

  it('lets a host publish that may do just that, and says so of the rest', async () => {
    const { server, account } = await start();
    await initFleet(server.url, {}, credentials(account, 'me.creds'));
    const env = credentials(account, 'host.creds', {
      publish: ['vhostscope.>', '$JS.API.STREAM.INFO.*', '$JS.API.STREAM.MSG.GET.*'],
      subscribe: ['_INBOX.>'],
    });
    const publisher = await publisherTo(server.url, spool(), { env });
    appendAll(publisher, [new Uint8Array(10)]);
    expect(await publisher.finish(10_000, never())).toMatchObject({ isSent: true });
    await publisher.close();
    expect(publisher.told).toEqual([]);
    const fleet = await openFleet(server.url, env);
    await expect(fleet.listRuns()).rejects.toMatchObject({
      message: expect.stringContaining('does not let us read') as string,
      advice: expect.stringContaining('file of credentials') as string,
    });
    await fleet.close();
  });

  it('that has expired, or is of another account, is refused', async () => {
    const { server, account } = await start();
    const old = credentials(account, 'old.creds', { expires: now() - 60 });
    await expect(openFleet(server.url, old)).rejects.toMatchObject({
      message: expect.stringContaining('does not let us in') as string,
      advice: expect.stringContaining('may have expired') as string,
    });
    const foreign = credentials(makeAccount(true), 'foreign.creds');
    await expect(openFleet(server.url, foreign)).rejects.toThrow('does not let us in');
  });

  it('of an account without JetStream: that is said', async () => {
    const { server, account } = await start(false);
    const env = credentials(account, 'me.creds');
    const words = { message: expect.stringContaining('has no JetStream') as string };
    await expect(initFleet(server.url, {}, env)).rejects.toMatchObject({
      ...words,
      advice: expect.stringContaining('allow it for this account') as string,
    });
    await expect(publisherTo(server.url, spool(), { env })).rejects.toMatchObject(words);
  });

  it('that expires meanwhile: what waits is sent once the file was renewed', async () => {
    const { server, account } = await start();
    const me = credentials(account, 'me.creds');
    await initFleet(server.url, {}, me);
    const env = credentials(account, 'host.creds', { expires: now() + 3 });
    const publisher = await publisherTo(server.url, spool(), { env });
    const first = randomAppends(10, 100_000);
    appendAll(publisher, first);
    const expired = (): boolean => publisher.told.some((words) => /Expired|not let us/.test(words));
    for (let tries = 0; !expired(); tries++) {
      expect(tries).toBeLessThan(200);
      await pause(100);
    }
    const rest = [...randomAppends(10, 100_000), endOfStream()];
    appendAll(publisher, rest);
    credentials(account, 'host.creds');
    expect(await publisher.finish(30_000, never())).toMatchObject({ isSent: true });
    await publisher.close();
    const sent = await traceOnServer(server.url, publisher.name, me);
    expect(sent.equals(Buffer.concat([...first, ...rest]))).toBe(true);
  });
});

/** s since 1970 */
function now(): number {
  return Math.floor(Date.now() / 1000);
}
