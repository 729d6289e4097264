import { readFileSync } from 'node:fs';
import { ATTACH_HEADER } from '@vhostscope/model';
import { tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { importText } from '../test/trace-files.ts';

const ROUNDS = 4000;

test('columns without a value take no room of their own, and another reader of Arrow sees that they are empty', () => {
  const lines = Array.from(
    { length: ROUNDS },
    (_, round) =>
      `M ${2 * round} 0 ffff888000001000\nE ${2 * round + 1} 0 ffff888000001000 1 256 1 1 2`,
  );
  const { path } = importText([ATTACH_HEADER, ...lines, ''].join('\n'));
  const bytes = readFileSync(path);
  // Some thirty for the columns of a row, and what half of the rows have of details. With zeros for each it was 170.
  expect(bytes.length / (2 * ROUNDS)).toBeLessThan(60);
  const details = JSON.parse(
    JSON.stringify(tableFromIPC(bytes).getChild('details')?.toArray(), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
  ) as readonly Readonly<Record<string, unknown>>[][];
  const ofRounds = details.flat().filter(({ handler }) => handler !== null);
  expect(ofRounds).toHaveLength(ROUNDS);
  for (const row of ofRounds) {
    const present = Object.entries(row).filter(([, value]) => value !== null);
    expect(Object.fromEntries(present)).toEqual({
      handler: 1,
      num: 256,
      chain: 1,
      ringBefore: '1',
      ringAfter: '2',
    });
  }
});
