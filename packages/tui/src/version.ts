import { readFileSync } from 'node:fs';

/** Version of the program, as its package.json has it. */
export function readVersion(): string {
  // package.json lies beside both src and dist.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
