/** What the guest's kernel wrote to its console. Pure. */

/** Lines that no healthy kernel writes. */
export function kernelTroubles(consoleText: string): string[] {
  return linesOf(consoleText).filter((line) =>
    /\b(WARNING|BUG|Oops|Bad page|Kernel panic|soft lockup)\b/.test(line),
  );
}

/** What is worth telling of a host that ended: why its kernel gave up, else the last that was said. */
export function lastWords(text: string): string {
  const troubles = kernelTroubles(text);
  return (troubles.length > 0 ? troubles.slice(0, 2) : linesOf(text).slice(-3)).join('; ');
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
