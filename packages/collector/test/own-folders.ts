/** Every test of a file has an empty folder of its own, and runs in it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach } from 'vitest';
import { temporaryFolder } from './traces.ts';

export function inOwnFolders(): void {
  const top = temporaryFolder();
  let made = 0;
  beforeEach(() => {
    const folder = join(top, String(made++));
    mkdirSync(folder);
    process.chdir(folder);
  });
}
