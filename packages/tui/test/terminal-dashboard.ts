/** The built dashboard in a terminal, and the shell behind it: what is checked is what stands on the screen. */
import { execFileSync } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { openTerminal, type TerminalScreen } from './terminal-screen.mjs';
import { TRACES } from './traces.ts';

const BIN = join(import.meta.dirname, '../bin/tui.js');

export const quoted = (path: string): string => `'${path}'`;
export const STORM = quoted(TRACES.s3);

export type Options = Parameters<typeof openTerminal>[2];

/** It is closed behind the test. */
export function terminalWith(
  program: string,
  args: readonly string[],
  options: Options = {},
): TerminalScreen {
  const terminal = openTerminal(program, args, options);
  onTestFinished(() => terminal.close());
  return terminal;
}

/** The dashboard in a shell, so that what the terminal is like behind it can be seen. */
export function inShell(args: string, options: Options = {}): TerminalScreen {
  return terminalWith(
    '/bin/sh',
    [
      '-c',
      `echo before; ${command(args)}; echo "code $?"; stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo -e -icanon -e -echo | tr '\\n' ' '; echo; read x`,
    ],
    options,
  );
}

export function command(args: string): string {
  return `'${process.execPath}' '${BIN}' ${args}`;
}

/** There are numbers on the screen. */
export const FIRST = (text: string): boolean => /virtqueues by misses[^]*^. vq \d/m.test(text);

/**
 * Waits until the shell has its terminal back: first screen, keys echoed.
 *
 * @returns the program's exit code
 */
export async function restored(terminal: TerminalScreen): Promise<number> {
  await terminal.until((text) => /^code \d+\n-?icanon/m.test(text));
  expect(terminal.isAlternate()).toBe(false);
  expect(terminal.text()).toContain('before');
  expect(terminal.lines()).toContain('icanon echo');
  return Number(/^code (\d+)$/m.exec(terminal.text())?.[1]);
}

/** Seconds since the first event. */
export function clockOf(text: string): number {
  return Number(/(\d+\.\d{3}) s of/.exec(text)?.[1]);
}

/** The process of a shell. */
export function childOf(pid: number): number {
  return Number(execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).trim());
}

/** It is closed behind the test. */
export async function serve(path: string, welcome: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    welcome(socket);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return server;
}
