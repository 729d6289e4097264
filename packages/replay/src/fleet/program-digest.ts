/** Which build of the program this is: answers of another one may be others. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { programFiles } from '../worker-program.js';

/** @param program see `workerProgram` */
export function programDigest(program: URL): string {
  const hash = createHash('sha256');
  for (const file of programFiles(program)) {
    const bytes = readFileSync(file);
    hash.update(`${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex').slice(0, DIGITS);
}

/** Enough that no two builds have the same. */
const DIGITS = 16;
