/** Traces of which it is not told whether they hold effects: the collector was killed, and wrote no end. */
import { closeSync, openSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { indexTrace } from '@vhostscope/trace';
import { expect, it } from 'vitest';
import { compareResultSchema } from '../src/compare-result.ts';
import { runResultSchema } from '../src/run-result.ts';
import { verifyResultSchema } from '../src/verify-result.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, writeTrace } from './traces.ts';

const folder = temporaryFolder();

const timeOf = (line: string): number => Number(line.split(' ')[1]);

/** In the order of time, which is not that in which the CPUs wrote them. */
function linesOf(name: string): string[] {
  const [header = '', ...lines] = textOf(name).trimEnd().split('\n');
  return [header, ...lines.toSorted((a, b) => timeOf(a) - timeOf(b))];
}

/** While the first range that took effect is under way: from its first effect to the next range. */
function underWay(lines: readonly string[]): { readonly first: number; readonly last: number } {
  const first = lines.findIndex((line) => line.startsWith('IS '));
  const last = lines.findIndex((line, at) => at > first && line.startsWith('R '));
  return { first, last };
}

/** A trace file of a recording without effects and without its end. */
function unended(name: string, lines: readonly string[]): string {
  const path = join(folder, `${name}.arrows`);
  const kept = lines.filter((line) => !/^I[SE] /.test(line));
  writeTrace(path, [`${kept.join('\n')}\n`]);
  const fd = openSync(path, 'r');
  try {
    const [{ end } = {}] = indexTrace(fd, statSync(path).size).recordings;
    if (end === undefined) throw new Error(`${path} has no end that could be cut off`);
    truncateSync(path, end.offset);
  } finally {
    closeSync(fd);
  }
  return path;
}

it.each(['s3', 'u1', 's1'])(
  '%s: a start that is under way does not pass for one that has all its effects',
  async (name) => {
    const lines = linesOf(name);
    const { first, last } = underWay(lines);
    for (const cut of [first, (first + last) >> 1, last]) {
      const path = unended(`${name}-${cut}`, lines.slice(0, cut));
      const ran = runResultSchema.parse(JSON.parse((await replay('run', '--json', path)).out));
      expect(ran.order).toBe('ranges');
      const { out } = await replay('compare', '--json', path);
      const [row] =
        compareResultSchema
          .parse(JSON.parse(out))
          .traces[0]?.designs.filter(({ design }) => design === 'merged') ?? [];
      expect(row?.order).toBe(ran.order);
      expect(row?.decisions).toEqual(ran.totals);
      const verified = await replay('verify', '--json', path);
      expect(verifyResultSchema.parse(JSON.parse(verified.out)).accesses.disagree).toBe(0);
    }
  },
);
