// The documents name files: those have to be there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

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

/** Targets of links that are not elsewhere, from the root. */
function linkedIn(text, document) {
  return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) =>
    join(dirname(document), path),
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

/** As a heading is named in links; the second of one name gets a number. */
function anchorsOf(text) {
  const seen = new Map();
  const headings = text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/^#{1,6} (.*)$/gm);
  return new Set(
    [...headings].map(([, heading]) => {
      const anchor = heading
        .toLowerCase()
        .replaceAll(/\]\([^)]*\)/g, '')
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-');
      const before = seen.get(anchor) ?? 0;
      seen.set(anchor, before + 1);
      return before === 0 ? anchor : `${anchor}-${before}`;
    }),
  );
}

test.each(DOCUMENTS)('headings that %s links to are there', (document) => {
  const text = readFileSync(join(root, document), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)];
  const broken = links.filter(([, path, anchor]) => {
    const target = path === '' ? document : join(dirname(document), path);
    return !anchorsOf(readFileSync(join(root, target), 'utf8')).has(anchor);
  });
  expect(broken.map(([link]) => link)).toEqual([]);
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
