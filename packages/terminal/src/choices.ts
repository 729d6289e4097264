/** An argument or option that is one of several words; of another that looks like one of them it is asked whether that was meant. */
import { Argument, InvalidArgumentError, Option } from 'commander';

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
    const near = nearestOf(word, choices);
    throw new InvalidArgumentError(
      `Allowed choices are ${choices.join(', ')}.${near === undefined ? '' : `\n(Did you mean ${near}?)`}`,
    );
  };
}

/** At most so many letters of three may be other ones. */
const WRONG_OF_THREE = 1;

/** The word that takes the fewest changes of a letter; undefined where all take too many. */
export function nearestOf(word: string, choices: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Infinity;
  for (const choice of choices) {
    const changes = changesBetween(word, choice);
    if (changes >= fewest || 3 * changes > WRONG_OF_THREE * Math.max(word.length, choice.length))
      continue;
    nearest = choice;
    fewest = changes;
  }
  return nearest;
}

/** Letters that are put in, taken out, exchanged for another or for the one beside them (optimal string alignment). */
function changesBetween(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > other.length) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isSame ? 0 : 1));
      const isSwapped =
        i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (isSwapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[other.length];
}
