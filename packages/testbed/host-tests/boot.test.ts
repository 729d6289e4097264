import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootHost, type Host } from '../src/index.js';

const BIN = join(import.meta.dirname, '../bin/testbed.js');

/** Processes of QEMU whose work folder is that of a process. */
function machinesOf(owner: number | undefined): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandLine(pid).includes(`vhostscope-testbed-${owner}-`));
}

function commandLine(pid: string): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return words.startsWith('qemu-system') ? words : '';
  } catch {
    return '';
  }
}

function workFoldersOf(owner: number | undefined): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`vhostscope-testbed-${owner}-`));
}

describe('a host with one CPU', () => {
  let host: Host;
  beforeAll(async () => {
    host = await bootHost();
  });
  afterAll(async () => {
    await host.close();
  });

  test('runs the stock kernel, as root, in the folder of the test', async () => {
    const { status, stdout } = await host.run('uname -r; id -u; pwd; nproc');
    expect(status).toBe(0);
    expect(stdout).toBe(`${host.kernelRelease}\n0\n${process.cwd()}\n1\n`);
    expect(host.kernelRelease).toMatch(/^6\.1\./);
  });

  test('passes output, exit codes and signals out', async () => {
    expect(await host.run('echo out; echo err >&2; exit 7')).toEqual({
      status: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect((await host.run('kill -9 $$')).status).toBe(137);
    expect((await host.run('/nonexistent')).status).toBe(127);
    const running = host.start(
      'trap "echo bye; exit 3" INT; echo hi; while :; do sleep 0.1; done',
      {
        onStdout: (bytes) => {
          if (bytes.includes('hi')) running.signal('SIGINT', 'shell');
        },
      },
    );
    expect(await running.ended).toMatchObject({ status: 3, stdout: 'hi\nbye\n' });
  });

  test('runs commands beside each other', async () => {
    const slow = host.start('until [ -e /tmp/go ]; do sleep 0.05; done; echo slow');
    const quick = await host.run('touch /tmp/go; echo quick');
    expect(quick.stdout).toBe('quick\n');
    expect((await slow.ended).stdout).toBe('slow\n');
    const many = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => host.run(`sleep 0.2; echo ${n}`)),
    );
    expect(many.map(({ stdout }) => stdout)).toEqual(many.map((_, n) => `${n}\n`));
  });

  test('passes much output whole, on both streams', async () => {
    const { stdout, stderr } = await host.run('seq 200000; seq 100000 >&2');
    expect(stdout.split('\n')).toHaveLength(200_001);
    expect(stdout.endsWith('\n200000\n')).toBe(true);
    expect(stderr.split('\n')).toHaveLength(100_001);
  });

  test('ends what takes too long, and goes on', async () => {
    await expect(host.run('sleep 60 & sleep 61', { timeout: 500 })).rejects.toThrow('within 0.5 s');
    expect((await host.run('sleep 0.2; pgrep -x sleep | wc -l')).stdout).toBe('0\n');
  });

  test('exchanges files, and writes nothing else of this machine', async () => {
    writeFileSync(join(host.exchange.here, 'question'), 'from here');
    const { stdout } = await host.run(
      `cat ${host.exchange.guest}/question; echo answer > ${host.exchange.guest}/answer; ` +
        'echo guest > /tmp/of-the-guest; head -c 100000 /dev/zero > /usr/bin/of-the-guest',
    );
    expect(stdout).toBe('from here');
    expect(readFileSync(join(host.exchange.here, 'answer'), 'utf8')).toBe('answer\n');
    expect((await host.readFile('/usr/bin/of-the-guest')).length).toBe(100_000);
    expect(existsSync('/usr/bin/of-the-guest')).toBe(false);
    await expect(host.readFile('/nowhere')).rejects.toThrow('cannot read /nowhere');
  });

  test('can be traced', async () => {
    const { stdout } = await host.run(
      "bpftrace -e 'kprobe:vfs_read { @ = count(); }' -c '/bin/cat /proc/version'",
      { timeout: 60_000 },
    );
    expect(stdout).toMatch(/@: \d+/);
  });
});

test('the other kernel, with two nodes and full preemption', async () => {
  const host = await bootHost({ kernel: '6.12', cpus: 2, preempt: 'full' });
  try {
    const { stdout } = await host.run(
      'uname -r; nproc; ls -d /sys/devices/system/node/node? | wc -l; cat /sys/kernel/debug/sched/preempt',
    );
    expect(stdout).toMatch(/^6\.12\..*\n2\n2\n.*\(full\)/);
  } finally {
    await host.close();
  }
});

test('a closed host leaves nothing, and does not answer any more', async () => {
  const host = await bootHost();
  const waiting = host.run('sleep 60').catch((error: unknown) => String(error));
  expect(machinesOf(process.pid)).toHaveLength(1);
  await host.close();
  expect(await waiting).toContain('the test host ended');
  expect(machinesOf(process.pid)).toEqual([]);
  expect(workFoldersOf(process.pid)).toEqual([]);
  await expect(host.run('true')).rejects.toThrow('the test host ended');
  await host.close();
});

test('a kernel that dies is told of, with its last words', async () => {
  const host = await bootHost();
  try {
    await expect(host.run('echo c > /proc/sysrq-trigger', { timeout: 60_000 })).rejects.toThrow(
      /the test host ended .*: .*Kernel panic - not syncing: sysrq triggered crash/,
    );
  } finally {
    await host.close();
  }
});

describe('the command shell', () => {
  test('passes output and exit code out, and leaves nothing', () => {
    const { status, stdout, stderr, pid } = spawnSync(
      process.execPath,
      [BIN, 'shell', '--', 'echo "$0"; cat; echo err >&2; exit 5'],
      { encoding: 'utf8', input: 'no input goes in' },
    );
    expect([status, stdout, stderr]).toEqual([5, 'sh\n', 'err\n']);
    expect([...machinesOf(pid), ...workFoldersOf(pid)]).toEqual([]);
  });

  test('several words are a program and its arguments', () => {
    const { stdout } = spawnSync(process.execPath, [BIN, 'shell', 'printf', '%s|', 'a b', '$x'], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('a b|$x|');
  });

  test('Ctrl-C goes to the command; its exit code comes out', async () => {
    const child = spawn(process.execPath, [BIN, 'shell', '--', 'echo up; sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect([...machinesOf(child.pid), ...workFoldersOf(child.pid)]).toEqual([]);
  });

  test('Ctrl-C while it boots ends everything', async () => {
    const child = spawn(process.execPath, [BIN, 'shell', '--', 'true'], { stdio: 'ignore' });
    while (machinesOf(child.pid).length === 0) await sleep(50);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect([...machinesOf(child.pid), ...workFoldersOf(child.pid)]).toEqual([]);
  });

  test('QEMU dies with a program that is killed, and the next one cleans up', async () => {
    const child = spawn(process.execPath, [BIN, 'shell', '--', 'echo up; sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await sleep(500);
    expect(machinesOf(child.pid)).toEqual([]);
    spawnSync(process.execPath, [BIN, 'shell', 'true']);
    expect(workFoldersOf(child.pid)).toEqual([]);
  });
});

async function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
