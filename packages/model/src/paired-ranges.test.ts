/** Which begin an end belongs to, as the calls of one struct mmu_notifier_range tell it. */
import { expect, it } from 'vitest';
import { batchesOf } from '../test/batch-of.ts';
import type { EventRecord } from '../test/event-record.ts';
import { findBegin, rangeIdentity } from './paired-ranges.ts';

const RANGE = {
  dev: 0,
  start: 0x1000n,
  end: 0x2000n,
  cause: 1,
  blockable: 1,
  pid: 7,
  comm: 'ksmd',
} as const;

type Told = Partial<Record<keyof typeof RANGE, number | bigint | string>>;

/** Where among ranges that began one after the other the one is that such an end ends. */
function found(begins: readonly Told[], end: Told, cpu = 0): number {
  const events = [
    ...begins.map((told): EventRecord => ({
      ...RANGE,
      ...told,
      event: 'range_start',
      time: 1n,
      cpu: 0,
    })),
    { ...RANGE, ...end, event: 'range_end', time: 2n, cpu } satisfies EventRecord,
  ];
  const runs = batchesOf(events).flatMap(({ batch, from, to }) =>
    Array.from({ length: to - from }, (_, at) => ({ batch, i: from + at })),
  );
  const ended = runs.pop()!;
  const begun = runs.map(({ batch, i }) => ({
    identity: rangeIdentity(batch, i, batch.details.dev[batch.detail[i]]),
  }));
  const { batch, i } = ended;
  return findBegin(begun, batch, i, batch.details.dev[batch.detail[i]]);
}

it.each<[string, Told]>([
  ['the memory of another', { dev: 1 }],
  ['another beginning', { start: 0n }],
  ['another end', { end: 0x3000n }],
  ['another cause', { cause: 0 }],
  ['whether it may block', { blockable: 0 }],
  ['another process', { pid: 8 }],
  ['another thread of the process', { comm: 'khugepaged' }],
])('is not the begin of a range that differs in %s', (_, told) => {
  expect(found([{}, told], {})).toBe(0);
  expect(found([told], {})).toBe(-1);
});

it('is that of the same range, on whatever CPU the thread is by then', () => {
  expect(found([{}], {}, 3)).toBe(0);
});

it('is the last of several alike, as they nest within a thread', () => {
  expect(found([{}, { pid: 8 }, {}, { pid: 9 }], {})).toBe(2);
});
