/** `collector attach` with a bpftrace that is not one: what is recorded, lost, and said at its end. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { attachResultSchema } from '../src/attach/attach-result-schema.ts';
import { attach, TRUTH } from './attached.ts';
import { inOwnFolders } from './own-folders.ts';
import { emittedMeanwhile, recordedRounds } from './recorded-rounds.ts';

inOwnFolders();

/** Sends a signal to this process as soon as something is recorded, and maybe another one later. */
function signalOnceRecording(file: string, first: NodeJS.Signals, thenAfterMs?: number): void {
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(timer);
    setTimeout(() => process.emit(first, first), 300);
    if (thenAfterMs !== undefined) setTimeout(() => process.emit(first, first), 300 + thenAfterMs);
  }, 20);
}

describe('a recording', () => {
  it('of a host on which no vhost device did anything says so', async () => {
    const { code, err } = await attach({ perTick: 0 }, '--duration', '300ms');
    expect(code).toBe(0);
    expect(err).toContain('no vhost device was seen');
    // A sign of life may be in it.
    expect(err).toMatch(/: (?:0 events|1 event), .*, duration; complete: all/);
    const { events, end } = await recordedRounds('vhost.arrows');
    expect({ heartbeat: 1, ...events }).toEqual({ heartbeat: 1 });
    expect(end).toMatchObject({ ended: 'duration', complete: true });
    const { out } = await attach({ perTick: 0 }, '--duration', '300ms', '-o', 'b', '--json');
    expect(attachResultSchema.parse(JSON.parse(out))).toMatchObject({
      saw_vhost: false,
      ended: 'duration',
      complete: true,
    });
    const { out: busy, err: said } = await attach({}, '--duration', '300ms', '-o', 'c', '--json');
    expect(attachResultSchema.parse(JSON.parse(busy))).toMatchObject({ saw_vhost: true });
    expect(said).not.toContain('no vhost device');
  });

  it('holds everything between the moment when probes are attached and the end, and says so', async () => {
    const { code, out, err } = await attach({ holdMs: 80 }, '--duration', '600ms');
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(/^collector: attached; recording to vhost\.arrows for 0\.6 s\n/);
    expect(err).toMatch(/vhost\.arrows: \d+ events, .* [kM]?B, duration; complete: all .*\n$/);
    const { rounds, end, damage } = await recordedRounds('vhost.arrows');
    expect(damage).toEqual([]);
    expect(end).toMatchObject({ complete: true, ended: 'duration', doubts: [], lost: {} });
    expect(rounds).toHaveLength(2);
    for (const recorded of rounds) {
      // 5 rounds each 20 ms.
      expect(recorded.length).toBeGreaterThan(75);
      const [first = 0n] = recorded;
      const length = Number((recorded.at(-1) ?? 0n) - first) / 1e6;
      expect(length).toBeGreaterThan(500);
      expect(length).toBeLessThan(640);
    }
    expect(emittedMeanwhile(TRUTH, rounds)).toEqual(rounds);
    expect(statSync('vhost.arrows').mode & 0o777).toBe(0o600);
    expect(readdirSync('.')).toEqual(['vhost.arrows']);
  });

  it('waits for the sign of readiness where newer versions of bpftrace give it', async () => {
    const { code } = await attach({ ready: 'stdout', attachMs: 200 }, '--duration', '200ms');
    expect(code).toBe(0);
    const { rounds, end } = await recordedRounds('vhost.arrows');
    expect(end?.complete).toBe(true);
    expect(emittedMeanwhile(TRUTH, rounds)).toEqual(rounds);
  });

  it('begins with the rings that were told of while probes were being attached', async () => {
    const vq = 'ffff888000001000';
    const extra = [
      `U 5 0 ${vq} 0 7f0000000000 4096 0`,
      `U 6 1 ${vq} 0 7f0000001000 4096 0`,
      `U 7 1 ${vq} 2 7f0000002000 4096 0`,
      `R 8 0 ffff888000000000 1 0 1000 0 1 12 early`,
    ];
    await attach({ extra, holdMs: 200, attachMs: 20 }, '--duration', '400ms');
    const { addresses, rounds, events, end } = await recordedRounds('vhost.arrows');
    expect(end?.complete).toBe(true);
    expect(addresses).toHaveLength(2 + 1);
    expect(events['range_start']).toBeUndefined();
    for (const time of addresses) expect(time).toBeLessThanOrEqual(rounds[0]?.[0] ?? 0n);
    expect(end?.events).toEqual(events);
  });

  it('holds what the page table says of the rings', async () => {
    const stack = /-([0-9a-f]+) .*\[stack\]$/m.exec(readFileSync('/proc/self/maps', 'latin1'));
    const end = BigInt(`0x${stack?.[1] ?? 0}`);
    const vq = 'ffff888000001000';
    const extra = [
      `U 5 0 ${vq} 0 ${(end - 4096n).toString(16)} 4096 0`,
      `V 6 0 ${vq} ffff888000000000 ${process.pid} 0 1`,
    ];
    await attach({ extra }, '--duration', '400ms');
    const { events, end: ended } = await recordedRounds('vhost.arrows');
    expect(events['pages']).toBe(1);
    expect(ended).toMatchObject({ complete: true, backward: 0 });
  });

  it('as JSON', async () => {
    const { code, out } = await attach({}, '--duration', '0.3', '--json', '-o', 'a.arrows');
    expect(code).toBe(0);
    const result = attachResultSchema.parse(JSON.parse(out));
    expect(result).toMatchObject({
      output: 'a.arrows',
      bytes_written: statSync('a.arrows').size,
      ended: 'duration',
      complete: true,
      doubts: [],
      lost: {},
      missing: { rounds: 0, ranges: 0 },
    });
    expect(result.events).toBeGreaterThan(50);
  });
});

