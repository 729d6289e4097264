/** `collector attach` as a process of its own: pipes, full disks, sudden death, and what stays behind. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { getPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from './child-process.ts';
import { inGroups, KILLS } from './kills.ts';
import { emittedMeanwhile, recordedRounds } from './recorded-rounds.ts';
import { emptyFolder, leftovers, start, untilExists } from './started-attach.ts';

it(`killed at ${KILLS} random moments, it leaves a trace with all that was read half a second before`, async () => {
  await inGroups(KILLS, 5, async (at) => {
    const { child, output, truth } = await start({ holdMs: 10 });
    const gone = outcomeOf(child);
    await untilExists(output);
    // Some where it begins, most where it is at work.
    const isAtWork = at % 4 !== 3;
    while (isAtWork && (await recordedRounds(output)).rounds.length < 2) await pause(50);
    await pause(Math.random() * 1000);
    const killed = BigInt(
      readFileSync('/proc/uptime', 'latin1').split(' ')[0]?.replace('.', '') ?? 0,
    );
    child.kill('SIGKILL');
    await gone;
    const { rounds, end, damage } = await recordedRounds(output);
    expect(end).toBeUndefined();
    // And, where each CPU has told something, up to when nothing is missing.
    expect(damage[0]).toContain('the trace was not closed');
    expect(damage.length).toBeLessThanOrEqual(2);
    expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
    if (isAtWork) expect(rounds).toHaveLength(2);
    for (const recorded of isAtWork ? rounds : []) {
      const ageMs = Number(killed * 10_000_000n - (recorded.at(-1) ?? 0n)) / 1e6;
      // Half a second in which it waits for its batch, and what a busy machine adds.
      expect(ageMs).toBeLessThan(900);
    }
    // bpftrace ends by itself when it prints its next line.
    for (let i = 0; i < 50 && leftovers(truth).length > 0; i++) await pause(100);
    expect(leftovers(truth)).toEqual([]);
  });
}, 600_000);

describe('stopped for a time', () => {
  async function stopped(pid: number, ms: number): Promise<void> {
    process.kill(pid, 'SIGSTOP');
    await pause(ms);
    process.kill(pid, 'SIGCONT');
  }

  it('goes on where it was, and says that it ends late', async () => {
    // Long enough to be stopped within it, on a busy machine too.
    const { child, output, truth } = await start({}, { duration: 3000 });
    const gone = outcomeOf(child);
    await untilExists(output);
    await stopped(child.pid ?? 0, 5000);
    expect(await gone).toMatchObject({
      code: 0,
      err: expect.stringMatching(
        /B, duration, [1-9]\.\d\d s late: the collector was held up/,
      ) as string,
    });
    const { rounds, end, damage } = await recordedRounds(output);
    expect(damage).toEqual([]);
    expect(end).toMatchObject({ complete: true, doubts: [] });
    expect(rounds).toHaveLength(2);
    expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
  });

  it('bpftrace goes on where it was', async () => {
    const { child, output, truth } = await start({}, { duration: 7000 });
    const gone = outcomeOf(child);
    await untilExists(output);
    await stopped(leftovers(truth)[0] ?? 0, 5000);
    expect(await gone).toMatchObject({ code: 0 });
    const { rounds, end, damage } = await recordedRounds(output);
    expect(damage).toEqual([]);
    expect(end).toMatchObject({ complete: true, doubts: [] });
    expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
  });

  it('bpftrace that is so at the end is not waited for without end, and what it has is in doubt', async () => {
    const { child, output, truth } = await start({}, { duration: 2500 });
    const gone = outcomeOf(child);
    await untilExists(output);
    while ((await recordedRounds(output)).rounds.length < 2) await pause(50);
    process.kill(leftovers(truth)[0] ?? 0, 'SIGSTOP');
    expect(await gone).toMatchObject({
      code: 0,
      err: expect.stringMatching(/CPU 0, 1 did not say that all had arrived\n/) as string,
    });
    const { rounds, end, damage } = await recordedRounds(output);
    expect(damage).toEqual([]);
    expect(end).toMatchObject({ complete: null });
    expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
    for (let i = 0; i < 50 && leftovers(truth).length > 0; i++) await pause(100);
    expect(leftovers(truth)).toEqual([]);
  });
});

it('nothing of it stays when it ends', async () => {
  const { child, truth } = await start({ onInterrupt: 'ignore' }, { duration: 200 });
  expect(await outcomeOf(child)).toMatchObject({ code: 0 });
  for (let i = 0; i < 50 && leftovers(truth).length > 0; i++) await pause(100);
  expect(leftovers(truth)).toEqual([]);
});

it('bpftrace killed from outside: what had arrived is there, and nobody says that it is all', async () => {
  const { child, output, truth } = await start({});
  const gone = outcomeOf(child);
  await untilExists(output);
  await pause(400);
  const [pid = 0] = leftovers(truth);
  process.kill(pid, 'SIGKILL');
  const { code, err } = await gone;
  expect(code).toBe(1);
  expect(err).toMatch(
    /collector: bpftrace was killed by SIGKILL: what it still held is not known\n/,
  );
  const { rounds, end } = await recordedRounds(output);
  expect(end).toMatchObject({ complete: null, ended: 'bpftrace was killed by SIGKILL' });
  expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
});

describe('bpftrace that cannot be read any more', () => {
  it.each([
    ['EIO', 'input/output error'],
    ['EBADF', 'it is not open any more'],
  ])('%s ends the recording: what was read is there, and why it ends', async (code, reason) => {
    const faultyReads = { code, afterMs: 900 };
    const { child, output, truth } = await start({}, { faultyReads });
    const words = `what bpftrace prints cannot be read any more: ${reason}`;
    expect(await outcomeOf(child)).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        `^collector: attached; .*\ncollector: ${words}: what it still held is not known\n` +
          `collector: .* events, .*, ${words}; whether all events arrived is not known\n$`,
      ) as string,
    });
    const { rounds, end, damage } = await recordedRounds(output);
    expect(damage).toEqual([]);
    expect(end).toMatchObject({ complete: null, ended: words });
    expect(rounds[0]?.length).toBeGreaterThan(20);
    expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
    for (let i = 0; i < 50 && leftovers(truth).length > 0; i++) await pause(100);
    expect(leftovers(truth)).toEqual([]);
  });

  it('before its probes are attached is an error as any other', async () => {
    const faultyReads = { code: 'EIO', afterMs: 100 };
    const { child, output, truth } = await start({ attachMs: 5000 }, { faultyReads });
    expect(await outcomeOf(child)).toMatchObject({
      code: 3,
      err: expect.stringMatching(
        /^collector: the probes could not be attached: what bpftrace prints cannot be read any more: input\/output error\n/,
      ) as string,
    });
    expect(existsSync(output)).toBe(false);
    for (let i = 0; i < 50 && leftovers(truth).length > 0; i++) await pause(100);
    expect(leftovers(truth)).toEqual([]);
  });
});

describe('an output that takes no more', () => {
  it('ends the recording; the trace can be read, and says so: room is made for that', async () => {
    for (const maxBlocks of [300, 333, 366]) {
      const { child, output, truth } = await start({ perTick: 60 }, { maxBlocks });
      const { code, err } = await outcomeOf(child);
      expect(code).toBe(2);
      const message = `cannot write ${output}: the file would be too large`;
      expect(err).toContain(`collector: ${message}; what was written before can be read\n`);
      const { rounds, end, damage } = await recordedRounds(output);
      expect(damage).toEqual([]);
      expect(rounds[0]?.length).toBeGreaterThan(500);
      expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
      expect(leftovers(truth)).toEqual([]);
      expect(end).toMatchObject({
        complete: false,
        ended: message,
        flaws: [message],
        lost: { 'no room in the output': expect.stringMatching(/^\d+$/) },
      });
    }
  });

  it('from the start is an error as any other', async () => {
    const { child } = await start({}, { output: '/dev/full' });
    expect(await outcomeOf(child)).toMatchObject({
      code: 2,
      err: 'collector: cannot write /dev/full: no space left on the device\n',
    });
  });
});

describe('what there is not enough of to attach', () => {
  const ALLOW = 'collector: allow more open files: ulimit -n says how many a process may have\n';

  it.each([
    // The program's own version, and the clock.
    [0, 2, new RegExp(`^collector: cannot open .*: too many open files\\n${ALLOW}$`)],
    [1, 2, new RegExp(`^collector: cannot open .*: too many open files\\n${ALLOW}`)],
    // The pipe, and then what is to make it.
    [2, 3, new RegExp(`^collector: cannot make a pipe .*: too many open files\\n${ALLOW}$`)],
    [4, 3, new RegExp(`^collector: cannot make a pipe .*: too many open files\\n${ALLOW}$`)],
  ])('room for %i open files: a sentence, and nothing stays', async (spareFiles, code, message) => {
    const { child, output, truth } = await start({}, { spareFiles, temporary: emptyFolder() });
    expect(await outcomeOf(child)).toMatchObject({
      code,
      err: expect.stringMatching(message) as string,
    });
    expect(readdirSync(dirname(output))).toEqual([]);
    expect(leftovers(truth)).toEqual([]);
  });

  async function attachWith(temporary: string): Promise<unknown> {
    const { child, truth } = await start({}, { temporary });
    const outcome = await outcomeOf(child);
    expect(leftovers(truth)).toEqual([]);
    return outcome;
  }

  const noPipe = (temporary: string, reason: string): unknown =>
    expect.objectContaining({
      code: 3,
      err:
        `collector: cannot make a pipe for what is recorded in ${temporary}: ${reason}\n` +
        'collector: it takes mkfifo (coreutils), and a folder that can be written to: TMPDIR names another\n',
    });

  it('a folder for temporary files that is not there', async () => {
    const none = join(emptyFolder(), 'none');
    expect(await attachWith(none)).toEqual(noPipe(none, 'no such file'));
  });

  it('a folder for temporary files in which there is no room', async (context) => {
    const folder = emptyFolder();
    const options = ['-t', 'tmpfs', '-o', 'nr_inodes=1', 'tmpfs', folder];
    if (spawnSync('mount', options).status !== 0)
      return context.skip('no file system can be mounted here');
    try {
      expect(await attachWith(folder)).toEqual(noPipe(folder, 'no space left on the device'));
    } finally {
      spawnSync('umount', [folder]);
    }
  });
});

it('readers for whom there are no files left cost nobody the recording', async () => {
  const { child, output, truth } = await start(
    {},
    { spareFiles: 20, temporary: emptyFolder(), socket: 'live.sock', duration: 1500 },
  );
  const gone = outcomeOf(child);
  await untilExists(output);
  const path = join(dirname(output), 'live.sock');
  let turnedAway = 0;
  let read = 0;
  for (let i = 0; i < 60; i++) {
    const reader = connect(path).on('error', () => undefined);
    let bytes = 0;
    reader.on('data', (data: Buffer) => (bytes += data.length));
    reader.once('close', () => {
      if (bytes === 0) turnedAway++;
      else read++;
    });
  }
  expect(await gone).toMatchObject({ code: 0 });
  await expect.poll(() => turnedAway + read).toBe(60);
  expect(read).toBeGreaterThan(1);
  expect(turnedAway).toBeGreaterThan(40);
  const { rounds, end, damage } = await recordedRounds(output);
  expect(damage).toEqual([]);
  expect(end).toMatchObject({ ended: 'duration', complete: true });
  expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
});

it('takes over the socket of one that was killed', async () => {
  const killed = await start({}, { socket: 'live.sock' });
  const gone = outcomeOf(killed.child);
  await untilExists(killed.output);
  killed.child.kill('SIGKILL');
  await gone;
  const socket = join(dirname(killed.output), 'live.sock');
  expect(existsSync(socket)).toBe(true);
  const { child, output } = await start({}, { socket, duration: 800 });
  const ended = outcomeOf(child);
  await untilExists(output);
  const read: Buffer[] = [];
  connect(socket).on('data', (bytes: Buffer) => read.push(bytes));
  expect(await ended).toMatchObject({ code: 0 });
  const file = join(emptyFolder(), 'read.arrows');
  writeFileSync(file, Buffer.concat(read));
  expect((await recordedRounds(file)).end).toMatchObject({ complete: true });
  expect(existsSync(socket)).toBe(false);
});

/** Attaching takes as long as other work on the machine lets it. */
const UNHURRIED = { timeout: 20_000 };

