import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasServer, withServer, type ServerInUse } from '@vhostscope/nats-testbed';
import { endOfStream } from '@vhostscope/trace';
import { chosenRun, openFleet } from '../src/index.js';
import { appendAll, COLLECTOR, initFleet, never, publisherTo } from './runs.js';

describe.skipIf(!hasServer)('what a URL names', () => {
  /** By "prefix host". */
  const runs = new Map<string, string>();
  const server = withServer('shared', { prepare: publishRuns });
  async function publishRuns({ url, folder }: ServerInUse): Promise<void> {
    for (const [path, host] of [
      ['', 'web1'],
      ['', 'lab'],
      ['', 'node.example'],
      ['/lab', 'web1'],
      ['/lab', 'db'],
    ] as const) {
      await initFleet(`${url}${path}`);
      const spool = join(folder, 'spool');
      const publisher = await publisherTo(`${url}${path}`, spool, { host });
      appendAll(publisher, [endOfStream()]);
      const { isSent } = await publisher.finish(20_000, never());
      if (!isSent) throw new Error('the server does not take a run');
      await publisher.close();
      runs.set(`${path} ${host}`, publisher.name.run);
    }
  }

  const named = async (
    path: string,
  ): Promise<{ taken: string | undefined; hosts: string; name: string }> => {
    const fleet = await openFleet(`${server.url}${path}`, {});
    const { taken, url } = fleet;
    try {
      const hosts = (await fleet.listRuns()).map(({ host }) => host).join(' ');
      return { taken, hosts, name: url.name.slice(server.url.length) };
    } finally {
      await fleet.close();
    }
  };
  const refusal = (path: string): Promise<string> =>
    named(path).then(
      () => expect.fail('nothing was refused'),
      (error: Error & { details: string[] }) =>
        [error.message, ...error.details].join('\n').replaceAll(server.url, 'URL'),
    );

  it('a prefix, before a host of that name', async () => {
    expect(await named('/lab')).toEqual({ taken: undefined, hosts: 'db web1', name: '/lab' });
  });

  it('a host, where there is no such prefix, and says so', async () => {
    const found = await named('/web1');
    expect(found).toMatchObject({ hosts: 'web1', name: '' });
    expect(found.taken).toMatch(/has no prefix web1: that is taken for its host web1$/);
    expect(await named('/node.example')).toEqual({
      taken: undefined,
      hosts: 'node.example',
      name: '',
    });
  });

  it('a host of a prefix, where there is no such run, and says so', async () => {
    const found = await named('/lab/db');
    expect(found).toMatchObject({ hosts: 'db', name: '/lab' });
    expect(found.taken).toBe('the server has no run lab/db: host db of prefix lab is taken');
    expect(await named(`/lab/${runs.get(' lab')}`)).toEqual({
      taken: undefined,
      hosts: 'lab',
      name: '',
    });
  });

  it('a run: that alone is listed', async () => {
    const run = runs.get('/lab db') ?? '';
    expect(await named(`/lab/db/${run}`)).toMatchObject({ hosts: 'db', name: '/lab' });
    const fleet = await openFleet(`${server.url}/lab/db`, {});
    expect(await chosenRun(fleet)).toMatchObject({ host: 'db', run });
    await fleet.close();
  });

  it('nothing: what comes near is told', async () => {
    expect(await refusal('/labs')).toBe(
      'URL has neither a prefix labs (a stream LABS_RUNS) nor a host labs (in VHOSTSCOPE_RUNS)\n' +
        'prefixes of nearly that name: lab\nhosts of nearly that name: lab',
    );
    expect(await refusal('/Web1')).toBe(
      `URL has no run of host Web1\nwhat comes near:\nURL/web1/${runs.get(' web1')}`,
    );
    expect(await refusal('/web1/2026')).toBe(
      `URL has no run web1/2026\nwhat comes near:\nURL/web1/${runs.get(' web1')}`,
    );
    expect(await refusal('/other/web1/2026')).toMatch(/has no stream OTHER_RUNS/);
  });

  it('where only a server can be meant: a run is refused, and nothing is made', async () => {
    const run = (...args: string[]): { status: number | null; stderr: string; stdout: string } =>
      spawnSync(process.execPath, [COLLECTOR, 'fleet', ...args], { encoding: 'utf8' });
    for (const command of ['init', 'send']) {
      const { status, stderr } = run(command, `${server.url}/web1/1`);
      expect(status).toBe(2);
      expect(stderr).toMatch(/names a run, and a server is to be named\n.*expected nats:/);
    }
    const { status, stdout, stderr } = run('status', `${server.url}/lab/db`);
    expect(status).toBe(0);
    // The stream holds that of another host too, and what each message takes.
    const { length } = endOfStream();
    const stream = /; the stream LAB_RUNS takes (.*)$/m;
    expect(stdout).toMatch(new RegExp(`: 1 run of 1 host, ${length} B${stream.source}`, 'm'));
    const all = run('status', `${server.url}/lab`);
    expect(all.stdout).toMatch(new RegExp(`: 2 runs of 2 hosts, ${2 * length} B;`));
    expect(stream.exec(all.stdout)?.[1]).toBe(stream.exec(stdout)?.[1]);
    expect(stdout).not.toContain('web1');
    expect(stderr).toContain('host db of prefix lab is taken');
  });
});
