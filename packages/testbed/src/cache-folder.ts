import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hostError } from './host-error.js';

/**
 * Where downloaded kernels and built programs are kept between runs. It may be deleted at any time
 * when no test host runs.
 *
 * @throws {ProgramError} with exit code 3 when it cannot be made
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const folder = join(
    environment['VHOSTSCOPE_CACHE'] ??
      join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'vhostscope'),
    'testbed',
  );
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw hostError(
      `cannot keep kernels in ${folder}: ${(error as Error).message}`,
      'name a folder that can be written in VHOSTSCOPE_CACHE',
      error,
    );
  }
  return folder;
}
