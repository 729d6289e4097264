/** Which build of the program this is: answers of another one may be others. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** @param program a file of it; all that was built lies beside it */
export function programDigest(program: URL): string {
  const folder = new URL('.', program);
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).toSorted()) {
    if (!name.endsWith('.js')) continue;
    hash.update(`${name}\n`).update(readFileSync(new URL(name, folder)));
  }
  return hash.digest('hex').slice(0, DIGITS);
}

/** Enough that no two builds have the same. */
const DIGITS = 16;