describe('losses', () => {
  it.each([
    ['that only the counts tell of', false],
    ['that bpftrace tells of too are not counted twice', true],
  ])('%s', async (_what, tellLost) => {
    const { code, out, err } = await attach(
      { loseEvery: 7, tellLost },
      '--duration',
      '500ms',
      '--json',
    );
    expect(code).toBe(0);
    const result = attachResultSchema.parse(JSON.parse(out));
    expect(result.complete).toBe(false);
    const lost = Object.values(result.lost).reduce((sum, howMany) => sum + Number(howMany), 0);
    // Of every seven rounds six arrive: what was lost is a sixth of what is there, give or take a tick.
    const { rounds, losses, end } = await recordedRounds('vhost.arrows');
    const arrived = rounds.reduce((sum, { length }) => sum + length, 0);
    expect(end?.complete).toBe(false);
    expect(losses).toBeGreaterThan(0);
    expect(lost).toBeGreaterThan(arrived / 6 - 10);
    expect(lost).toBeLessThan(arrived / 6 + 30);
    expect(result.missing['rounds']).toBe(lost);
    expect(err).toMatch(/attached/);
  });

  it('make the exit code 1 with --strict', async () => {
    const { code, err } = await attach({ loseEvery: 7 }, '--duration', '300ms', '--strict');
    expect(code).toBe(1);
    expect(err).toMatch(/NOT complete: \d+ events lost \(rounds \d+\)/);
  });

  it('lines that cannot be read are lost, and their reason is said once', async () => {
    const extra = ['M 12 99999 ffff', 'M 12 0 ffff and more', 'hello'];
    const { code, err } = await attach({ extra }, '--duration', '300ms');
    expect(code).toBe(0);
    expect(err).toMatch(
      /2 lines of bpftrace could not be read, the first (?:while the probes were being attached|0\.\d+ s into the recording): M: cpu is/,
    );
    const { end } = await recordedRounds('vhost.arrows');
    expect(end).toMatchObject({ complete: false, lost: { 'unreadable input': '2' } });
  });

  it(
    'a CPU that says nothing leaves it open whether all arrived',
    { timeout: 20_000 },
    async () => {
      const { code, err } = await attach({ silentCpu: 1 }, '--duration', '200ms');
      expect(code).toBe(0);
      expect(err).toMatch(/CPU 1 did not say that all had arrived\n/);
      expect(err).toMatch(/whether all events arrived is not known\n$/);
      const { end } = await recordedRounds('vhost.arrows');
      expect(end).toMatchObject({ complete: null, doubts: [expect.stringContaining('CPU 1')] });
    },
  );
});

