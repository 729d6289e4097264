import { expect, it } from 'vitest';
import { nearestOf } from './choice-argument.js';

const NAMES = ['attach', 'doctor', 'fleet-init', 'fleet-send', 'import', 'info', 'run'];

it.each([
  ['atach', 'attach'],
  ['attahc', 'attach'],
  ['attach', 'attach'],
  ['doctors', 'doctor'],
  ['fleet-sent', 'fleet-send'],
  ['rnu', 'run'],
  ['probes', undefined],
  ['r', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
])('%.20s: %s', (word, near) => {
  expect(nearestOf(word, NAMES)).toBe(near);
});
