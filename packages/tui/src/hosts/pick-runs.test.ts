import type { WatchedRun } from '@vhostscope/fleet';
import { expect, test } from 'vitest';
import { LATELY_MS, pickRuns } from './pick-runs.js';

const NOW = 1_800_000_000_000;

function run(host: string, name: string, ago: number, end?: WatchedRun['end']): WatchedRun {
  return { host, run: name, pieces: 3, bytes: 100, end, lastMs: NOW - ago, link: '' };
}

function followed(
  runs: readonly WatchedRun[],
  before: [string, string][] = [],
  most = 9,
): string[] {
  return pickRuns(runs, NOW, new Map(before), most).followed.map((one) => `${one.host}/${one.run}`);
}

test('of a host the run that was heard of last; what is long over is none of now', () => {
  const runs = [
    run('a', '1', 5000, 'closed'),
    run('a', '2', 100),
    run('b', '1', LATELY_MS - 1, 'cut'),
    run('c', '1', LATELY_MS),
  ];
  expect(followed(runs)).toEqual(['a/2', 'b/1']);
});

test('a run is not left for another while it goes on', () => {
  const two = [run('a', '1', 900), run('a', '2', 100)];
  expect(followed(two)).toEqual(['a/2']);
  expect(followed(two, [['a', '1']])).toEqual(['a/1']);
  // It has ended, or its recorder was killed and says nothing.
  expect(followed([run('a', '1', 900, 'closed'), two[1]], [['a', '1']])).toEqual(['a/2']);
  expect(followed([run('a', '1', 31_000), two[1]], [['a', '1']])).toEqual(['a/2']);
  // One that goes on is rather followed than an import that came last.
  expect(followed([run('a', '1', 900), run('a', 'import', 100, 'closed')])).toEqual(['a/1']);
});

test('of more hosts than can be followed, those that go on, and those that are followed, stay', () => {
  const runs = [
    run('over', '1', 1, 'closed'),
    run('new', '1', 10),
    run('old', '1', 200),
    run('newest', '1', 5),
  ];
  const { followed: shown, leftOut } = pickRuns(runs, NOW, new Map([['old', '1']]), 2);
  expect(shown.map(({ host }) => host)).toEqual(['old', 'newest']);
  expect(leftOut).toEqual(['new', 'over']);
});
