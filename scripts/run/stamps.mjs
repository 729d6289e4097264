// Stamps: "this was done for exactly these files". They lie in node_modules, and so go with it.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @param {string} root
 * @param {string[]} files - relative to the root; their contents count, a missing one counts too
 * @param {string[]} [facts] - count as they are
 * @param {string[]} [outputs] - relative to the root; their sizes and times count
 * @returns {string} hexadecimal
 */
export function hashOf(root, files, facts = [], outputs = []) {
  const hash = createHash('sha256');
  for (const path of files) {
    let content = Buffer.from('missing');
    try {
      content = readFileSync(join(root, path));
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  for (const path of outputs) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\0`);
  }
  return hash.update(facts.join('\0')).digest('hex');
}

/**
 * All files below some folders, in a fixed order. A folder that does not exist holds none.
 *
 * @param {string} root
 * @param {string[]} folders - relative to the root
 * @param {(path: string) => boolean} [filter] - of files and folders, by relative path
 * @returns {string[]} relative to the root
 */
export function listFiles(root, folders, filter = () => true) {
  /** @type {string[]} */
  const files = [];
  const walk = (folder) => {
    let entries;
    try {
      entries = readdirSync(join(root, folder), { withFileTypes: true });
    } catch (error) {
      if (error.code === 'ENOENT') return;
      throw error;
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (!filter(path)) continue;
      if (entry.isDirectory()) walk(path);
      else files.push(path);
    }
  };
  for (const folder of folders) walk(folder);
  return files.toSorted();
}

/** @returns {boolean} whether the step was last done for this hash */
export function isStamped(root, step, hash) {
  try {
    return readFileSync(stampPath(root, step), 'utf8') === hash;
  } catch {
    return false;
  }
}

/** Remembers that the step was done for this hash. */
export function stamp(root, step, hash) {
  const path = stampPath(root, step);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, hash);
}

function stampPath(root, step) {
  return join(root, 'node_modules/.cache/vhostscope', step);
}
