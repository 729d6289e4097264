/** A thread's program as it was built: a thread loads a file of its own, and none that is not JavaScript. */
import { existsSync } from 'node:fs';
import { ProgramError } from '@vhostscope/terminal';

/** @throws ProgramError where it is not built */
export function builtWorker(name: string): URL {
  // dist lies beside src, and this file in either.
  const url = new URL(`../dist/${name}.js`, import.meta.url);
  if (existsSync(url)) return url;
  throw new ProgramError(`the threads' program is not built: ${name}.js is missing`, {
    advice: 'run `npm start` in the repository',
  });
}
