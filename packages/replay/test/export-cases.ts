/** What each format of `replay export` is held against: every recording, some judged in several ways, and `replay run`. */
import { join } from 'node:path';
import { runResultSchema, type RunResult } from '../src/run-result.ts';
import { replay } from './in-process.ts';
import { TRACES } from './traces.ts';

/** A real recording of a stock host. */
export const STOCK = join(import.meta.dirname, 'golden/stock/storm-q256.arrows.gz');

/** Of these also what is not the default: two CPUs, the other design, a kernel that preempts, JSON. */
const IN_OTHER_WAYS = ['s3', 'f1', 'p1', 'u5'];
const OTHER_WAYS = [
  ['--order', 'ranges'],
  ['--design', 'copy'],
];

/** A name, the trace, and options of `run` and `export` alike. */
export const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  ...TRACES.flatMap(({ name, path, design }) =>
    [
      ['--order', 'auto'],
      ...(IN_OTHER_WAYS.some((short) => name.startsWith(short)) ? OTHER_WAYS : []),
    ].map(
      (options) =>
        [`${name} ${options.join(' ')}`, path, ['--design', design, ...options]] as const,
    ),
  ),
  ['a stock host', STOCK, []],
];

/** What `replay run` says. */
export async function run(...args: string[]): Promise<RunResult> {
  return runResultSchema.parse(JSON.parse((await replay('run', '--json', ...args)).out));
}
