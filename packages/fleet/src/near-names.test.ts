import { expect, it } from 'vitest';
import { nearNames } from './near-names.js';

it('are those that differ little, the nearest first', () => {
  const names = ['web1', 'web12', 'db', 'WEB2', 'lab', 'something else'];
  expect(nearNames('web2', names)).toEqual(['WEB2', 'web1', 'web12']);
  expect(nearNames('we1', names)).toEqual(['web1']);
  expect(nearNames('lba', names)).toEqual([]);
  expect(nearNames('labs', names)).toEqual(['lab']);
  expect(nearNames('x', [])).toEqual([]);
  expect(nearNames('', ['a', 'bc'])).toEqual(['a']);
});
