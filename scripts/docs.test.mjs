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

test('links with a title, a space, or a picture for words are found, too', () => {
  const text =
    '[a](b.md "c d") [e](<f g.md>) [![h](i.png)](j.md#k) ![l](m.png) <[n](mailto:o)> [p](#q)';
  expect(linkedIn(text, 'docs/x.md')).toEqual([
    'docs/b.md',
    'docs/f g.md',
    'docs/i.png',
    'docs/j.md',
    'docs/m.png',
  ]);
  const read = (path) => (path === 'docs/x.md' ? '# Q' : '# Not k');
  expect(deadAnchors(text, 'docs/x.md', read)).toEqual(['[![h](i.png)](j.md#k)']);
});

test('what is not packed is named, and not linked to', () => {
  const headings = { 'd.md': '## Some *heading*\n', 'docs/no.md': '' };
  const packed = ['docs/b.md', 'docs/m.png'];
  const without = (text) =>
    withoutDeadLinks(
      text,
      'docs/x.md',
      (path) => packed.includes(path),
      (path) => headings[path],
    );
  for (const kept of [
    '[a](b.md#c) [g](https://h/i) [j](#k)',
    '![l](m.png "title")',
    '[![l](m.png)](b.md)',
  ])
    expect(without(kept)).toBe(kept);
  const named = {
    '[`d`](../e/f.ts), g': '`d` (`e/f.ts` in the sources), g',
    '[a](no.md "title")': 'a (`docs/no.md` in the sources)',
    '[a](<no b.md>)': 'a (`docs/no b.md` in the sources)',
    '[a](../d.md#some-heading)': 'a (“Some *heading*” of `d.md` in the sources)',
    '[a](../d.ts#L10)': 'a (`d.ts#L10` in the sources)',
    '![a](no.png)': 'a (`docs/no.png` in the sources)',
    '[![a](m.png)](no.md)': '![a](m.png) (`docs/no.md` in the sources)',
    '[![a](no.png)](b.md)': '[a (`docs/no.png` in the sources)](b.md)',
  };
  for (const [text, words] of Object.entries(named)) expect(without(text)).toBe(words);
});
