/** The dashboard of a recording under way, as a process of its own in this terminal. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, ProgramError } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';
import { childEnvironment } from '../child-environment.js';

/** Beside this package: in the repository, and where both are installed. */
const TUI = fileURLToPath(new URL('../../tui/bin/tui.js', import.meta.url));

export interface DashboardProcess {
  /** The user has left it, or it could not be started: why, where something went wrong. */
  readonly ended: Promise<string | undefined>;
  /** It leaves the terminal as it found it; resolves when it has. */
  close(): Promise<void>;
}

/** @throws ProgramError when there is no dashboard, or nothing to show it on */
export function checkDashboard(program = TUI): void {
  if (!process.stdout.isTTY || !process.stdin.isTTY)
    throw new ProgramError('--tui needs a terminal, for its screen and its keys', {
      advice: 'record with --socket PATH, and look on with: tui --socket PATH',
    });
  if (existsSync(program)) return;
  throw new ProgramError('the dashboard is not installed beside the collector', {
    exitCode: EXIT.unusable,
    advice: 'record with --socket PATH, and look on with: tui --socket PATH',
  });
}

/** Shows what a socket tells until the user leaves. */
export function startDashboard(socket: string, program = TUI): DashboardProcess {
  const child = spawn(process.execPath, [program, '--socket', socket], {
    stdio: 'inherit',
    env: childEnvironment(),
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(`cannot start the dashboard: ${reasonOf(error)}`));
    child.once('close', (code, signal) =>
      resolve(
        signal !== null
          ? `the dashboard was killed by ${signal}`
          : code === EXIT.done || code === EXIT.interrupted
            ? undefined
            : `the dashboard ended with exit code ${code ?? 'unknown'}`,
      ),
    );
  });
  return {
    ended,
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/**
 * A place for a socket that only this recording knows of.
 *
 * @throws ProgramError when there is none
 */
export function privateSocket(): { readonly path: string; remove(): void } {
  const folder = emptyFolder();
  return {
    path: join(folder, 'live.sock'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function emptyFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'vhostscope-'));
  } catch (error) {
    throw new ProgramError(
      `cannot make a folder for the dashboard's socket in ${tmpdir()}: ${reasonOf(error)}`,
      { advice: 'TMPDIR names another place, or --socket PATH a socket of your own' },
    );
  }
}
