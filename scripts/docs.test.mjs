// The documents name files: those have to be there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { deadAnchors, linkedIn, withoutDeadLinks } from './document-links.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Paths that backticks hold: of the repository, or of its packages. */
function quotedIn(text) {
  return [...text.matchAll(/`((?:packages|scripts|docs|examples)\/[\w./-]+)`/g)].map(
    ([, path]) => path,
  );
}

/** The threat note names files by their package. */
function quotedInPackages(text) {
  const names = readdirSync(join(root, 'packages')).join('|');
  return [...text.matchAll(new RegExp(`\`((?:${names})/[\\w./-]+)\``, 'g'))].map(
    ([, path]) => `packages/${path}`,
  );
}

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'examples/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

test.each(DOCUMENTS)('files that %s names are there', (document) => {
  const text = readFileSync(join(root, document), 'utf8');
  const paths = [...quotedIn(text), ...quotedInPackages(text), ...linkedIn(text, document)];
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test.each(DOCUMENTS)('headings that %s links to are there', (document) => {
  const read = (path) => readFileSync(join(root, path), 'utf8');
  expect(deadAnchors(read(document), document, read)).toEqual([]);
});

test('every example is described', () => {
  const text = readFileSync(join(root, 'examples/README.md'), 'utf8');
  const names = readdirSync(join(root, 'examples')).filter((name) => name !== 'README.md');
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => !text.includes(`\n| \`${name}\` |`))).toEqual([]);
});

test('they are found', () => {
  const text = '`docs/a.md` `trace/src/b.ts` [c](../d.md#e) [f](https://g/h) [i](#j)';
  expect([
    ...quotedIn(text),
    ...quotedInPackages(text),
    ...linkedIn(text, 'docs/reference/x.md'),
  ]).toEqual(['docs/a.md', 'packages/trace/src/b.ts', 'docs/d.md']);
});

test('what is not packed is named, and not linked to', () => {
  const text = '[a](b.md#c), [`d`](../e/f.ts), [g](https://h/i), [j](#k) and ![l](m.png)';
  const isPacked = (path) => path === 'docs/b.md' || path === 'docs/m.png';
  expect(withoutDeadLinks(text, 'docs/x.md', isPacked)).toBe(
    '[a](b.md#c), `d` (`e/f.ts` in the sources), [g](https://h/i), [j](#k) and ![l](m.png)',
  );
});
