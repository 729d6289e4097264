// The documents name files: those have to be there.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Paths of the repository in backticks, and targets of links that are not elsewhere. */
function pathsIn(text) {
  const quoted = [...text.matchAll(/`((?:packages|scripts|docs|examples)\/[\w./-]+)`/g)];
  const linked = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
  return [...quoted, ...linked].map(([, path]) => path);
}

test.each(['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md'])(
  'files that %s names are there',
  (document) => {
    const paths = pathsIn(readFileSync(join(root, document), 'utf8'));
    expect(paths.length).toBeGreaterThan(2);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  },
);
