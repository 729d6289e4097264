/** An argument or option that is one of several words; of another that looks like one of them it is asked whether that was meant. */
import { Argument, InvalidArgumentError, Option } from 'commander';
import { nearWords } from './near-words.js';

export function choiceArgument(
  name: string,
  description: string,
  choices: readonly string[],
): Argument {
  // The help names the choices; what refuses others is set after them.
  return new Argument(name, description).choices(choices).argParser(oneOf(choices));
}

export function choiceOption(
  flags: string,
  description: string,
  choices: readonly string[],
): Option {
  return new Option(flags, description).choices(choices).argParser(oneOf(choices));
}

function oneOf(choices: readonly string[]): (word: string) => string {
  return (word) => {
    if (choices.includes(word)) return word;
    const near = nearWords(word, choices).at(0);
    throw new InvalidArgumentError(
      `Allowed choices are ${choices.join(', ')}.${near === undefined ? '' : `\n(Did you mean ${near}?)`}`,
    );
  };
}
