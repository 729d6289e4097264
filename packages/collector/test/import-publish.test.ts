/** `collector import --publish` to a server that is away: what it says, and with which exit code. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { fakeHost } from './fake-host.ts';
import { importResultSchema } from '../src/import-result-schema.ts';
import { collector, collectorOn } from './in-process.ts';
import { example, temporaryFolder } from './traces.ts';

const top = temporaryFolder();
let folder: string;
let made = 0;
beforeEach(() => {
  folder = join(top, String(made++));
  mkdirSync(folder);
  process.chdir(folder);
});

/** Nobody listens there. */
const AWAY = 'nats://127.0.0.1:1';
const PUBLISH = ['--publish', AWAY, '--publish-as', 'h', '--publish-wait', '50ms'];
const SPOOL = ['--spool', 'spool'];

describe('an import that is not wholly on the server', () => {
  it('ends with 1, with or without --strict, and says where the rest is', async () => {
    for (const more of [[], ['--strict'], ['-o', 'a.arrows']]) {
      const { code, err } = await collector('import', example('u5'), ...PUBLISH, ...SPOOL, ...more);
      expect(code).toBe(1);
      expect(err).toMatch(
        /127\.0\.0\.1:1\/h\/.*: the server has 0 B of .*; the rest waits in spool \(.* is away: .*\); the next --publish sends it, or: collector fleet send --spool spool nats:/,
      );
    }
    expect(readdirSync('spool').length).toBe(3);
  });

  it('of several files, too', async () => {
    const files = [example('u5'), example('s3')];
    const offset = ['--merge', '--different-hosts', '--offset', `${files[1]}=0`];
    const { code, err } = await collector('import', ...files, ...offset, ...PUBLISH, ...SPOOL);
    expect(err).toContain('the server has 0 B of');
    expect(code).toBe(1);
  });

  it('has written what is in the spool', async () => {
    const args = [example('u5'), ...PUBLISH, ...SPOOL, '--json'];
    const { out, err } = await collector('import', ...args);
    const { bytes_written: written, output, published } = resultOf(out);
    expect(output).toBeNull();
    expect(written).toBeGreaterThan(10_000);
    expect(published?.bytes).toBe(written);
    expect(err).not.toContain(' 0 B written');
  });

  it('has written into the file what was there when its disk was full', async (context) => {
    mkdirSync('disk');
    const mount = ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', 'disk'];
    if (spawnSync('mount', mount).status !== 0) return context.skip('nothing can be mounted here');
    try {
      const path = join('disk', 'a.arrows');
      const args = [example('s3'), '-o', path, ...PUBLISH, ...SPOOL, '--json'];
      const { code, out, err } = await collector('import', ...args);
      expect(err).toMatch(/a\.arrows: no space left on the device; what was written before/);
      expect(code).toBe(2);
      const { bytes_written: written, published } = resultOf(out);
      expect(written).toBe(statSync(path).size);
      expect(published?.bytes).toBeGreaterThan(written);
    } finally {
      spawnSync('umount', ['disk']);
    }
  });
});

const resultOf = (out: string): ReturnType<typeof importResultSchema.parse> =>
  importResultSchema.parse(JSON.parse(out));

describe('what is said of publishing, where nothing is published,', () => {
  const said = [
    ['--publish-as', 'h'],
    ['--publish-wait', '1s'],
    ['--spool', 'spool'],
    ['--spool-max', '1GiB'],
  ];

  it.each(said)('%s: is refused', async (...option) => {
    const refusal = {
      code: 2,
      err:
        `collector: nothing is published, and ${option[0]} is of what is\n` +
        'collector: name the server, too: --publish nats://host\n',
    };
    const files = [example('u5'), example('s3')];
    expect(await collector('import', files[0], ...option)).toMatchObject(refusal);
    expect(await collector('import', '--merge', ...files, ...option)).toMatchObject(refusal);
    const host = fakeHost({});
    expect(await collectorOn(host, 'attach', ...option)).toMatchObject(refusal);
    expect(readdirSync('.')).toEqual([]);
  });

  it('several at once', async () => {
    const { err } = await collector('import', example('u5'), ...said.flat());
    expect(err).toContain('--publish-as, --publish-wait, --spool, --spool-max are of what is');
  });
});
