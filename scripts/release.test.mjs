// One version for all packages, and one list of changes; `npm run release:cut` raises them.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { newestSection, released } from './changelog.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const top = mkdtempSync(join(tmpdir(), 'release '));
afterAll(() => rmSync(top, { recursive: true }));

const read = (...path) => readFileSync(join(...path), 'utf8');

/** The version of each package of a repository, by its folder. */
function versionsIn(repo) {
  const folders = ['.', ...readdirSync(join(repo, 'packages')).map((name) => `packages/${name}`)];
  return Object.fromEntries(
    folders.map((folder) => [folder, JSON.parse(read(repo, folder, 'package.json')).version]),
  );
}

test('all packages have the version whose changes are told first', () => {
  const { version } = newestSection(read(root, 'CHANGELOG.md'));
  const versions = versionsIn(root);
  expect(Object.keys(versions).length).toBeGreaterThan(9);
  expect(Object.entries(versions).filter(([, one]) => one !== version)).toEqual([]);
});

test.each(['collector', 'replay', 'tui'])('so has %s --version', (name) => {
  const { version } = newestSection(read(root, 'CHANGELOG.md'));
  const said = execFileSync(
    process.execPath,
    [join(root, `packages/${name}/bin/${name}.js`), '--version'],
    { encoding: 'utf8' },
  );
  expect(said.split(' ')[0]).toBe(version);
});

describe('the list of changes', () => {
  const text = '# Changes\n\nWhat …\n\n## 0.1.0 (unreleased)\n\n- a\n\nRequires b.\n';

  test('a version that was not released gets its date, and lines behind its own', () => {
    expect(released(text, '0.1.0', '2026-12-01', [])).toBe(
      '# Changes\n\nWhat …\n\n## 0.1.0, 2026-12-01\n\n- a\n\nRequires b.\n',
    );
    expect(released(text, '0.1.0', '2026-12-01', ['c\nd\n'])).toBe(
      '# Changes\n\nWhat …\n\n## 0.1.0, 2026-12-01\n\n- a\n- c\n  d\n\nRequires b.\n',
    );
    // A bullet of several lines and paragraphs, and a section that has none.
    expect(
      released(text.replace('- a', '- a\n  b\n\n  e'), '0.1.0', '2026-12-01', ['c']),
    ).toContain('\n\n- a\n  b\n\n  e\n- c\n\nRequires b.\n');
    expect(released(text.replace('- a', 'a'), '0.1.0', '2026-12-01', ['c'])).toContain(
      '\n\na\n\nRequires b.\n\n- c\n',
    );
    expect(() => released(text, '0.2.0', '2026-12-01', [])).toThrow('0.1.0 was not released');
  });

  test('the next one stands above it', () => {
    const first = released(text, '0.1.0', '2026-12-01', []);
    expect(released(first, '0.2.0', '2026-12-24', ['c', 'd'])).toBe(
      '# Changes\n\nWhat …\n\n## 0.2.0, 2026-12-24\n\n- c\n- d\n\n## 0.1.0, 2026-12-01\n\n- a\n\nRequires b.\n',
    );
  });

  test('what begins otherwise is refused', () => {
    for (const heading of ['## next', '## 0.2\n\n## 0.1.0 (unreleased)'])
      expect(() => newestSection(`# Changes\n\n${heading}\n`)).toThrow('CHANGELOG.md');
  });
});

/** The packages of this repository, as far as a release asks. */
function repository(changelog, changes) {
  const folder = mkdtempSync(join(top, 'repository '));
  for (const name of ['package.json', 'pnpm-workspace.yaml'])
    cpSync(join(root, name), join(folder, name));
  for (const name of readdirSync(join(root, 'packages'))) {
    mkdirSync(join(folder, 'packages', name), { recursive: true });
    cpSync(
      join(root, 'packages', name, 'package.json'),
      join(folder, 'packages', name, 'package.json'),
    );
  }
  cpSync(join(root, '.changeset/config.json'), join(folder, '.changeset/config.json'));
  for (const [at, change] of changes.entries())
    writeFileSync(join(folder, `.changeset/change-${at}.md`), change);
  writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
  execFileSync('git', ['init', '-q', folder]);
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/cut-version.mjs'), folder],
    { encoding: 'utf8' },
  );
  return { folder, status, stderr, left: readdirSync(join(folder, '.changeset')) };
}

