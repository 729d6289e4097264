/** Our C programs for the guest, built with this machine's gcc: the guest's root is this machine's. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostError } from './host-error.js';

const execute = promisify(execFile);

const FLAGS = ['-O2', '-g', '-Wall', '-Wextra', '-pthread'];

const KINDS = {
  program: [],
  /** For LD_PRELOAD. */
  library: ['-shared', '-fPIC'],
} as const;

/**
 * Builds all C files of a folder into one program or library, or finds it built.
 *
 * @returns its path, under the cache
 * @throws {ProgramError} with what the compiler said
 */
export async function compile(
  name: string,
  folder: string,
  cache: string,
  kind: keyof typeof KINDS = 'program',
): Promise<string> {
  const flags = [...FLAGS, ...KINDS[kind]];
  const files = readdirSync(folder)
    .filter((file) => /\.[ch]$/.test(file))
    .toSorted();
  const hash = createHash('sha256').update(flags.join(' '));
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  const program = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  const unfinished = `${program}.${process.pid}`;
  const sources = files.filter((file) => file.endsWith('.c')).map((file) => join(folder, file));
  try {
    await execute('gcc', [...flags, '-o', unfinished, ...sources]);
    renameSync(unfinished, program);
  } catch (error) {
    rmSync(unfinished, { force: true });
    const { stderr = '' } = error as { stderr?: string };
    throw hostError(`gcc cannot build ${name}: ${stderr.trim()}`, undefined, error);
  }
  return program;
}
