/** The built program in a real terminal: what is checked is what stands on the screen. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { completenessOf } from '@vhostscope/replay';
import { openTrace } from '@vhostscope/trace';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openTerminal, type TerminalScreen } from './terminal-screen.mjs';

const BIN = join(import.meta.dirname, '../bin/tui.js');
const STORM = join(import.meta.dirname, '../../../examples/s3-resetup-under-storm.txt.gz');

let folder = '';
const opened: TerminalScreen[] = [];
const servers: Server[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tui terminal '));
});
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
  for (const one of servers.splice(0)) one.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

type Options = Parameters<typeof openTerminal>[2];

/** The dashboard in a shell, so that what the terminal is like behind it can be seen. */
function inShell(args: string, options: Options = {}): TerminalScreen {
  const terminal = openTerminal(
    '/bin/sh',
    [
      '-c',
      `echo before; ${command(args)}; echo "code $?"; stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo -e -icanon -e -echo | tr '\\n' ' '; echo; read x`,
    ],
    options,
  );
  opened.push(terminal);
  return terminal;
}

function command(args: string): string {
  return `'${process.execPath}' '${BIN}' ${args}`;
}

/** There are numbers on the screen. */
const FIRST = (text: string): boolean => /virtqueues by misses[^]*^. vq \d/m.test(text);
const quoted = (path: string): string => `'${path}'`;

/**
 * Waits until the shell has its terminal back: first screen, keys echoed.
 *
 * @returns the program's exit code
 */
async function restored(terminal: TerminalScreen): Promise<number> {
  await terminal.until((text) => /^code \d+\n-?icanon/m.test(text));
  expect(terminal.isAlternate()).toBe(false);
  expect(terminal.text()).toContain('before');
  expect(terminal.lines()).toContain('icanon echo');
  return Number(/^code (\d+)$/m.exec(terminal.text())?.[1]);
}

