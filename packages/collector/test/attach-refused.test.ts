/** Recordings that do not come about: what is said, and what stays. */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { attachResultSchema } from '../src/attach/attach-result-schema.ts';
import { BlockedHostError } from '../src/blocked-host.ts';
import { attach } from './attached.ts';
import { fakeHost } from './fake-host.ts';
import { collectorOn } from './in-process.ts';
import { inOwnFolders } from './own-folders.ts';

inOwnFolders();

describe('what cannot be recorded leaves nothing behind, and what was there as it was', () => {
  beforeEach(() => writeFileSync('old.arrows', 'old'));

  it.each([
    [
      'a program that does not load',
      {
        ready: false,
        exitAfterMs: 50,
        exitCode: 255,
        stderr:
          'stdin:1:1-9: WARNING: f is not traceable\n' +
          "ERROR: Error attaching probe: 'kprobe:vhost_\u0007x'\n",
      },
      "the probes could not be attached: Error attaching probe: 'kprobe:vhost_\\x07x'",
    ],
    [
      'a bpftrace that says nothing',
      { ready: false, exitAfterMs: 50, exitCode: 1 },
      'the probes could not be attached: bpftrace ended by itself with status 1, and said nothing',
    ],
  ] as const)('%s', async (_what, scenario, message) => {
    const { code, out, err } = await attach(scenario, '-o', 'old.arrows');
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toBe(
      `collector: ${message}\ncollector: collector doctor says what this host can do\n`,
    );
    expect(readdirSync('.')).toEqual(['old.arrows']);
    expect(statSync('old.arrows').size).toBe(3);
  });

  it('a host with things in the way: programs get a document all the same', async () => {
    const blockers = [
      { reason: 'no bpftrace', advice: 'install it' },
      { reason: 'no vhost', advice: undefined },
    ] as const;
    const plan = async (): Promise<never> => Promise.reject(new BlockedHostError(blockers));
    const host = { ...fakeHost({}), plan };
    const { code, out, err } = await collectorOn(host, 'attach', '--json');
    expect(code).toBe(3);
    expect(attachResultSchema.parse(JSON.parse(out))).toMatchObject({
      output: null,
      ended: 'not begun',
      blockers: [
        { reason: 'no bpftrace', change: 'install it' },
        { reason: 'no vhost', change: null },
      ],
    });
    expect(err).toBe(
      'collector: 2 things are in the way of recording this host\n' +
        'collector: BLOCKED  no bpftrace\n' +
        'collector: BLOCKED  no vhost\n' +
        'collector: collector doctor says what to change\n',
    );
    expect(readdirSync('.')).toEqual(['old.arrows']);
  });

  it('no bpftrace', async () => {
    const host = fakeHost({});
    const plan = await host.plan({ detail: 'rounds' });
    const command = { ...plan.command, path: '/nowhere/bpftrace' };
    const { code, err } = await collectorOn(
      { ...host, plan: async () => Promise.resolve({ ...plan, command }) },
      'attach',
    );
    expect(code).toBe(3);
    expect(err).toMatch(/^collector: cannot start \/nowhere\/bpftrace: no such file\n/);
    expect(readdirSync('.')).toEqual(['old.arrows']);
  });

  it('interrupted before the probes are attached', async () => {
    setTimeout(() => process.emit('SIGINT', 'SIGINT'), 300);
    const { code, err } = await attach({ ready: false });
    expect(code).toBe(130);
    expect(err).toBe(
      'collector: interrupted before the probes were attached; nothing was recorded\n',
    );
    expect(readdirSync('.')).toEqual(['old.arrows']);
  });

  it('a default output that exists', async () => {
    writeFileSync('vhost.arrows', 'old');
    const { code, err } = await attach({}, '--duration', '200ms');
    expect(code).toBe(2);
    expect(err).toMatch(/^collector: vhost\.arrows exists\n/);
    expect(await attach({}, '--duration', '200ms', '--force')).toMatchObject({ code: 0 });
  });

  it.each([
    [['--duration', '0'], /Give a length of time/],
    [['--duration', '5 apples'], /Give a length of time/],
    [['--duration', '600h'], /At most 596h/],
    [['--detail', 'all'], /Allowed choices are rounds, calls, accesses/],
    [['-o', '-', '--json'], /both want standard output/],
    [['-o', '-', '--tui'], /--tui and -o - both want standard output/],
    [['--tui', '--json'], /--tui and --json both want standard output/],
    [['--tui'], /--tui needs a terminal.*\n.*look on with: tui --socket PATH/],
    [['-o', 'no/such/folder.arrows'], /its folder does not exist/],
  ])('%j', async (args, message) => {
    const { code, err } = await attach({}, ...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(readdirSync('.')).toEqual(['old.arrows']);
  });
});