describe('clocks', () => {
  it('the machine sleeps in between: that is in the times, and counts as long as it was', async () => {
    const at = String(process.hrtime.bigint() + 5_000_000_000n);
    const { code, err } = await attach({ sleep: { at, forMs: 60_000 } }, '--duration', '30s');
    expect(code).toBe(0);
    const { rounds, end, damage } = await recordedRounds('vhost.arrows');
    expect(damage).toEqual([]);
    expect(end).toMatchObject({
      complete: true,
      ended: expect.stringMatching(
        /^duration, \d\d\.\d s late: the collector was held up, or the machine slept$/,
      ) as string,
    });
    expect(err).toMatch(/B, duration, \d\d\.\d s late: the collector was held up/);
    expect(emittedMeanwhile(TRUTH, rounds)).toEqual(rounds);
    for (const times of rounds) {
      const gaps = times.flatMap((time, i) => (i === 0 ? [] : [time - (times[i - 1] ?? 0n)]));
      expect(gaps.every((gap) => gap >= 0n)).toBe(true);
      expect(gaps.filter((gap) => gap > 50_000_000_000n)).toHaveLength(1);
    }
  });

  it('somebody sets the time of day: nothing of a recording goes by that', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const timer = setInterval(() => vi.setSystemTime(Math.random() * 2e12), 50);
      const { code } = await attach({}, '--duration', '900ms');
      clearInterval(timer);
      expect(code).toBe(0);
    } finally {
      vi.useRealTimers();
    }
    const { rounds, end } = await recordedRounds('vhost.arrows');
    expect(end).toMatchObject({ complete: true, doubts: [] });
    expect(emittedMeanwhile(TRUTH, rounds)).toEqual(rounds);
    const length = Number((rounds[0]?.at(-1) ?? 0n) - (rounds[0]?.[0] ?? 0n)) / 1e6;
    expect(length).toBeGreaterThan(700);
  });
});

describe('its end', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', async (signal) => {
    signalOnceRecording('vhost.arrows', signal);
    const { code, err } = await attach({ holdMs: 60 });
    expect(code).toBe(0);
    expect(err).toMatch(/recording to vhost\.arrows until Ctrl-C\n/);
    expect(err).toMatch(new RegExp(`B, ${signal}; complete`));
    const { rounds, end } = await recordedRounds('vhost.arrows');
    expect(end).toMatchObject({ complete: true, ended: signal });
    expect(emittedMeanwhile(TRUTH, rounds)).toEqual(rounds);
  });

  it('before the duration is over', async () => {
    signalOnceRecording('vhost.arrows', 'SIGINT');
    expect(await attach({}, '--duration', '1h')).toMatchObject({ code: 130 });
  });

  it('a signal that comes twice at once is one', async () => {
    signalOnceRecording('vhost.arrows', 'SIGINT', 20);
    const { code } = await attach({ holdMs: 100 });
    expect(code).toBe(0);
    expect((await recordedRounds('vhost.arrows')).end).toMatchObject({ complete: true });
  });

  it('at once, on a second signal', async () => {
    signalOnceRecording('vhost.arrows', 'SIGINT', 300);
    const { code, err } = await attach({ silentCpu: 0 });
    expect(code).toBe(130);
    expect(err).toMatch(/it was not waited for what was under way/);
    const { rounds, end } = await recordedRounds('vhost.arrows');
    expect(end).toMatchObject({ complete: null, ended: 'a second signal' });
    expect(rounds[1]?.length).toBeGreaterThan(10);
  });

  it('of a bpftrace that does not listen', async () => {
    const { code } = await attach({ onInterrupt: 'ignore' }, '--duration', '200ms');
    expect(code).toBe(0);
    expect((await recordedRounds('vhost.arrows')).end).toMatchObject({ complete: true });
  });

  it('by bpftrace itself', async () => {
    const stderr = 'ERROR: failed to poll perf buffer: Interrupted system call\n';
    const { code, err } = await attach({ exitAfterMs: 400, exitCode: 255, stderr });
    expect(code).toBe(1);
    expect(err).toMatch(/bpftrace said: failed to poll perf buffer: Interrupted system call\n/);
    const { rounds, end } = await recordedRounds('vhost.arrows');
    expect(end).toMatchObject({ complete: null });
    expect(end?.doubts).toEqual([expect.stringMatching(/status 255: what it still held is not/)]);
    expect(emittedMeanwhile(TRUTH, rounds)).toEqual(rounds);
  });
});
