/** `collector attach --with perf` with a perf that is not one: what is recorded, and what becomes of the probes. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type * as FileSystem from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attachResultSchema } from '../src/attach/attach-result-schema.ts';
import { createBootClock, type BootClock } from '../src/attach/boot-clock.ts';
import { bootOffset } from '../src/attach/boot-offset.ts';
import type { RecordedHost } from '../src/attach/recorded-host.ts';
import { readHostFacts } from '../src/host/host-facts.ts';
import { perfOutlookOf } from '../src/perf-recording/plan-perf-recording.ts';
import { recordingOrBlocked } from '../src/plan-recording.ts';
import { collectorOn, type Outcome } from './in-process.ts';
import { PERF_HOST } from './perf-host.ts';
import { pretendedHost } from './pretended-host.ts';
import { recordedRounds } from './recorded-rounds.ts';
import { temporaryFolder } from './traces.ts';

/** Once true, pipes cannot be read any more. */
const pipes = vi.hoisted(() => ({ areBroken: false }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof FileSystem>();
  const readSync = (fd: number, room: Uint8Array, ...rest: []): number => {
    if (pipes.areBroken && real.fstatSync(fd).isFIFO())
      throw Object.assign(new Error('EIO: it was told to, read'), { code: 'EIO', syscall: 'read' });
    return real.readSync(fd, room, ...rest);
  };
  return { ...real, readSync, default: { ...real, readSync } };
});

const top = temporaryFolder();
let made = 0;
let tracefs = '';

beforeEach(() => {
  const folder = join(top, String(made++));
  tracefs = join(folder, 'tracing');
  mkdirSync(tracefs, { recursive: true });
  writeFileSync(join(tracefs, 'kprobe_events'), '');
  process.chdir(folder);
});

afterEach(() => {
  pipes.areBroken = false;
  delete process.env['FAKE_PERF'];
});

const RING_FIELDS =
  'num=256 last_avail=1 avail_idx=1 last_used=1 used_flags=1 features=0x0 signalled=1 call=0x1 ' +
  'iotlb=0x0 dev=0xffff888000000000 desc=0x7f0000000000 avail=0x7f0000001000 used=0x7f0000002000 ' +
  `mm=0xffff888009000000 owner=${process.pid} notifiers=0x1 count=2 vq0=0xffff888000005000 ` +
  'vq1=0xffff888000001000 vq2=0x0 vq3=0x0';

interface Scenario {
  readonly loseEvery?: number;
  readonly tellLost?: boolean;
  readonly misses?: number;
  readonly exitCode?: number;
  readonly stderr?: string;
  readonly dieAfterMs?: number;
  /** The kernel does not say how often it hit probes whose names begin so. */
  readonly uncounted?: string;
}

const FAKE_PERF = join(import.meta.dirname, 'fake-perf.mjs');

interface FailingClock extends BootClock {
  /** So many calls from now on are answered; then so many find that no file can be opened. */
  failAfter(calls: number, failures?: number): void;
  /** How many have found that. */
  failed(): number;
}

function failingClock(): FailingClock {
  const clock = createBootClock();
  let left = Infinity;
  let most = Infinity;
  let failed = 0;
  const now = (): bigint => {
    if (left-- > 0 || failed >= most) return clock.now();
    failed++;
    throw Object.assign(new Error('EMFILE'), { code: 'EMFILE', syscall: 'open' });
  };
  return {
    now,
    failAfter: (calls, failures = Infinity) => {
      left = calls;
      most = failures;
    },
    failed: () => failed,
  };
}

/** How often it is asked where a recording with perf begins to be prepared, before the first reading of hits. */
function callsOfOffset(): number {
  let calls = 0;
  bootOffset(() => BigInt(++calls));
  return calls;
}

/** Ends the recording once it is under way. Whatever asks for the time from then on belongs to its end. */
function stopOnceRecording(before: () => void): void {
  const timer = setInterval(() => {
    if (!existsSync('a.arrows')) return;
    clearInterval(timer);
    setTimeout(() => {
      before();
      process.emit('SIGTERM', 'SIGTERM');
    }, 300);
  }, 20);
}

/** Where the recording ends, its end is the first to be asked for; then the hits are read, with two times a reading. */
const READINGS = 8;

