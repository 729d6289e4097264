/** What a recording runs with on a real kernel, and that it is as true as with all of root's rights. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bootHost, startLoad, type Host } from '../../src/index.js';
import { attachCollector } from './attached-collector.js';
import { COMPLETE, expectTruth, RECORDED } from './recorded-load.js';
import { readRecordedTrace } from './recorded-rings.js';

let host: Host;
/** Of capabilities, as /proc/PID/status has them. */
const SYSLOG_AND_IPC_LOCK = (1n << 34n) | (1n << 14n);
const WITHOUT_ADMIN = SYSLOG_AND_IPC_LOCK | (1n << 39n) | (1n << 38n);
const WITH_ADMIN = SYSLOG_AND_IPC_LOCK | (1n << 21n);

const NOBODY = '65534';

interface Status {
  readonly uid: string;
  readonly gid: string;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly noNewPrivileges: boolean;
}

/** What the kernel says of a process and, as far as it has several, of all of its threads alike. */
async function statusOf(pids: string): Promise<Status> {
  const { stdout } = await host.run(
    `for p in ${pids}; do cat /proc/$p/task/*/status; done | grep -E '^(Uid|Gid|CapEff|CapBnd|NoNewPrivs):' | sort -u`,
  );
  const words = (name: string): string => {
    const lines = [...stdout.matchAll(new RegExp(`^${name}:\\s*(.*)$`, 'gm'))];
    expect(lines).toHaveLength(1);
    return lines[0]?.[1]?.replaceAll(/\s+/g, ' ') ?? '';
  };
  return {
    uid: words('Uid'),
    gid: words('Gid'),
    effective: BigInt(`0x${words('CapEff')}`),
    bounding: BigInt(`0x${words('CapBnd')}`),
    noNewPrivileges: words('NoNewPrivs') === '1',
  };
}

const COLLECTOR = '$(pidof -s node)';
const BPFTRACE = '$(pidof -s bpftrace)';

/** The setting of which it depends what the kernel asks for; and no room for buffers but by a capability. */
async function setParanoia(level: number): Promise<void> {
  await host.run(`echo ${level} > /proc/sys/kernel/perf_event_paranoid`);
}

/** Records a load from before its first packet, and looks at the processes meanwhile. */
async function recordAndLook(
  args: readonly string[],
  trace = RECORDED,
): Promise<{ readonly collector: Status; readonly bpftrace: Status; readonly said: string }> {
  const load = await startLoad(host, 'net', { packets: 2000, between: 8, 'kvm-vm': true });
  const collector = await attachCollector(host, trace, args);
  const seen = { collector: await statusOf(COLLECTOR), bpftrace: await statusOf(BPFTRACE) };
  await load.go();
  const result = await load.result;
  const outcome = await collector.stop();
  const said = collector.said();
  expectTruth({ outcome, trace: await readRecordedTrace(host, trace), result, said });
  expect(outcome).toMatchObject({ limits: [] });
  // Nothing of it stays.
  expect((await host.run('pidof bpftrace')).status).toBe(1);
  return { ...seen, said };
}

describe.each(['6.1', '6.12'] as const)('on Linux %s', (kernel) => {
  beforeAll(async () => {
    host = await bootHost({ kernel, cpus: 1 });
  });
  afterAll(async () => {
    await host.close();
  });
  afterEach(async () => {
    await setParanoia(3);
  });

  test('bpftrace has four of root’s capabilities, and can gain no others', async () => {
    await setParanoia(2);
    const { collector, bpftrace } = await recordAndLook([]);
    expect(bpftrace).toEqual({
      uid: '0 0 0 0',
      gid: '0 0 0 0',
      effective: WITHOUT_ADMIN,
      bounding: WITHOUT_ADMIN,
      noNewPrivileges: true,
    });
    expect(collector).toMatchObject({ uid: '0 0 0 0', noNewPrivileges: false });
  });

  test('root is given up for nobody: the collector has no capability, and bpftrace no other user', async () => {
    await host.run('mkdir -m 755 /tmp/of-nobody; chown 65534:65534 /tmp/of-nobody');
    const trace = '/tmp/of-nobody/load.arrows';
    const socket = '/tmp/of-nobody/live.sock';
    const { collector, bpftrace, said } = await recordAndLook(
      ['--user', 'nobody', '--socket', socket],
      trace,
    );
    const ids = `${NOBODY} ${NOBODY} ${NOBODY} ${NOBODY}`;
    expect(collector).toMatchObject({ uid: ids, gid: ids, effective: 0n });
    // As kernel.perf_event_paranoid is Debian's: 3.
    expect(bpftrace).toMatchObject({
      uid: `${NOBODY} 0 0 0`,
      effective: WITH_ADMIN,
      bounding: WITH_ADMIN,
    });
    expect(said).toContain('; root is given up for nobody');
    const { stdout } = await host.run(`stat -c '%u %a %n' /tmp/of-nobody/*`);
    expect(stdout).toBe(`${NOBODY} 600 ${trace}\n`);
  });

  test('perf has three of them', async () => {
    await setParanoia(2);
    const load = await startLoad(host, 'net', { packets: 2000, between: 8, 'kvm-vm': true });
    const collector = await attachCollector(host, RECORDED, ['--with', 'perf']);
    const perf = await statusOf('$(pidof perf)');
    await load.go();
    const result = await load.result;
    const outcome = await collector.stop();
    expect(outcome).toMatchObject(COMPLETE);
    // It tells no heads one by one; all else is as with bpftrace.
    const { rings } = await readRecordedTrace(host, RECORDED);
    expect(rings).toHaveLength(result.virtqueues.length);
    for (const [at, { num, desc, avail, used, entries_used }] of result.virtqueues.entries())
      expect(rings[at]).toMatchObject({
        owner: result.pid,
        num,
        heads: entries_used,
        used: entries_used,
        areas: [desc, avail, used].map(BigInt),
      });
    const three = SYSLOG_AND_IPC_LOCK | (1n << 38n);
    expect(perf).toMatchObject({ uid: '0 0 0 0', effective: three, bounding: three });
    expect(perf.noNewPrivileges).toBe(true);
  });
});