test('a trace opens at its end, and plays; q gives the terminal back', async () => {
  const terminal = inShell(quoted(STORM), { columns: 120 });
  await terminal.until('paused  2.495 s of 2.495 s');
  expect(terminal.isAlternate()).toBe(true);
  expect(terminal.text()).not.toContain('before');
  expect(terminal.lines()[0]).toMatch(/^vhostscope {2}.*s3-resetup-under-storm.txt.gz {2}file/);
  terminal.press(' ');
  await terminal.until(' 1x ');
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('what is typed behind q is for the shell', async () => {
  // It takes its time to end.
  const slowly = 'process.once("beforeExit",()=>setTimeout(()=>undefined,1500))';
  const terminal = openTerminal(
    '/bin/sh',
    ['-c', `${command(quoted(STORM))}; read x; echo "got $x"; read y`],
    { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(slowly)}` } },
  );
  opened.push(terminal);
  await terminal.until(FIRST);
  terminal.press('q');
  await terminal.until(() => !terminal.isAlternate());
  await sleep(500);
  terminal.press('typed\r');
  expect(await terminal.until('got typed')).not.toContain('vhostscope  ');
});

test('keys go through the views, and the help is drawn over them', async () => {
  const terminal = inShell(`${quoted(STORM)} --speed max`);
  await terminal.until(FIRST);
  for (const [key, words] of [
    ['2', 'storm'],
    ['4', 'invalidation'],
    ['5', 'how it is judged'],
    ['?', 'any other key closes the help'],
  ] as const) {
    terminal.press(key);
    await terminal.until(words);
  }
  terminal.press('x');
  await terminal.until('how it is judged');
  terminal.press('1');
  await terminal.until(FIRST);
  terminal.press('\r');
  await terminal.until('maps  since the first event, 2.50 s ago');
  await terminal.until('more lines: Down');
  terminal.press('G');
  await terminal.until('last events');
  terminal.press('\u001b');
  await terminal.until(FIRST);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('a moment is typed, gone to, and stepped from', async () => {
  const terminal = inShell(quoted(STORM));
  await terminal.until('paused  2.495 s of 2.495 s');
  terminal.press('tnonsense\r');
  await terminal.until('takes a moment of the trace');
  terminal.press('\u001b');
  await terminal.until((text) => !text.includes('go to:'));
  terminal.press('t1.5s\r');
  const before = await terminal.until('paused  1.500 s of 2.495 s');
  terminal.press('r');
  const after = await terminal.until((text) => clockOf(text) > clockOf(before));
  terminal.press('R');
  await terminal.until((text) => clockOf(text) < clockOf(after));
  terminal.press('S');
  await terminal.until('paused  0.583 s of 2.495 s');
  terminal.press('-');
  terminal.press(' ');
  await terminal.until('0.5x');
  terminal.press('\u0003');
  expect(await restored(terminal)).toBe(130);
});

/** Seconds since the first event. */
function clockOf(text: string): number {
  return Number(/(\d+\.\d{3}) s of/.exec(text)?.[1]);
}

test('a second design stands beside the first', async () => {
  const terminal = inShell(`${quoted(STORM)} --speed max`, { columns: 160 });
  await terminal.until(FIRST);
  terminal.press('b');
  await terminal.until('which design is to stand beside it?');
  terminal.press('\u001b[F\r');
  await terminal.until((text) => /^copy/m.test(text));
  terminal.press(']');
  await terminal.until((text) => !/^merged/m.test(text));
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('what is seen is written to a file, and why not is said', async () => {
  const path = join(folder, 'saved.arrows');
  const terminal = inShell(quoted(STORM));
  await terminal.until(FIRST);
  terminal.press(`w${path}`);
  await terminal.until('write to: ');
  terminal.press('\r');
  await terminal.until((text) => /^saved .*the whole trace/m.test(text));
  const saved = await openTrace(path);
  expect(completenessOf(saved).problems).toEqual([]);
  expect(saved.index.closed).toBe(true);
  saved.close();
  terminal.press(`w${join(folder, 'no folder', 'x')}\r`);
  await terminal.until('cannot write');
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('q waits for what is being written, and says what it came to', async () => {
  const path = join(folder, 'left.arrows');
  const terminal = inShell(quoted(STORM), { columns: 160 });
  await terminal.until(FIRST);
  terminal.press(`w${path}\rq`);
  expect(await restored(terminal)).toBe(0);
  expect(terminal.text()).toMatch(/^tui: saved .*left\.arrows: the whole trace/m);
  const saved = await openTrace(path);
  expect(saved.index.closed).toBe(true);
  saved.close();
});

test('what cannot be written is said before it is left, and Ctrl-C does not wait', async () => {
  const terminal = inShell(quoted(STORM), { columns: 160 });
  await terminal.until(FIRST);
  terminal.press(`w${join(folder, 'no folder', 'x')}\rq`);
  await terminal.until('cannot write');
  expect(terminal.isAlternate()).toBe(true);
  const path = join(folder, 'given up.arrows');
  terminal.press(`w${path}\r\u0003`);
  expect(await restored(terminal)).toBe(130);
  expect(terminal.text()).toMatch(/^tui: .*given up\.arrows was not written/m);
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
});

test('a terminal that takes nothing holds up what is drawn, and not what is read', async () => {
  const path = join(folder, 'slow.sock');
  const trace = readFileSync(traceFile());
  let connected: Socket | undefined;
  await serve(path, (socket) => {
    connected = socket;
    socket.write(trace.subarray(0, 100_000));
  });
  const terminal = inShell(`--socket ${quoted(path)}`, { columns: 250, rows: 60 });
  await terminal.until((text) => FIRST(text) && /vq \d/.test(text));
  terminal.block();
  // More than a terminal holds.
  for (let times = 0; times < 15; times++) {
    for (const key of ['?', 'x']) {
      terminal.press(key);
      await sleep(120);
    }
  }
  const taken = new Promise((resolve) => connected?.write(trace.subarray(100_000), resolve));
  expect(await Promise.race([taken, sleep(10_000, 'not read')])).not.toBe('not read');
  terminal.unblock();
  await terminal.until('socket, ended');
  const lines = terminal.lines();
  expect(lines).toHaveLength(60);
  expect(lines.filter((line) => line.startsWith('vhostscope  '))).toHaveLength(1);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('a terminal that takes nothing does not keep a signal from ending it', async () => {
  const terminal = inShell(quoted(STORM), { columns: 250, rows: 60 });
  await terminal.until(FIRST);
  const pid = childOf(terminal.pid);
  terminal.block();
  for (let times = 0; times < 15; times++) {
    for (const key of ['?', 'x']) {
      terminal.press(key);
      await sleep(120);
    }
  }
  execFileSync('kill', ['-TERM', String(pid)]);
  await expect.poll(() => isAlive(pid), { timeout: 10_000, interval: 200 }).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a terminal that changes its size is drawn anew, small and large', async () => {
  const terminal = inShell(quoted(STORM), { columns: 100, rows: 30 });
  await terminal.until(FIRST);
  for (const [columns, rows] of [
    [250, 60],
    [80, 24],
    [120, 40],
  ] as const) {
    terminal.resize(columns, rows);
    await terminal.until((text) => (text.split('\n').at(-2) ?? '').includes('search'));
    const lines = terminal.lines();
    expect(lines).toHaveLength(rows);
    // Every part of the screen is there once, and reaches to the edge.
    expect(lines.filter((line) => line.startsWith('vhostscope  '))).toHaveLength(1);
    expect(lines[0]).toHaveLength(columns);
    expect(lines.filter((line) => line.includes(' 1 overview '))).toHaveLength(1);
    expect(lines.at(-1)).toBe('');
  }
  terminal.resize(60, 20);
  await terminal.until('needs 80x24');
  expect(terminal.text().trim()).toBe('needs 80x24\nthis is 60x20\nq leaves');
  terminal.resize(80, 24);
  await terminal.until(FIRST);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'])('%s gives the terminal back', async (signal) => {
  const terminal = inShell(quoted(STORM));
  await terminal.until(FIRST);
  execFileSync('kill', [`-${signal.slice(3)}`, String(childOf(terminal.pid))]);
  expect(await restored(terminal)).toBe(130);
});

function childOf(pid: number): number {
  return Number(execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).trim());
}

test('a crash gives the terminal back, and is told', async () => {
  // Some time after the screen is there.
  const crash =
    'const wait=setInterval(()=>{if(process.listenerCount("SIGTSTP")===0)return;clearInterval(wait);' +
    'setTimeout(()=>{throw new Error("no\\u001b[2Jgood")},2000)},50)';
  const terminal = inShell(quoted(STORM), {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}` },
  });
  await terminal.until(FIRST);
  expect(await restored(terminal)).toBe(2);
  const text = terminal.text();
  expect(text).toContain('tui: unexpected error: no\\x1b[2Jgood');
  expect(text).not.toContain('    at ');
});

