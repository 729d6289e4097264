/** `collector attach --tui` of the built programs, over a bpftrace that is not one, in a real terminal. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KIND } from '@vhostscope/model';
import { completenessOf, findStorms } from '@vhostscope/replay';
import { openTrace, recordingCounts } from '@vhostscope/trace';
import { afterEach, expect, test } from 'vitest';
import { openTerminal, type TerminalScreen } from './terminal-screen.mjs';

const COLLECTOR = join(import.meta.dirname, '../../collector');

let folder = '';
let terminal: TerminalScreen | undefined;

afterEach(() => {
  terminal?.close();
  rmSync(folder, { recursive: true });
});

/** In a shell, so that what the terminal is like behind it can be seen. */
function attach(
  options: Readonly<Record<string, unknown>> = {},
  scenario: Readonly<Record<string, unknown>> = {},
): {
  screen: TerminalScreen;
  output: string;
} {
  folder = mkdtempSync(join(tmpdir(), 'attach tui '));
  mkdirSync(join(folder, 'tmp'));
  const output = join(folder, 'trace.arrows');
  const plan = {
    command: {
      path: join(COLLECTOR, 'test/fake-bpftrace.mjs'),
      args: [],
      env: { FAKE_BPFTRACE: JSON.stringify({ holdMs: 10, ...scenario }) },
      program: 'BEGIN { printf("# vhostscope 1\\n"); }',
      // All that this process has.
      privileges: {},
    },
    lookedAtPages: [0, 0, 0],
    classes: [
      { name: 'rounds', kinds: [KIND.round], field: 'emittedRounds' },
      {
        name: 'ranges',
        kinds: [KIND.core_range_start, KIND.core_range_end],
        field: 'emittedRanges',
      },
    ],
    header: {},
    remarks: [],
  };
  const screen = openTerminal(
    '/bin/sh',
    [
      '-c',
      `echo before; '${process.execPath}' '${join(COLLECTOR, 'test/attach-child.mjs')}'; echo "code $?"; stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo -e -icanon -e -echo | tr '\\n' ' '; echo; read x`,
    ],
    {
      // Words of the collector stand on one line.
      columns: 160,
      rows: 30,
      cwd: folder,
      env: {
        ATTACH_COMMAND: join(COLLECTOR, 'dist/attach-command.js'),
        RECORDED_HOST: JSON.stringify({
          plan,
          cpus: [0, 1],
          options: { detail: 'rounds', overwrite: true, tui: true, output, ...options },
        }),
        TMPDIR: join(folder, 'tmp'),
      },
    },
  );
  terminal = screen;
  return { screen, output };
}

/** Waits for the shell; what the collector has said, below what was there before. */
async function restored(screen: TerminalScreen): Promise<string> {
  const text = await screen.until((now) => /^code \d+\n-?icanon/m.test(now), 20_000);
  expect(screen.isAlternate()).toBe(false);
  expect(screen.lines()).toContain('icanon echo');
  expect(text).toMatch(/^before\n/);
  // Neither the socket nor anything else of it is left.
  expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  return text;
}

test('the overview appears; q leaves, the trace is whole, the terminal and the disk are as before', async () => {
  const { screen, output } = attach();
  await screen.until((text) => /2 virtqueues by misses[^]*vq 0[^]*vq 1/.test(text), 20_000);
  expect(screen.isAlternate()).toBe(true);
  expect(screen.lines()[0]).toMatch(/live\.sock {2}socket .*● live/);
  // It goes on, and keys do what they do.
  const first = eventsOn(screen.text());
  await screen.until((text) => eventsOn(text) > first);
  screen.press('5');
  await screen.until('how it is judged');
  screen.press('q');
  const text = await restored(screen);
  expect(text).toMatch(/^code 0$/m);
  expect(text).toMatch(/^collector: .*trace\.arrows: .* events, .*dashboard left; complete: all/m);
  const trace = await openTrace(output);
  expect(completenessOf(trace)).toMatchObject({ complete: true, problems: [] });
  const [recording] = trace.index.recordings;
  const counts = recording && recordingCounts(trace.fd, recording);
  expect(counts?.ended).toBe('dashboard left');
  expect(counts?.events['round']).toBeGreaterThan(50);
  trace.close();
});

test('a storm is on the screen as it begins', async () => {
  const { screen, output } = attach({}, { devices: 1, stormAfterMs: 3000 });
  await screen.until((text) => /vq 0/.test(text), 20_000);
  await screen.until('a storm is under way', 20_000);
  const shown = bootTime();
  screen.press('2');
  await screen.until('ranges came too often');
  screen.press('q');
  await restored(screen);
  const trace = await openTrace(output);
  const { storms } = findStorms(trace, 100);
  const [storm] = storms;
  trace.close();
  const late = shown - Number(storm?.noticed) / 1e9;
  process.stdout.write(`a storm was on the screen ${late.toFixed(2)} s after it was one\n`);
  // Within a second where the machine has nothing else to do.
  expect(late).toBeLessThan(5);
});

test('Ctrl-C ends it too; a recording that ends by itself stays on the screen until it is left', async () => {
  const interrupted = attach();
  await interrupted.screen.until((text) => /vq 0/.test(text), 20_000);
  interrupted.screen.press('\u0003');
  expect(await restored(interrupted.screen)).toMatch(/^code 0$/m);
  interrupted.screen.close();
  rmSync(folder, { recursive: true });

  const { screen, output } = attach({ duration: 1500 });
  await screen.until('socket, ended', 20_000);
  await screen.until('paused');
  screen.press('5');
  await screen.until('yes, as counted in the kernel');
  screen.press('q');
  const text = await restored(screen);
  expect(text).toMatch(/^code 0$/m);
  expect(text).toContain('duration; complete: all');
  const trace = await openTrace(output);
  expect(completenessOf(trace).complete).toBe(true);
  trace.close();
});

function eventsOn(text: string): number {
  return Number(/ ([\d,]+) events\b/.exec(text)?.[1]?.replaceAll(',', ''));
}

/** Seconds of CLOCK_BOOTTIME. */
function bootTime(): number {
  return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
}