it('leaves the CPUs to the load when it is told to: itself, and bpftrace', async () => {
  const { child } = await start({}, { nice: 19 });
  const pid = child.pid ?? 0;
  await expect
    .poll(() => {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
      return [pid, ...children.trim().split(' ').map(Number)].map((each) => getPriority(each));
    }, UNHURRIED)
    .toEqual([19, 19]);
  child.kill('SIGINT');
  expect(await outcomeOf(child)).toMatchObject({ code: 0 });
});

describe('to standard output', () => {
  it('goes on when its reader is slow, and all is there', async () => {
    const { child, truth } = await start({ perTick: 50 }, { output: '-', duration: 900 });
    const chunks: Buffer[] = [];
    child.stdout?.pause();
    setTimeout(() => child.stdout?.on('data', (bytes: Buffer) => chunks.push(bytes)).resume(), 700);
    let err = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, err }).toEqual({
      code: 0,
      err: expect.stringMatching(/recording to standard output for 0\.9 s\n.*; complete: all/),
    });
    const file = join(emptyFolder(), 'piped.arrows');
    writeFileSync(file, Buffer.concat(chunks));
    const { rounds, end } = await recordedRounds(file);
    expect(end).toMatchObject({ complete: true });
    expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
  });

  it('leaves a reader that is stuck at the second Ctrl-C; bpftrace is gone before', async () => {
    const { child, truth } = await start({ perTick: 200, onInterrupt: 'ignore' }, { output: '-' });
    child.stdout?.pause();
    await pause(1500);
    child.kill('SIGINT');
    // Draining and detaching take no longer than the patience of the test, one second each.
    await pause(3500);
    expect(child.exitCode).toBe(null);
    expect(leftovers(truth)).toEqual([]);
    const asked = performance.now();
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(performance.now() - asked).toBeLessThan(2500);
    expect(child.signalCode).toBe(null);
    expect(child.exitCode).toBe(130);
  });

  it('ends without a word of complaint when its reader is gone', async () => {
    const { child } = await start({ perTick: 200 }, { output: '-' });
    child.stdout?.once('data', () => child.stdout?.destroy());
    const { code, err } = await outcomeOf(child);
    expect(code).toBe(0);
    expect(err).toMatch(/, reader gone; /);
  });
});