/** A shell with jobs, which has asked for a command. */
async function atPrompt(): Promise<TerminalScreen> {
  const terminal = openTerminal('/bin/bash', ['--norc', '-i'], { env: { PS1: 'shell> ' } });
  opened.push(terminal);
  await terminal.until('shell>');
  return terminal;
}

async function quitToPrompt(terminal: TerminalScreen): Promise<void> {
  terminal.press('q');
  await terminal.until((text) => text.trimEnd().endsWith('shell>'));
}

/** What is typed in front, at the prompt and while nobody reads there, is not read by a job behind the shell. */
async function typeAhead(terminal: TerminalScreen): Promise<void> {
  terminal.press('sleep 1\r');
  await sleep(300);
  terminal.press('echo still "here"; jobs\r');
  await terminal.until((text) => /^still here$[^]*Running/m.test(text));
}

test('Ctrl-Z goes to the shell, and fg comes back', async () => {
  const terminal = await atPrompt();
  terminal.press(`${command(quoted(STORM))}\r`);
  await terminal.until(FIRST);
  terminal.press('\u001a');
  await terminal.until('Stopped');
  expect(terminal.isAlternate()).toBe(false);
  terminal.press('fg\r');
  await terminal.until(FIRST);
  expect(terminal.isAlternate()).toBe(true);
  await quitToPrompt(terminal);
  expect(terminal.isAlternate()).toBe(false);
});

