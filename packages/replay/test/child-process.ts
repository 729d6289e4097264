/** Runs the built program as users do. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Outcome } from './in-process.ts';

/** What `node_modules/.bin/replay` starts. Built before the tests are run. */
export const BIN = join(import.meta.dirname, '../bin/replay.js');

/** Runs the program with an input on its standard input. */
export async function replayProcess(
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<Outcome> {
  return outcomeOf(spawn(process.execPath, [BIN, ...args]), input);
}

/** Runs a command line in a shell; `$REPLAY` starts the program. */
export async function shell(command: string): Promise<Outcome> {
  const env = { ...process.env, NODE: process.execPath, BIN };
  return outcomeOf(
    spawn('/bin/sh', ['-c', command.replaceAll('$REPLAY', '"$NODE" "$BIN"')], { env }),
    '',
  );
}

async function outcomeOf(child: ChildProcess, input: string | Uint8Array): Promise<Outcome> {
  const { stdin, stdout, stderr } = child;
  let out = '';
  let err = '';
  stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  // A program that refuses its arguments does not read.
  stdin?.on('error', () => undefined).end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, out, err }));
  });
}
