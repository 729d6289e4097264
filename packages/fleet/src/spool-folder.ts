/** The folder of a spool: a folder for each run that is not all on the server. */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ProgramError } from '@vhostscope/terminal';
import { OutputError, reasonOf } from '@vhostscope/trace';
import { z } from 'zod';
import type { RunName } from './fleet-url.js';
import { takeRun, type RunOwnership } from './run-owner.js';
import type { Environment } from './server-credentials.js';
import { stateOfText, stateText, type SpoolState } from './spool-place.js';
import { tokenOf } from './subjects.js';

/** What a spool may hold where nothing else is said: 1 GiB. */
export const DEFAULT_SPOOL_MAX = 2 ** 30;

export function defaultSpool(env: Environment = process.env): string {
  if (process.geteuid?.() === 0) return '/var/lib/vhostscope/spool';
  const state = env['XDG_STATE_HOME'];
  // By the specification a relative one is not to be used.
  const base = state?.startsWith('/') === true ? state : join(homedir(), '.local', 'state');
  return join(base, 'vhostscope', 'spool');
}

/**
 * Makes the folder, where it is not there, for nobody else.
 *
 * @returns its full path
 * @throws ProgramError, OutputError
 */
export function openSpoolFolder(path: string): string {
  const folder = resolve(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { mode, uid } = statSync(folder);
    const isOurs = uid === process.geteuid?.();
    if (!isOurs || (mode & 0o022) !== 0)
      throw new ProgramError(
        `the spool ${folder} ${isOurs ? 'can be written by others' : 'belongs to another user'}`,
        { advice: 'name a folder of your own with --spool; one that is not there is made' },
      );
  } catch (error) {
    if (error instanceof ProgramError) throw error;
    throw new OutputError(`cannot write the spool ${folder}: ${reasonOf(error)}`);
  }
  return folder;
}

const runSchema = z.object({
  format: z.literal(1),
  host: z.string().min(1),
  run: z.string().min(1),
  /** Where it goes; without what one is let in by. */
  server: z.string(),
});

/** What a run in a spool says of itself. */
export interface SpooledRunNote extends RunName {
  readonly server: string;
}

const NOTE = 'run.json';
const ACKNOWLEDGED = 'acknowledged';

/**
 * Makes the folder of a run, as this process's. Without a note it is no run yet.
 *
 * @throws OutputError
 */
export function makeRunFolder(
  spool: string,
  { host, run }: RunName,
): { readonly folder: string; readonly ownership: RunOwnership } {
  const digest = createHash('sha256')
    .update(`${tokenOf(host)}/${tokenOf(run)}`)
    .digest('hex');
  const folder = join(spool, `${tokenOf(run)}-${digest.slice(0, 8)}`);
  return refusing(folder, () => {
    // Under another name until it has an owner: one without may be taken.
    const draft = mkdtempSync(join(spool, '.new-'));
    const ownership = takeRun(draft);
    if (ownership === undefined) throw new Error('its folder was taken by another process');
    renameSync(draft, folder);
    return { folder, ownership: ownership.at(folder) };
  });
}

/** From now on it is a run, and is sent whatever becomes of its recorder. @throws OutputError */
export function writeRunNote(folder: string, { host, run, server }: SpooledRunNote): void {
  replace(folder, NOTE, `${JSON.stringify({ format: 1, host, run, server })}\n`);
}

/** Undefined when it is no run. */
export function readRunNote(folder: string): SpooledRunNote | undefined {
  try {
    return runSchema.parse(JSON.parse(readFileSync(join(folder, NOTE), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Writes down how far the server has it. @returns false where there is no room even for that */
export function writeAcknowledged(folder: string, state: SpoolState): boolean {
  const text = stateText(state).padEnd(NOTED_BYTES);
  try {
    replace(folder, ACKNOWLEDGED, text);
    return true;
  } catch {
    rmSync(join(folder, partOf(ACKNOWLEDGED)), { force: true });
  }
  // On a full disk what is there can still be written over, and is as long.
  try {
    writeFileSync(join(folder, ACKNOWLEDGED), text, { mode: 0o600, flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

const NOTED_BYTES = 256;

export function readAcknowledged(folder: string): SpoolState | undefined {
  try {
    return stateOfText(readFileSync(join(folder, ACKNOWLEDGED), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Folders in a spool that are, or were to become, runs, in the order of their names, which is that of their beginnings. */
export function runFolders(spool: string): string[] {
  try {
    return readdirSync(spool, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && /-[0-9a-f]{8}$/.test(entry.name))
      .map((entry) => join(spool, entry.name))
      .toSorted();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new OutputError(`cannot read the spool ${spool}: ${reasonOf(error)}`);
  }
}

export function removeRun(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** There is the old one or the new one at any moment. */
function replace(folder: string, name: string, text: string): void {
  const part = join(folder, partOf(name));
  refusing(folder, () => {
    writeFileSync(part, text, { mode: 0o600 });
    renameSync(part, join(folder, name));
  });
}

function refusing<Result>(folder: string, write: () => Result): Result {
  try {
    return write();
  } catch (error) {
    throw new OutputError(`cannot write the spool ${folder}: ${reasonOf(error)}`);
  }
}

function partOf(name: string): string {
  return `.${name}.part`;
}
