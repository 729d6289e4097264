import { Command } from 'commander';
import { expect, it } from 'vitest';
import { choiceOption, nearestOf } from './choices.js';

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

it.each([
  ['--level acess', 'Allowed choices are rounds, access.\n(Did you mean access?)'],
  ['--level x', 'Allowed choices are rounds, access.'],
])('an option %s is refused', (words, why) => {
  const said: string[] = [];
  const program = new Command()
    .addOption(choiceOption('--level <level>', 'how much', ['rounds', 'access']))
    .exitOverride()
    .configureOutput({ writeErr: (text) => said.push(text) });
  expect(() => program.parse(words.split(' '), { from: 'user' })).toThrow(why);
  expect(said.join('')).toContain(why);
});