async function attach(
  scenario: Scenario,
  args: readonly string[],
  path = FAKE_PERF,
  clock?: BootClock,
): Promise<Outcome> {
  process.env['FAKE_PERF'] = JSON.stringify({ tracefs, ringFields: RING_FIELDS, ...scenario });
  const facts = await readHostFacts(pretendedHost({ files: PERF_HOST }), 'bpftrace', 'perf');
  const plan = recordingOrBlocked(perfOutlookOf(facts, { detail: 'rounds' }));
  const host: RecordedHost = {
    plan: async ({ recorder }) => {
      expect(recorder).toBe('perf');
      const command = { ...plan.command, path, tracefs };
      return Promise.resolve({ ...plan, command } as typeof plan);
    },
    user: async () => Promise.reject(new Error('there are no users')),
    vhostOwners: () => [],
    patienceMs: 3000,
    ...(clock && { createClock: () => clock }),
    onlineCpus: () => [0, 1],
  };
  return collectorOn(host, 'attach', '--with', 'perf', ...args);
}

/** Names of the probes that were defined, and of those that were taken away. */
function probes(): { readonly defined: string[]; readonly removed: string[] } {
  const text = readFileSync(join(tracefs, 'kprobe_events'), 'latin1');
  const names = (pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].map(([, name = '']) => name);
  return { defined: names(/^[pr]\d*:(\S+)/gm), removed: names(/^-:(\S+)/gm) };
}

function expectNoneLeft(): void {
  const { defined, removed } = probes();
  expect(defined.length).toBeGreaterThan(10);
  expect(removed.toSorted()).toEqual(defined.toSorted());
}

const SHORT = ['--duration', '400ms', '--json', '-o', 'a.arrows'];

describe('a recording', () => {
  it('holds every round, and is complete: as often was the probe hit', async () => {
    const { code, out, err } = await attach({}, SHORT);
    expect(code).toBe(0);
    expect(err).toContain('attached; recording to a.arrows for 0.4 s');
    const result = attachResultSchema.parse(JSON.parse(out));
    expect(result).toMatchObject({ complete: true, saw_vhost: true, lost: {}, doubts: [] });
    const { events, addresses, damage } = await recordedRounds('a.arrows');
    expect(damage).toEqual([]);
    expect(events['round']).toBeGreaterThan(20);
    expect(events['round_end']).toBeGreaterThan(20);
    expect(addresses).toHaveLength(3);
    expectNoneLeft();
  });

  it('of which events are missing says how many', async () => {
    const { out } = await attach({ loseEvery: 10 }, SHORT);
    const { complete, lost } = attachResultSchema.parse(JSON.parse(out));
    expect(complete).toBe(false);
    expect(Object.keys(lost)).toEqual(['counted in the kernel, never arrived']);
    expect(Number(Object.values(lost)[0])).toBeGreaterThan(3);
  });

  const UNCOUNTED = expect.stringMatching(
    /^how often the kernel hit round_\d+_\d+, .* is not known: too many open files$/,
  );
  const MAY_HAVE_SLEPT =
    'whether the machine has slept meanwhile is not known: too many open files';

  it.each([
    ['nothing can be counted', 1, [UNCOUNTED, MAY_HAVE_SLEPT]],
    ['only the clocks cannot be compared any more', 1 + 2 * READINGS, [MAY_HAVE_SLEPT]],
  ])('goes on where %s, and is not known to be whole', async (_what, answered, expected) => {
    const clock = failingClock();
    stopOnceRecording(() => clock.failAfter(answered));
    const { code, out, err } = await attach({}, ['--json', '-o', 'a.arrows'], FAKE_PERF, clock);
    expect(code).toBe(0);
    expect(err).not.toContain('bug');
    const { complete, doubts } = attachResultSchema.parse(JSON.parse(out));
    // On a busy machine this perf may count an event long before it gives it a time: that would be one lost.
    expect(complete).not.toBe(true);
    expect(doubts.filter((doubt) => doubt.includes('is not known:'))).toEqual(expected);
    expect((await recordedRounds('a.arrows')).events['round']).toBeGreaterThan(10);
    expectNoneLeft();
  });

  it('names no reason of one reading where others were made, and one probe is not counted', async () => {
    const clock = failingClock();
    clock.failAfter(callsOfOffset(), 1);
    const { out } = await attach({ uncounted: 'round_' }, SHORT, FAKE_PERF, clock);
    const { doubts } = attachResultSchema.parse(JSON.parse(out));
    expect(doubts).toContainEqual(
      expect.stringMatching(/^how often the kernel hit round_[\w, ]+ is not known$/),
    );
    expect(clock.failed()).toBe(1);
  });

  it('tells what perf says it lost, once', async () => {
    const { out } = await attach({ loseEvery: 10, tellLost: true }, SHORT);
    const { lost } = attachResultSchema.parse(JSON.parse(out));
    expect(Number(lost['perf'])).toBeGreaterThan(3);
    const total = Object.values(lost).reduce((sum, howMany) => sum + Number(howMany), 0);
    expect(total).toBeLessThan(40);
  });

  it('ends with a signal, and nothing stays', async () => {
    const timer = setInterval(() => {
      if (!existsSync('a.arrows')) return;
      clearInterval(timer);
      process.emit('SIGTERM', 'SIGTERM');
    }, 20);
    const { code, out } = await attach({}, ['--json', '-o', 'a.arrows']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ended: 'SIGTERM', complete: true });
    expectNoneLeft();
  });

  it('whose perf is killed is read up to there, and nobody says that all is in it', async () => {
    const { code, out } = await attach({ dieAfterMs: 900 }, ['--json', '-o', 'a.arrows']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ended: 'perf was killed by SIGKILL', complete: null });
    expect((await recordedRounds('a.arrows')).events['round']).toBeGreaterThan(1);
    expectNoneLeft();
  });
});

