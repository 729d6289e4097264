/** Which build of the program this is: answers of another one may be others. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { versionLine } from '@vhostscope/terminal';
import { FORMAT_VERSION } from '@vhostscope/trace';
import { readOwnBuild } from '../version.js';
import { programFiles } from '../worker-program.js';

/**
 * What was made of one commit is one build, whether it is a checkout or was bundled. Where the commit is not known, or
 * the sources were others than there, it is the files themselves.
 *
 * @param program see `workerProgram`
 */
export function programDigest(program: URL, build = readOwnBuild()): string {
  const hash = createHash('sha256');
  if (IS_COMMIT.test(build.commit ?? '')) hash.update(versionLine(build, FORMAT_VERSION));
  else
    for (const file of programFiles(program)) {
      const bytes = readFileSync(file);
      hash.update(`${bytes.length}\n`).update(bytes);
    }
  return hash.digest('hex').slice(0, DIGITS);
}

/** And nothing behind it: "+changes" may be any. */
const IS_COMMIT = /^[0-9a-f]+$/;

/** Enough that no two builds have the same. */
const DIGITS = 16;