test.each([
  ['whose keys are its standard input', ''],
  ['whose standard input is the trace', '- < '],
])(
  'bg: one %s goes on behind the shell and draws nothing there; fg brings it back',
  async (_, from) => {
    const terminal = await atPrompt();
    terminal.press(`${command(`${from}${quoted(STORM)}`)}\r`);
    await terminal.until((text) => FIRST(text) && text.includes('ended'));
    terminal.press('t0.1s\r');
    await terminal.until('paused  0.100 s');
    terminal.press('--- ');
    const before = await terminal.until(' 0.1x ');
    terminal.press('\u001a');
    await terminal.until('Stopped');
    terminal.press('clear; bg\r');
    await terminal.until((text) => / &$/m.test(text));
    await typeAhead(terminal);
    expect(terminal.isAlternate()).toBe(false);
    expect(terminal.text()).not.toMatch(/^vhostscope {2}/m);
    terminal.resize(100, 30);
    terminal.press('fg\r');
    const after = await terminal.until(FIRST);
    expect(terminal.isAlternate()).toBe(true);
    await terminal.until((text) => text.split('\n')[0]?.length === 100);
    // It played on meanwhile.
    expect(clockOf(after)).toBeGreaterThan(clockOf(before) + 0.05);
    terminal.press('2');
    await terminal.until('each second');
    await quitToPrompt(terminal);
    expect(terminal.isAlternate()).toBe(false);
  },
);

test('begun behind the shell it waits for the terminal', async () => {
  const terminal = await atPrompt();
  terminal.press(`${command(quoted(STORM))} &\r`);
  terminal.press('sleep 2; jobs\r');
  await terminal.until('Running');
  expect(terminal.isAlternate()).toBe(false);
  terminal.press('fg\r');
  await terminal.until(FIRST);
  await quitToPrompt(terminal);
});

test('stopped from outside it gets its terminal back as it needs it', async () => {
  const terminal = await atPrompt();
  terminal.press(`${command(quoted(STORM))}\r`);
  await terminal.until(FIRST);
  execFileSync('kill', ['-STOP', String(childOf(terminal.pid))]);
  await terminal.until('Stopped');
  terminal.press('fg\r');
  await terminal.until((text) => FIRST(text) && !text.includes('Stopped'));
  terminal.press('2');
  await terminal.until('each second');
  await quitToPrompt(terminal);
  expect(terminal.isAlternate()).toBe(false);
});

test('stopped from outside and sent behind the shell, it leaves keys and modes alone to its end', async () => {
  const terminal = await atPrompt();
  terminal.press(`${command(quoted(STORM))}\r`);
  await terminal.until(FIRST);
  execFileSync('kill', ['-STOP', String(childOf(terminal.pid))]);
  await terminal.until('Stopped');
  terminal.press('clear; bg\r');
  await terminal.until((text) => / &$/m.test(text));
  await typeAhead(terminal);
  terminal.press('kill %1\r');
  await terminal.until('kill %1');
  // It is told at a prompt that it has ended.
  terminal.press('sleep 2\r');
  expect(await terminal.until('Exit 130')).toContain('still here');
});

