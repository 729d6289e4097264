/** The shares of ambiguous accesses that docs/limits.md tells are those that come out. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runResultSchema } from '../src/run-result.js';
import { replay } from './in-process.ts';
import { TRACES } from './traces.ts';

const text = readFileSync(new URL('../../../docs/limits.md', import.meta.url), 'utf8');
const ROWS = [...text.matchAll(/^\| `(\w\d-[\w-]+)` \| \d \| (.*) \| (.*) \| (.*) \|$/gm)].map(
  ([, name, voluntary, unknown, observed]) => ({ name, voluntary, unknown, observed }),
);

async function ambiguousShare(path: string, ...args: string[]): Promise<string> {
  const { out } = await replay('run', path, '--order', 'ranges', ...args, '--json');
  const { totals } = runResultSchema.parse(JSON.parse(out));
  return ((100 * totals.ambiguous) / totals.accesses).toFixed(1);
}

it('tells of every trace', () => {
  expect(ROWS.map(({ name }) => name ?? '').toSorted()).toEqual(
    TRACES.map(({ name }) => name).toSorted(),
  );
});

describe.each(TRACES)('$name', ({ name, path, design, preempt }) => {
  const row = ROWS.find((one) => one.name === name);

  it('preemption is known', async () => {
    const share = await ambiguousShare(path, '--design', design, '--preempt', 'voluntary');
    expect(row?.voluntary).toBe(preempt === 'voluntary' ? share : 'not true of it');
  });

  it('preemption is not known', async () => {
    expect(row?.unknown).toBe(await ambiguousShare(path, '--design', design));
  });

  it('the recorded attempts tell', async () => {
    expect(row?.observed).toBe(
      await ambiguousShare(path, '--design', design, '--use-observations'),
    );
  });
});
