/** The program of the processes that replay runs: a file of its own, as what is started is JavaScript. */
import { existsSync, readdirSync } from 'node:fs';
import { ProgramError } from '@vhostscope/terminal';

/** As it was built. @throws ProgramError where it is not built */
export function workerProgram(): URL {
  // dist lies beside src, and this file in either.
  const url = new URL('../dist/replay-worker.js', import.meta.url);
  if (existsSync(url)) return url;
  throw new ProgramError('the program of its processes is not built: replay-worker.js is missing', {
    advice: 'run `npm start` in the repository',
  });
}

/** All files of the program: what was built lies beside one another. */
export function programFiles(program: URL): URL[] {
  const folder = new URL('.', program);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.js'))
    .toSorted()
    .map((name) => new URL(name, folder));
}