test('killed while the shell has the terminal, it leaves that alone', async () => {
  const terminal = await atPrompt();
  terminal.press(`${command(quoted(STORM))}\r`);
  await terminal.until(FIRST);
  terminal.press('\u001a');
  await terminal.until('Stopped');
  // The shell tells a job that is stopped to end, and to go on.
  terminal.press('kill %1\r');
  await terminal.until('kill %1');
  // It is told at a prompt that it has ended.
  terminal.press('sleep 2\r');
  await terminal.until('Exit 130');
  expect(terminal.isAlternate()).toBe(false);
});

test('keys come from the terminal where standard input is the trace', async () => {
  const terminal = inShell(`- < ${quoted(STORM)}`);
  await terminal.until(FIRST);
  terminal.press('2');
  await terminal.until('each second');
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

/** The storm's trace as a trace file. */
function traceFile(): string {
  const path = join(folder, 'storm.arrows');
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    const collector = join(import.meta.dirname, '../../collector/bin/collector.js');
    execFileSync(process.execPath, [collector, 'import', STORM, '-o', path], { stdio: 'ignore' });
  }
  return path;
}

async function serve(path: string, welcome: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    welcome(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return server;
}

test('a socket that nobody listens on is waited for; one that goes away is told of, and tried again', async () => {
  const path = join(folder, 'live.sock');
  const trace = readFileSync(traceFile());
  const terminal = inShell(`--socket ${quoted(path)}`);
  await terminal.until('nobody listens there yet');
  let connected: Socket | undefined;
  const server = await serve(path, (socket) => {
    connected = socket;
    socket.write(trace.subarray(0, Math.floor(trace.length / 2)));
  });
  await terminal.until((text) => FIRST(text) && /vq \d/.test(text));
  server.close();
  connected?.destroy();
  await terminal.until('the recording broke off');
  expect(terminal.text()).toMatch(/vq \d/);
  await serve(path, (socket) => socket.write(trace));
  await terminal.until((text) => !text.includes('the recording broke off'));
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('damaged and empty inputs are told on the screen, or before it', async () => {
  const damaged = join(folder, 'damaged.txt');
  const text = gunzipSync(readFileSync(STORM)).toString('latin1').split('\n');
  text.splice(5000, 0, 'this is no event', '\u001b[2J neither is this');
  writeFileSync(damaged, text.join('\n'), 'latin1');
  const terminal = inShell(quoted(damaged));
  await terminal.until((screen) => FIRST(screen) && screen.includes('! '));
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);

  const none = inShell(quoted(join(folder, 'not there')));
  expect(await restored(none)).toBe(2);
  expect(none.text()).toMatch(/tui: .*not there/);
});

test('NO_COLOR: no colour but bold, faint and reverse; without UTF-8 nothing but ASCII', async () => {
  const terminal = inShell(`${quoted(STORM)} --speed max`, {
    env: { NO_COLOR: '1', LANG: 'C' },
  });
  await terminal.until(FIRST);
  terminal.press('2');
  await terminal.until('each second');
  const { active } = terminal.terminal.buffer;
  for (let row = 0; row < 24; row++)
    for (let column = 0; column < 80; column++) {
      const cell = active.getLine(row)?.getCell(column);
      expect(cell?.isFgDefault()).toBe(true);
      expect(cell?.isBgDefault()).toBe(true);
    }
  expect(terminal.text()).toMatch(/^[\n\u0020-\u007e]*$/);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('names of the host do nothing to the terminal', async () => {
  const hostile = join(folder, 'hostile.txt');
  const text = gunzipSync(readFileSync(STORM)).toString('latin1');
  writeFileSync(hostile, text.replaceAll('vhost-310', '\\x1b[2J\\x07x'), 'latin1');
  const terminal = inShell(`${quoted(hostile)} --speed max`);
  await terminal.until(FIRST);
  terminal.press('4');
  await terminal.until('invalidation');
  expect(terminal.lines()[0]).toMatch(/^vhostscope/);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});
