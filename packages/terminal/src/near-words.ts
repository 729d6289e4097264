/**
 * Words that somebody may have meant who typed another, by one rule for choices, hosts and prefixes: of three letters
 * of the shorter word one may be wrong. So no word of one or two letters is taken for another, or another for it, as
 * each would be near all of them: `on` is not offered for `no` either. Letters that changed places are the commonest
 * mistake, and count as one.
 */

/** At most so many letters of three may be wrong. */
const WRONG_OF_THREE = 1;

/** The nearest first; capitals do not count. */
export function nearWords(typed: string, words: readonly string[]): string[] {
  const wanted = typed.toLowerCase();
  return words
    .map((word) => {
      const most = Math.floor((WRONG_OF_THREE * Math.min(typed.length, word.length)) / 3);
      return { word, most, changes: changesBetween(wanted, word.toLowerCase(), most) };
    })
    .filter(({ changes, most }) => changes <= most)
    .toSorted((a, b) => a.changes - b.changes)
    .map(({ word }) => word);
}

/**
 * Letters that are put in, taken out, exchanged for another or for the one beside them (optimal string alignment).
 * Infinity where the lengths alone make more than `most`.
 */
function changesBetween(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return Infinity;
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
