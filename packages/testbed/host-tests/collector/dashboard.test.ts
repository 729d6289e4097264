/**
 * `collector attach --tui` in a terminal of the test host: what it shows while a load runs, and that the trace
 * which it leaves replays to the figures that stood on the screen.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  bootHost,
  DPDK_PACKAGES,
  shellQuoted,
  startDpdk,
  startLoad,
  type Host,
} from '../../src/index.js';
import { ATTACHED_MS } from './patience.js';

const COLLECTOR = fileURLToPath(new URL('../../../collector/bin/collector.js', import.meta.url));
const REPLAY = fileURLToPath(new URL('../../../replay/bin/replay.js', import.meta.url));
const TRACE = '/tmp/shown.arrows';

let host: Host;
const folder = mkdtempSync(join(tmpdir(), 'vhostscope-host-test-'));
beforeAll(async () => {
  host = await bootHost({ cpus: 2, packages: ['tmux', ...DPDK_PACKAGES] });
  await host.run('modprobe vhost_net');
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

/** A terminal of 120 columns and 40 rows. */
function tmux(...words: string[]): Promise<string> {
  const command = ['tmux', '-L', 'test', ...words].map(shellQuoted).join(' ');
  return host.run(`TERM=xterm-256color LANG=C.UTF-8 ${command}`).then(({ stdout }) => stdout);
}

const screen = (): Promise<string> => tmux('capture-pane', '-p');

/** The screen when it holds a text. */
async function untilShown(text: RegExp, patienceMs: number): Promise<string> {
  const begun = performance.now();
  let shown = '';
  while (performance.now() - begun < patienceMs) {
    shown = await screen();
    if (text.test(shown)) return shown;
    await setTimeout(100);
  }
  throw new Error(`the screen does not show ${text.source} within ${patienceMs} ms:\n${shown}`);
}

async function startShowing(): Promise<void> {
  // Emulated, the load and vhost want more than all of both CPUs: whoever records such a host gives the recorder way.
  const words = ['nice', '-n', '-10', 'node', COLLECTOR, 'attach', '--tui', '-o', TRACE]
    .map(shellQuoted)
    .join(' ');
  // What it says when the screen is its own again stays to be read.
  await tmux(
    'new-session',
    '-d',
    '-x',
    '120',
    '-y',
    '40',
    `${words}; echo "left with $?"; sleep 600`,
  );
  await untilShown(/1 overview/, ATTACHED_MS);
}

async function leave(): Promise<string> {
  await tmux('send-keys', 'q');
  const text = await untilShown(/left with \d+/, DRAWN_MS);
  await tmux('kill-server');
  return text;
}

/** What `replay` prints of the trace that was left. */
async function replay(...args: string[]): Promise<Record<string, unknown>> {
  const copy = join(folder, 'shown.arrows');
  writeFileSync(copy, await host.readFile(TRACE));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [REPLAY, ...args, copy, '--json'],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  expect({ args, status, stderr }).toMatchObject({ args, status: 0 });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The number of accesses that the head line tells. */
function accessesOn(shown: string): number {
  const [, accesses] = /all .* of ≈?([\d,]+) accesses/.exec(shown) ?? [];
  if (accesses === undefined) throw new Error(`no accesses on the screen:\n${shown}`);
  return Number(accesses.replaceAll(',', ''));
}

/** The screen when its numbers stand still: the load is over, and all has arrived and is drawn. */
async function settled(): Promise<string> {
  let shown = await screen();
  for (let quiet = 0; quiet < STILL_MS; quiet += LOOK_MS) {
    await setTimeout(LOOK_MS);
    const later = await screen();
    if (accessesOn(later) !== accessesOn(shown)) quiet = 0;
    shown = later;
  }
  return shown;
}

const LOOK_MS = 2000;
/** Emulated, on CPUs that the recorder and the load share with it, the screen may be so far behind. */
const STILL_MS = 20_000;
const DRAWN_MS = 120_000;

test('testpmd: its virtqueues and accesses are those of the trace', async () => {
  await startShowing();
  const testpmd = await startDpdk(host, { seconds: 6 });
  await testpmd.go();
  await testpmd.result;
  const shown = await settled();
  expect(shown).toMatch(/vq \d+ (?:dev \S+ )?tx/);
  expect(await leave()).toMatch(/left with 0/);
  const { totals } = await replay('run');
  expect(totals).toMatchObject({ accesses: accessesOn(shown) });
});

/** The row of a storm that has ended: when it began, how long it lasted, of which device, how many ranges. */
const OVER = /^▸?\s+1\s+[\d.]+ s\s+[\d.]+ m?s\s+\d+\s+([\d,]+)/m;

test('a storm is on the screen within a second, with its cause, and in the trace with the same figures', async () => {
  await host.run(`rm -f ${TRACE}`);
  await startShowing();
  await tmux('send-keys', '2');
  const load = await startLoad(host, 'net', {
    seconds: 8,
    'kvm-vm': true,
    disturb: 'mprotect',
    between: 0,
    beside: 300,
  });
  await load.go();
  const text = await untilShown(/mprotect/, DRAWN_MS);
  const shownAt = Number.parseFloat((await host.run('cat /proc/uptime')).stdout);
  process.stdout.write(`the storm as it is first on the screen:\n${text}\n`);
  await load.result;
  await tmux('send-keys', '1');
  await untilShown(/virtqueues? by/, DRAWN_MS);
  const shown = await settled();
  await tmux('send-keys', '2');
  const storms = await untilShown(OVER, DRAWN_MS);
  process.stdout.write(`all told:\n${storms}\n`);
  expect(await leave()).toMatch(/left with 0/);
  const run = await replay('run');
  expect(run['totals']).toMatchObject({ accesses: accessesOn(shown) });
  const found = (await replay('storms'))['storms'] as {
    ranges: number;
    begin: string;
    classes: Record<string, number> | null;
  }[];
  const [first] = found;
  // The bound is that of a host with CPUs to spare: emulated, with two CPUs for load, vhost, recorder and screen, it is
  // told and not held against it. Up to a second of it is what makes ranges a storm.
  const late = shownAt - Number(first?.begin) / 1e9;
  process.stdout.write(`it was on the screen ${late.toFixed(2)} s after its first range\n`);
  expect(Object.keys(first?.classes ?? {})[0]).toBe('mprotect');
  const [, ranges = ''] = OVER.exec(storms) ?? [];
  expect(Number(ranges.replaceAll(',', ''))).toBe(first?.ranges);
});
