import { expect, it } from 'vitest';
import { nearWords } from './near-words.js';

const COMMANDS = ['attach', 'doctor', 'fleet-init', 'fleet-send', 'import', 'info', 'run'];

it.each([
  ['atach', 'attach'],
  ['attahc', 'attach'],
  ['attach', 'attach'],
  ['ATTACH', 'attach'],
  ['doctors', 'doctor'],
  ['fleet-sent', 'fleet-send'],
  ['rnu', 'run'],
  ['probes', undefined],
  ['r', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
])('%.20s: %s', (word, near) => {
  expect(nearWords(word, COMMANDS)[0]).toBe(near);
});

it('finds all that differ little, the nearest first', () => {
  const names = ['web1', 'web12', 'db1', 'WEB2', 'laboratory', 'lab'];
  expect(nearWords('web2', names)).toEqual(['WEB2', 'web1', 'web12']);
  expect(nearWords('wbe12', names)).toEqual(['web12']);
  expect(nearWords('labs', names)).toEqual(['lab']);
  expect(nearWords('lba', names)).toEqual(['lab']);
  expect(nearWords('x', [])).toEqual([]);
});

it('takes no word of one or two letters for another', () => {
  expect(nearWords('3', ['1', '2'])).toEqual([]);
  expect(nearWords('', ['a', 'bc'])).toEqual([]);
  expect(nearWords('h2', ['h1'])).toEqual([]);
  expect(nearWords('up', ['ups'])).toEqual([]);
  expect(nearWords('ups', ['up'])).toEqual([]);
  expect(nearWords('on', ['no', 'on'])).toEqual(['on']);
});

it('is near whichever of the two was typed', () => {
  const words = ['run', 'runs', 'lab', 'labour', 'labs', 'web1', 'web12', 'x', 'xyz'.repeat(9)];
  for (const one of words)
    for (const other of words)
      expect([one, other, nearWords(one, [other]).length]).toEqual([
        one,
        other,
        nearWords(other, [one]).length,
      ]);
  expect(nearWords('runs', ['run'])).toEqual(['run']);
  expect(nearWords('labour', ['lab'])).toEqual([]);
});
