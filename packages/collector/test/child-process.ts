/** Runs the built program as users do. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Outcome } from './in-process.ts';

/** What `node_modules/.bin/collector` starts. Built before the tests are run. */
export const BIN = join(import.meta.dirname, '../bin/collector.js');

/** Runs a command line in a shell, in a folder; `$COLLECTOR` starts the program. */
export async function shell(command: string, cwd?: string): Promise<Outcome> {
  const env = { ...process.env, NODE: process.execPath, BIN };
  return outcomeOf(
    spawn('/bin/sh', ['-c', command.replaceAll('$COLLECTOR', '"$NODE" "$BIN"')], {
      env,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

/** What became of a child process. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const { stdout, stderr } = child;
  let out = '';
  let err = '';
  stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, out, err }));
  });
}
