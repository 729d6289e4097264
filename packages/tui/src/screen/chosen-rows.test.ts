import { expect, test } from 'vitest';
import { cause, decided, judgement, storm, virtqueue } from '../../test/made-up-views.js';
import { searchedStorms, shownCauses, shownVirtqueues } from './chosen-rows.js';
import { FIRST_STATE, type ScreenState } from './screen-state.js';

const QUIET = { rounds: 0, accesses: 0, heads: 0, overlapping: 0 };
const ROWS = [
  virtqueue(0, {
    rates: QUIET,
    chosen: judgement({ window: decided(0, 0), total: decided(9, 0), reasons: [] }),
  }),
  virtqueue(1, { chosen: judgement({ window: decided(50, 50) }) }),
  virtqueue(2, {
    owner: { pid: 7, comm: 'DPDK' },
    rates: { ...QUIET, accesses: 1e6 },
    chosen: judgement({ window: decided(1000, 0, { ambiguous: 60 }), reasons: [] }),
  }),
  virtqueue(3, { chosen: judgement({ window: decided(0, 0), total: decided(5, 5) }) }),
];

function shown(over: Partial<typeof FIRST_STATE>): number[] {
  return shownVirtqueues(ROWS, { ...FIRST_STATE, ...over }).map(({ vq }) => vq);
}

test('the worst miss most, surely or maybe; what misses nothing now, by all of the trace', () => {
  expect(shown({})).toEqual([2, 1, 3, 0]);
  expect(shown({ isReversed: true })).toEqual([0, 3, 1, 2]);
  expect(shown({ sort: 'number' })).toEqual([0, 1, 2, 3]);
  expect(shown({ sort: 'accesses' })).toEqual([2, 1, 3, 0]);
  expect(shown({ sort: 'invalidations' })).toEqual([1, 3, 0, 2]);
});

test('filters', () => {
  expect(shown({ filter: 'active', sort: 'number' })).toEqual([1, 2, 3]);
  expect(shown({ filter: 'not all hits', sort: 'number' })).toEqual([1, 2, 3]);
  expect(shown({ filter: 'invalidated', sort: 'number' })).toEqual([1, 3]);
  expect(shown({ filter: 'transmit', sort: 'number' })).toEqual([1, 3]);
});

test('a search looks at names, numbers and reasons', () => {
  expect(shown({ search: 'dpdk' })).toEqual([2]);
  expect(shown({ search: 'vq 3' })).toEqual([3]);
  expect(shown({ search: 'dev 0', sort: 'number' })).toEqual([0, 1]);
  expect(shown({ search: 'INVALIDATED', sort: 'number' })).toEqual([1, 3]);
  expect(shown({ search: 'nothing like it' })).toEqual([]);
});

test('storms and causes are searched by who and why', () => {
  const storms = [storm(2, { causes: [['numa-balancing', 3]] }), storm(1)];
  expect(searchedStorms(storms, 'NUMA').map(({ number }) => number)).toEqual([2]);
  expect(searchedStorms(storms, 'ksmd').map(({ number }) => number)).toEqual([2, 1]);
  const causes = [cause({ comm: 'a', fallbacks: 1 }), cause({ comm: 'b', fallbacks: 9 })];
  const found = (search: string): string[] =>
    shownCauses(causes, { ...FIRST_STATE, search }).map(({ comm }) => comm);
  expect(found('')).toEqual(['b', 'a']);
  expect(found('pid 68')).toHaveLength(2);
  expect(found('nobody')).toEqual([]);
});

test('causes in the order that is asked for; of equals, those with more ranges first', () => {
  const causes = [
    cause({ comm: 'b', fallbacks: 9, ranges: 1, inWindow: 2 }),
    cause({ comm: 'c', fallbacks: 9, ranges: 2, inWindow: 3 }),
    cause({ comm: 'a', fallbacks: 1, ranges: 3, inWindow: 1 }),
  ];
  const order = (asked: Partial<ScreenState>): string =>
    shownCauses(causes, { ...FIRST_STATE, ...asked })
      .map(({ comm }) => comm)
      .join('');
  expect(order({})).toBe('cba');
  expect(order({ causeSort: 'ranges' })).toBe('acb');
  expect(order({ causeSort: 'now' })).toBe('cba');
  expect(order({ causeSort: 'process' })).toBe('abc');
  expect(order({ causeSort: 'process', areCausesReversed: true })).toBe('cba');
});
