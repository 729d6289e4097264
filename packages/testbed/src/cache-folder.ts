import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where downloaded kernels and built programs are kept between runs. It may be deleted at any time
 * when no test host runs.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const folder = join(
    environment['VHOSTSCOPE_CACHE'] ??
      join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'vhostscope'),
    'testbed',
  );
  mkdirSync(folder, { recursive: true });
  return folder;
}