describe('in a terminal', () => {
  it('a line tells how it goes, and Ctrl-C ends it with everything that was under way', async () => {
    const { child, output, truth } = await start(
      { attachMs: 1300, holdMs: 100 },
      { terminal: true },
    );
    const gone = outcomeOf(child);
    await untilExists(output);
    await pause(1500);
    child.stdin?.write('\u0003');
    const { code, out } = await gone;
    expect(code).toBe(0);
    const seen = out
      .replaceAll('\u001b[J', '<cleared>')
      .replaceAll('\u001b[?7h', '')
      .replaceAll('\u001b[?7l', '');
    expect(seen).toMatch(/\rattaching the probes 0:01: nothing is recorded yet<cleared>\r/);
    expect(seen).toMatch(/\rrecording 0:01, \d+ events of 2 virtqueues, \S+ kB<cleared>\r/);
    expect(seen).toMatch(/\r <cleared>\rcollector: .* [kM]?B, SIGINT; complete: all/);
    const { rounds, end } = await recordedRounds(output);
    expect(end).toMatchObject({ complete: true, ended: 'SIGINT' });
    expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
    expect(leftovers(truth)).toEqual([]);
  });

  it('a trace is not shown', async () => {
    const { child } = await start({}, { terminal: true, output: '-' });
    const { code, out } = await outcomeOf(child);
    expect(code).toBe(2);
    expect(out).toMatch(/^collector: a trace is no text: it does not go to a terminal\r\n/);
  });
});
