/** How often the tests that kill programs at random moments do, and how many of them at a time. */

/** `KILLS=100` in the acceptance of this, less in passing. */
export const KILLS = Number(process.env['KILLS'] ?? '10');

/** Does something so many times, `size` at a time. */
export async function inGroups(
  howMany: number,
  size: number,
  run: (at: number) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < howMany; from += size) {
    const group = Array.from({ length: Math.min(size, howMany - from) }, (_, i) => run(from + i));
    await Promise.all(group);
  }
}
