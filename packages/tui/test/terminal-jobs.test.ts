/** A shell that lets one of its jobs at a time have the terminal. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FIRST, STORM, childOf, clockOf, command, terminalWith } from './terminal-dashboard.ts';
import type { TerminalScreen } from './terminal-screen.mjs';

/** A shell with jobs, which has asked for a command. */
async function atPrompt(): Promise<TerminalScreen> {
  const terminal = terminalWith('/bin/bash', ['--norc', '-i'], { env: { PS1: 'shell> ' } });
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
  terminal.press(`${command(STORM)}\r`);
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
    terminal.press(`${command(`${from}${STORM}`)}\r`);
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
  terminal.press(`${command(STORM)} &\r`);
  terminal.press('sleep 2; jobs\r');
  await terminal.until('Running');
  expect(terminal.isAlternate()).toBe(false);
  terminal.press('fg\r');
  await terminal.until(FIRST);
  await quitToPrompt(terminal);
});

test('stopped from outside it gets its terminal back as it needs it', async () => {
  const terminal = await atPrompt();
  terminal.press(`${command(STORM)}\r`);
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
  terminal.press(`${command(STORM)}\r`);
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
  terminal.press(`${command(STORM)}\r`);
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