describe('npm run release:cut', () => {
  const { version } = JSON.parse(read(root, 'package.json'));
  const [major, minor] = version.split('.').map(Number);
  const next = `${major}.${minor + 1}.0`;
  const today = () => new Date().toISOString().slice(0, 10);
  const changes = [
    "---\n'@vhostscope/replay': minor\n---\n\n`replay run` tells more.\n",
    "---\n'bpftrace-parser': patch\n---\n\nReads bpftrace 0.30.\n",
  ];

  test(
    'raises all versions by the greatest change, and tells the changes',
    { timeout: 60_000 },
    () => {
      const day = today();
      const old = `# Changes\n\n## ${version}, 2026-12-01\n\n- a\n`;
      const { folder, status, stderr, left } = repository(old, changes);
      expect({ stderr, status }).toEqual({ stderr, status: 0 });
      expect(new Set(Object.values(versionsIn(folder)))).toEqual(new Set([next]));
      const text = read(folder, 'CHANGELOG.md');
      expect(text).toContain(`## ${next}, ${day}\n\n- `);
      expect(text).toContain('\n- `replay run` tells more.\n');
      expect(text).toContain('\n- Reads bpftrace 0.30.\n');
      expect(text.slice(text.indexOf(`\n## ${version}`))).toBe(old.slice(old.indexOf('\n## ')));
      expect(left).toEqual(['config.json']);
      // Nothing but the version.
      for (const name of ['package.json', 'packages/replay/package.json'])
        expect(read(folder, name)).toBe(
          read(root, name).replace(`"version": "${version}"`, `"version": "${next}"`),
        );
    },
  );

  test('of a version that was not released, dates it', { timeout: 60_000 }, () => {
    const { folder, status, left } = repository(
      `# Changes\n\n## ${version} (unreleased)\n\n- a\n`,
      changes.slice(1),
    );
    expect(status).toBe(0);
    expect(new Set(Object.values(versionsIn(folder)))).toEqual(new Set([version]));
    expect(read(folder, 'CHANGELOG.md')).toMatch(
      /^# Changes\n\n## \S+, \d{4}-\d\d-\d\d\n\n- a\n- Reads bpftrace 0\.30\.\n$/,
    );
    expect(left).toEqual(['config.json']);
  });

  test('makes no version of nothing', { timeout: 60_000 }, () => {
    const { status, stderr, folder } = repository(
      `# Changes\n\n## ${version}, 2026-12-01\n\n- a\n`,
      ['---\n---\n\n\n'],
    );
    expect(status).toBe(1);
    expect(stderr).toContain('.changeset/ holds no line');
    expect(new Set(Object.values(versionsIn(folder)))).toEqual(new Set([version]));
  });
});

test('lines that wait for a release name a package that there is', () => {
  const names = new Set(
    readdirSync(join(root, 'packages')).map(
      (name) => JSON.parse(read(root, 'packages', name, 'package.json')).name,
    ),
  );
  for (const file of readdirSync(join(root, '.changeset'))) {
    if (!file.endsWith('.md') || file === 'README.md') continue;
    const [, head = '', line = ''] =
      /^---\n([^]*?)\n---\n([^]*)$/.exec(read(root, '.changeset', file)) ?? [];
    const named = [...head.matchAll(/^['"]?([^'"\n]+?)['"]?: (?:patch|minor|major)$/gm)].map(
      ([, name]) => name,
    );
    expect({ file, names: named.length > 0 && named.every((name) => names.has(name)) }).toEqual({
      file,
      names: true,
    });
    expect(line.trim()).not.toBe('');
  }
});
