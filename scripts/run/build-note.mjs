// What a build was made of, for `--version`: a file in the dist of each program, which is packed with it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PROGRAMS = ['collector', 'replay', 'tui'];

/**
 * @param {string} root - of the repository
 * @returns {boolean} whether a note is another one now
 */
export function writeBuildNotes(root) {
  const commit = commitOf(root);
  const wanted = commit === undefined ? undefined : `${JSON.stringify({ commit })}\n`;
  let isChanged = false;
  for (const name of PROGRAMS) {
    const dist = join(root, 'packages', name, 'dist');
    if (!existsSync(dist)) continue;
    const note = join(dist, 'build.json');
    if ((existsSync(note) ? readFileSync(note, 'utf8') : undefined) === wanted) continue;
    if (wanted === undefined) rmSync(note);
    else writeFileSync(note, wanted);
    isChanged = true;
  }
  return isChanged;
}

/**
 * The commit that a checkout is at, with "+changes" where its packages are not as there.
 *
 * @param {string} root
 * @returns {string | undefined} undefined where it is no checkout of its own, as when an archive was unpacked in another
 */
export function commitOf(root) {
  const top = git(root, 'rev-parse', '--show-toplevel');
  if (top === undefined || realpathSync(top) !== realpathSync(root)) return undefined;
  const commit = git(root, 'rev-parse', '--short=12', 'HEAD');
  if (commit === undefined) return undefined;
  return git(root, 'status', '--porcelain', '--', 'packages') === '' ? commit : `${commit}+changes`;
}

function git(root, ...args) {
  const { status, stdout } = spawnSync('git', ['-C', root, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout.trim() : undefined;
}
