/**
 * What is given up of root, with processes: what bpftrace is started with, and what the collector is when its probes
 * are attached. On a real kernel's vhost: `testbed/host-tests/collector/least-privilege.test.ts`.
 */
import { chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from './child-process.ts';
import { emittedMeanwhile, recordedRounds } from './recorded-rounds.ts';
import { emptyFolder, leftovers, start, untilExists } from './started-attach.ts';

const NOBODY = 65534;
const CAPABILITIES = ['bpf', 'perfmon', 'syslog', 'ipc_lock'];
const BOUNDED = { capabilities: CAPABILITIES, realUser: undefined };
const FOR_NOBODY = { capabilities: CAPABILITIES, realUser: NOBODY };

/** What the kernel says of a process, with one blank between two numbers. */
function statusOf(pid: number): Record<string, string> {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Object.fromEntries(
    [...text.matchAll(/^(\w+):[ \t]*(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll(/\s+/g, ' ').trim(),
    ]),
  );
}

function threadsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map(Number);
}

/** A folder in which nobody may write. */
function folderOfNobody(): string {
  const folder = emptyFolder();
  chownSync(folder, NOBODY, NOBODY);
  return folder;
}

async function limitsOf(file: string): Promise<readonly string[] | undefined> {
  return (await recordedRounds(file)).end?.notes;
}

/** Attaching takes as long as other work on the machine lets it. */
const UNHURRIED = { timeout: 20_000 };

describe.runIf(process.getuid?.() === 0)('as root', () => {
  it('bpftrace has what it needs, and can gain no more; the collector is as it was', async () => {
    const { child, output, truth } = await start({}, { privileges: BOUNDED });
    const gone = outcomeOf(child);
    await untilExists(output);
    const [bpftrace = 0] = leftovers(truth);
    expect(statusOf(bpftrace)).toMatchObject({
      Uid: '0 0 0 0',
      CapPrm: '000000c400004000',
      CapBnd: '000000c400004000',
      NoNewPrivs: '1',
    });
    expect(statusOf(child.pid ?? 0)['Uid']).toBe('0 0 0 0');
    await pause(500);
    child.kill('SIGINT');
    expect(await gone).toMatchObject({ code: 0, err: expect.stringContaining('; complete: all') });
    const { rounds } = await recordedRounds(output);
    expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
    expect(leftovers(truth)).toEqual([]);
  });

  it('where that is not enough it is said, and bpftrace has all of it; the trace says so, too', async () => {
    // CAP_SYS_ADMIN.
    const { child, output } = await start(
      { wantsCapability: 21 },
      { privileges: BOUNDED, duration: 400 },
    );
    const { code, err } = await outcomeOf(child);
    expect(code).toBe(0);
    expect(err).toContain(
      'collector: the probes could not be attached: Could not load program: Operation not permitted; ' +
        'it had fewer capabilities than root: once more with all that root may\n',
    );
    const limit =
      'bpftrace could not attach its probes with cap_bpf, cap_perfmon, cap_syslog, cap_ipc_lock only, which the header names, and recorded with all that root may';
    expect(err).toContain(`collector: ${limit}\n`);
    expect(await limitsOf(output)).toEqual([limit]);
    const { end } = await recordedRounds(output);
    expect(end).toMatchObject({ complete: true });
  });

  it.each([
    { stderr: 'ERROR: Could not resolve symbol: vhost_poll\n', exitAfterMs: 50, exitCode: 1 },
    // Killed, or out of memory: nothing is said.
    { exitAfterMs: 50, exitCode: 137 },
  ])('what is no lack of permission gets no more of them: %j', async (scenario) => {
    const { child, output } = await start({ ready: false, ...scenario }, { privileges: BOUNDED });
    const { code, err } = await outcomeOf(child);
    expect(code).toBe(3);
    expect(err).toMatch(/^collector: the probes could not be attached: .*\n.*doctor says.*\n$/);
    expect(existsSync(output)).toBe(false);
  });

  it('types that cannot be read cost cap_sys_admin, and no other right', async () => {
    const nowhere = join(emptyFolder(), 'vhost');
    // It is ended before anything happens in it: the trace says so all the same.
    const { child, output, truth } = await start(
      { wantsCapability: 21, perTick: 0 },
      { privileges: BOUNDED, types: [nowhere, nowhere] },
    );
    const gone = outcomeOf(child);
    await untilExists(output);
    const [bpftrace = 0] = leftovers(truth);
    expect(statusOf(bpftrace)).toMatchObject({ CapBnd: '000000c400204000', NoNewPrivs: '1' });
    child.kill('SIGINT');
    const { code, err } = await gone;
    expect(code).toBe(0);
    const what = `the types of vhost cannot be put together for bpftrace: `;
    expect(err).toMatch(
      new RegExp(`collector: ${what}.*; bpftrace asks the kernel for them instead, for which`),
    );
    expect(await limitsOf(output)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^${what}.*: bpftrace had cap_sys_admin beside cap_bpf, cap_perfmon, cap_syslog, cap_ipc_lock, which the header names, to ask`,
        ),
      ),
    ]);
  });

  it('no room for types is an error, and costs no rights', async () => {
    // As the kernel writes it: version, no types, no strings.
    const header = Buffer.alloc(24);
    header.writeUInt16LE(0xeb9f, 0);
    header.writeUInt8(1, 2);
    header.writeUInt32LE(24, 4);
    const empty = join(emptyFolder(), 'btf');
    writeFileSync(empty, header);
    // The pipe of what is recorded would find none either.
    const { child, output } = await start(
      {},
      { privileges: BOUNDED, types: [empty, empty], temporary: '/proc' },
    );
    const { code, err } = await outcomeOf(child);
    expect(code).toBe(3);
    expect(err).toMatch(
      /^collector: the types of vhost cannot be put together .*\n.*it takes some MB in \/proc: TMPDIR names another\n$/,
    );
    expect(existsSync(output)).toBe(false);
  });

  it('what fails with all that root may fails once', async () => {
    const { child } = await start({ ready: false, exitAfterMs: 50, exitCode: 1 });
    const { code, err } = await outcomeOf(child);
    expect(code).toBe(3);
    expect(err.match(/could not be attached/g)).toHaveLength(1);
  });

  it('root is given up for good when the probes are attached, and the recording is whole', async () => {
    const folder = folderOfNobody();
    const { child, output, truth } = await start(
      { attachMs: 600 },
      {
        user: 'nobody',
        privileges: FOR_NOBODY,
        output: join(folder, 'trace.arrows'),
        socket: join(folder, 'live.sock'),
        nice: 7,
      },
    );
    const gone = outcomeOf(child);
    await untilExists(output);
    const collector = child.pid ?? 0;
    expect(threadsOf(collector).length).toBeGreaterThan(4);
    for (const pid of threadsOf(collector))
      expect(statusOf(pid)).toMatchObject({
        Uid: '65534 65534 65534 65534',
        Gid: '65534 65534 65534 65534',
        Groups: '65534',
        CapPrm: '0000000000000000',
        CapEff: '0000000000000000',
        CapAmb: '0000000000000000',
      });
    const [bpftrace = 0] = leftovers(truth);
    expect(statusOf(bpftrace)).toMatchObject({
      Uid: '65534 0 0 0',
      CapPrm: '000000c400004000',
      CapBnd: '000000c400004000',
    });
    expect(readFileSync(`/proc/${bpftrace}/stat`, 'latin1').split(') ')[1]?.split(' ')[16]).toBe(
      '7',
    );
    // Nobody else of that user sees into it: it still has files that root opened.
    expect(statSync(`/proc/${collector}/fd`).uid).toBe(0);
    await pause(500);
    child.kill('SIGINT');
    const { code, err } = await gone;
    expect(err).toMatch(/attached; recording to .* until Ctrl-C; root is given up for nobody\n/);
    expect(err).toMatch(/, SIGINT; complete: all/);
    expect(code).toBe(0);
    const { rounds, end } = await recordedRounds(output);
    expect(end).toMatchObject({ complete: true, ended: 'SIGINT' });
    expect(rounds[0]?.length).toBeGreaterThan(50);
    expect(emittedMeanwhile(truth, rounds)).toEqual(rounds);
    expect(leftovers(truth)).toEqual([]);
    expect(readdirSync(folder)).toEqual(['trace.arrows']);
    const { uid, gid, mode } = statSync(output);
    expect([uid, gid, mode & 0o777]).toEqual([NOBODY, NOBODY, 0o600]);
  });

  it('bpftrace that does not end by itself is ended all the same', async () => {
    const { child, truth } = await start(
      { onInterrupt: 'ignore' },
      {
        user: 'nobody',
        privileges: FOR_NOBODY,
        output: join(folderOfNobody(), 'trace.arrows'),
        duration: 200,
      },
    );
    expect(await outcomeOf(child)).toMatchObject({ code: 0 });
    await expect.poll(() => leftovers(truth), UNHURRIED).toEqual([]);
  });

  it('is interrupted while the probes are being attached', async () => {
    const folder = folderOfNobody();
    const { child, truth } = await start(
      { ready: false },
      { user: 'nobody', privileges: FOR_NOBODY, output: join(folder, 'trace.arrows') },
    );
    const gone = outcomeOf(child);
    await expect.poll(() => leftovers(truth).length, UNHURRIED).toBe(1);
    await pause(300);
    child.kill('SIGINT');
    expect(await gone).toMatchObject({ code: 130 });
    await expect.poll(() => leftovers(truth), UNHURRIED).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('pages of processes that come later are not told, and that is', async () => {
    const { child, output } = await start(
      { devices: 2, churn: 1 },
      {
        user: 'nobody',
        privileges: FOR_NOBODY,
        output: join(folderOfNobody(), 'trace.arrows'),
        duration: 700,
      },
    );
    const { code, err } = await outcomeOf(child);
    expect(code).toBe(0);
    const [limit = '', ...others] = (await limitsOf(output)) ?? [];
    expect(others).toEqual([]);
    expect(limit).toMatch(
      /^the pages of the rings of \d+ processes that came after root was given up were not looked at$/,
    );
    expect(err).toContain(`collector: ${limit}\n`);
  });

  it('what that user may not write is refused before anything is recorded', async () => {
    const folder = emptyFolder();
    const advice =
      'collector: with --user nobody all is written as that user: name a place where that user may write\n';
    const trace = join(folder, 'trace.arrows');
    const asNobody = { user: 'nobody', privileges: FOR_NOBODY };
    const file = await start({}, { ...asNobody, output: trace });
    expect(await outcomeOf(file.child)).toMatchObject({
      code: 2,
      err: `collector: cannot write ${trace}: permission denied\n${advice}`,
    });
    const socket = join(folder, 'live.sock');
    const mine = join(folderOfNobody(), 'trace.arrows');
    const served = await start({}, { ...asNobody, output: mine, socket });
    expect(await outcomeOf(served.child)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^collector: cannot listen on .*\n.*name a place/),
    });
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(mine)).toBe(false);
  });
});
