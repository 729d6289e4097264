/** How hazards of a kind and grade are summed up. */
import { expect, it } from 'vitest';
import {
  addHazard,
  countHazard,
  listed,
  MOST_LISTED,
  type Hazard,
  type HazardList,
  type HazardMark,
} from './hazard.ts';

function mark(time: bigint): HazardMark {
  return { line: Number(time), time, event: 'round', what: '' };
}

/** What it rests on came before it begins. */
function hazard(begin: bigint, end: bigint | undefined): Hazard {
  return {
    kind: 'stuck_count',
    grade: 'proven',
    recording: 0,
    vq: 0,
    area: undefined,
    begin,
    end: end === undefined ? undefined : mark(end),
    accesses: 1,
    chain: [mark(begin - 4n), mark(begin)],
  };
}

function emptyList(): HazardList {
  return { span: undefined, byKind: new Map(), counts: new Map(), notLookedFor: [] };
}

it('from where the first begins to where the last ends, in whatever order they are told', () => {
  const list = emptyList();
  for (const [begin, end] of [
    [20n, 30n],
    [10n, 50n],
    [15n, 40n],
  ] as const)
    addHazard(list, hazard(begin, end));
  expect(list.counts.get('stuck_count proven')).toEqual({
    count: 3,
    accesses: 3,
    first: mark(10n),
    firstIn: 0,
    last: mark(50n),
  });
});

it('to no event where one lasts to the end of the recording', () => {
  for (const ends of [
    [30n, undefined],
    [undefined, 30n],
  ]) {
    const list = emptyList();
    for (const end of ends) addHazard(list, hazard(20n, end));
    expect(list.counts.get('stuck_count proven')?.last).toBeUndefined();
  }
});

it('of what is only counted, from the first event to the last', () => {
  const list = emptyList();
  for (const time of [7n, 9n]) countHazard(list, 'lost_dirty', 'counted', 0, mark(time));
  expect(list.counts.get('lost_dirty counted')).toMatchObject({ first: mark(7n), last: mark(9n) });
});

it('are listed as they begin, the first of them, however late they end', () => {
  const list = emptyList();
  const ended = Array.from({ length: MOST_LISTED + 7 }, (_, at) => BigInt(20 + 10 * at));
  for (const begin of ended) addHazard(list, hazard(begin, begin + 5n));
  addHazard(list, { ...hazard(35n, 9_000n), kind: 'stale_map' });
  // It began first, and lasts.
  addHazard(list, hazard(10n, undefined));
  const begins = listed(list).map(({ begin }) => begin);
  expect(begins).toEqual([10n, 20n, 30n, 35n, ...ended.slice(2, MOST_LISTED - 1)]);
});

it('are listed recording by recording, whatever the clock says, and by virtqueue where one event begins them', () => {
  const list = emptyList();
  for (const [recording, begin, vq] of [
    [1, 10n, 3],
    [0, 50n, 2],
    [1, 10n, 1],
    [1, 5n, 4],
  ] as const)
    addHazard(list, { ...hazard(begin, begin), recording, vq });
  expect(listed(list).map(({ vq }) => vq)).toEqual([2, 4, 1, 3]);
  // The first that is counted is the first that is listed.
  expect(list.counts.get('stuck_count proven')).toMatchObject({ first: mark(50n), firstIn: 0 });
});