describe('nothing stays', () => {
  it('where what perf prints cannot be read any more, and the trace says so', async () => {
    const timer = setInterval(() => {
      if (!existsSync('a.arrows')) return;
      clearInterval(timer);
      setTimeout(() => (pipes.areBroken = true), 500);
    }, 20);
    const { code, out } = await attach({}, ['--json', '-o', 'a.arrows']);
    const words = 'what perf prints cannot be read any more: input/output error';
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ended: words, complete: null });
    const { events, damage, end } = await recordedRounds('a.arrows');
    expect(damage).toEqual([]);
    expect(end).toMatchObject({ ended: words });
    expect(events['round']).toBeGreaterThan(5);
    expectNoneLeft();
  });

  it('where perf ends at once, and it is said why', async () => {
    const { code, err } = await attach({ exitCode: 129, stderr: 'event syntax error: x\n' }, SHORT);
    expect(code).toBe(3);
    expect(err).toContain('the probes could not be attached: event syntax error: x');
    expectNoneLeft();
  });

  it('where there is no perf', async () => {
    const { code, err } = await attach({}, SHORT, '/nowhere/perf');
    expect(code).toBe(3);
    // setpriv, which becomes perf, says so where it is there.
    expect(err).toMatch(/\/nowhere\/perf: no such file/i);
    expectNoneLeft();
  });

  it('of a recorder that is gone; what another needs does', async () => {
    const start = readFileSync(`/proc/${process.ppid}/stat`, 'latin1')
      .split(') ')[1]
      ?.split(' ')[19];
    appendFileSync(
      join(tracefs, 'kprobe_events'),
      [
        'p:vhostscope_4194999_1/round_0_4194999 vq_meta_prefetch vq=$arg1:x64',
        `p:vhostscope_${process.ppid}_1/round_0_${process.ppid} vq_meta_prefetch`,
        `r512:vhostscope_${process.ppid}_${start ?? ''}/end_0_${process.ppid} vq_meta_prefetch`,
        'p:probe/vfs_read vfs_read',
        'p:vhostscope_x_1/y vfs_read',
        '',
      ].join('\n'),
    );
    await attach({}, SHORT);
    const { removed } = probes();
    expect(removed.filter((name) => !name.includes(`_${process.pid}_`))).toEqual([
      'vhostscope_4194999_1/round_0_4194999',
      `vhostscope_${process.ppid}_1/round_0_${process.ppid}`,
    ]);
  });

  it('where a probe is refused', async () => {
    const path = join(tracefs, 'kprobe_events');
    writeFileSync(path, '', { mode: 0o600 });
    tracefs = join(tracefs, 'nowhere');
    const { code, err } = await attach({}, SHORT);
    expect(code).toBe(3);
    expect(err).toContain('the kernel does not take the probe at vq_meta_prefetch');
  });
});
