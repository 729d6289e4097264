import { Command } from 'commander';
import { expect, it } from 'vitest';
import { choiceOption } from './choices.js';

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
