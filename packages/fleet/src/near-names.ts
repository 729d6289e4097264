/** Names that somebody may have meant who typed another. */

/** So many are told. */
const MOST = 5;

/** The nearest first; those that differ by a third of their letters are none. */
export function nearNames(typed: string, names: readonly string[]): string[] {
  const wanted = typed.toLowerCase();
  return names
    .map((name) => ({ name, far: distance(wanted, name.toLowerCase()) }))
    .filter(({ name, far }) => far <= Math.max(1, Math.max(name.length, typed.length) / 3))
    .toSorted((a, b) => a.far - b.far)
    .slice(0, MOST)
    .map(({ name }) => name);
}

/** Letters to put in, to take out or to change, to come from one to the other. */
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let at = 1; at <= other.length; at++) {
      const changed = above[at - 1] + (one[row - 1] === other[at - 1] ? 0 : 1);
      now.push(Math.min(changed, above[at] + 1, now[at - 1] + 1));
    }
    above = now;
  }
  return above[other.length];
}
