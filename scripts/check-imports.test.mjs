import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkRepository } from './check-imports.mjs';

const roots = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

const MANIFESTS = {
  'bpftrace-parser': { name: 'bpftrace-parser', exports: { '.': {} } },
  model: {
    name: '@vhostscope/model',
    exports: { '.': {}, './text': {} },
    dependencies: { zod: '4.6.7' },
    devDependencies: { vitest: 'catalog:' },
  },
  trace: {
    name: '@vhostscope/trace',
    exports: { '.': {} },
    dependencies: { '@vhostscope/model': 'workspace:*', 'bpftrace-parser': 'workspace:*' },
  },
  replay: {
    name: '@vhostscope/replay',
    exports: { '.': {} },
    dependencies: { '@vhostscope/model': 'workspace:*', commander: '14.0.3' },
    devDependencies: { vitest: 'catalog:' },
  },
  tui: { name: '@vhostscope/tui', dependencies: { '@vhostscope/replay': 'workspace:*' } },
  collector: { name: '@vhostscope/collector' },
};

/** A repository of the packages above, with these files. */
function check(files) {
  const root = mkdtempSync(join(tmpdir(), 'check imports '));
  roots.push(root);
  const all = { ...files };
  for (const [folder, manifest] of Object.entries(MANIFESTS)) {
    all[`packages/${folder}/package.json`] ??= JSON.stringify(manifest);
  }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkRepository(root).violations.map(({ file, line, rule }) => `${file}:${line} ${rule}`);
}

test('what the picture allows passes', () => {
  expect(
    check({
      'packages/bpftrace-parser/src/index.ts': `export * from './message.js';`,
      'packages/model/src/index.ts': `import { z } from 'zod';`,
      'packages/model/src/index.test.ts': `import 'node:fs'; import 'vitest'; import './index.js';`,
      'packages/model/test/rules.test.ts': `import '../src/index.js';`,
      'packages/model/vitest.config.ts': `export { default } from '../../vitest.shared.ts';`,
      'packages/model/bench/speed.mjs': `import 'node:fs'; import '../dist/index.js';`,
      'packages/trace/src/index.ts': `import 'node:fs'; import '@vhostscope/model/text';`,
      'packages/replay/src/main.ts': `import { Command } from 'commander'; import '@vhostscope/model';`,
      'packages/tui/src/session.ts': `import '@vhostscope/replay';`,
      'packages/replay/bin/replay.js': `await import('../dist/main.js');`,
    }),
  ).toEqual([]);
});

test.each([
  ['a layer above', 'trace/src/a.ts', `import '@vhostscope/replay';`, 'direction'],
  ['another program', 'replay/src/a.ts', `import '@vhostscope/tui';`, 'direction'],
  [
    'what only the dashboard may',
    'collector/src/a.ts',
    `import '@vhostscope/replay';`,
    'direction',
  ],
  [
    'inside of replay',
    'tui/src/a.ts',
    `import '@vhostscope/replay/src/run-result.js';`,
    'internals',
  ],
  ['the neighbour', 'model/src/a.ts', `import 'bpftrace-parser';`, 'direction'],
  ['a third party', 'bpftrace-parser/src/a.ts', `import 'zod';`, 'direction'],
  ['a type only', 'model/src/a.ts', `import type { X } from '@vhostscope/trace';`, 'direction'],
  ['a re-export', 'model/src/a.ts', `export * from '@vhostscope/trace';`, 'direction'],
  ['a dynamic import', 'model/src/a.ts', `await import('@vhostscope/trace');`, 'direction'],
  ['a program, from a test', 'model/src/a.test.ts', `import '@vhostscope/replay';`, 'direction'],
  ['a test library, from a source', 'model/src/a.ts', `import 'vitest';`, 'direction'],
  ["Node's modules", 'model/src/a.ts', `import 'node:fs';`, 'no-node'],
  ["Node's modules, old name", 'bpftrace-parser/src/a.ts', `import 'fs/promises';`, 'no-node'],
  ['what is not declared', 'replay/src/a.ts', `import 'zod';`, 'undeclared'],
  ['a dev dependency, from a source', 'replay/src/a.ts', `import 'vitest';`, 'undeclared'],
  ['what a test does not declare', 'trace/src/a.test.ts', `import 'fast-check';`, 'undeclared'],
  ['sources elsewhere', 'trace/src/a.ts', `import '../../model/src/a.js';`, 'outside-package'],
  ['the root', 'trace/src/a.ts', `import '../../../vitest.shared.ts';`, 'outside-package'],
  ['a folder of like name', 'model/src/a.ts', `import '../../model2/a.js';`, 'outside-package'],
  ['internals by name', 'trace/src/a.ts', `import '@vhostscope/model/src/a.js';`, 'internals'],
  ['own built code', 'trace/src/a.ts', `import '../dist/index.js';`, 'own-dist'],
  ['itself', 'model/src/a.ts', `import '@vhostscope/model';`, 'own-name'],
  ['a test, from a source', 'model/src/a.ts', `import './b.test.js';`, 'test-in-source'],
  ['test helpers, from a source', 'model/src/a.ts', `import '../test/b.js';`, 'test-in-source'],
  ['a benchmark, from a source', 'model/src/a.ts', `import '../bench/b.mjs';`, 'test-in-source'],
  [
    'a layer above, from a benchmark',
    'model/bench/a.mjs',
    `import '@vhostscope/trace';`,
    'direction',
  ],
  ['a URL', 'replay/src/a.ts', `import 'https://example.org/x.js';`, 'absolute'],
])('refuses %s', (_, file, text, rule) => {
  const path = `packages/${file}`;
  expect(check({ [path]: `// import 'never'\n\n${text}\n` })).toEqual([`${path}:3 ${rule}`]);
});

test('refuses a package without a row', () => {
  expect(
    check({
      'packages/extra/package.json': '{ "name": "extra" }',
      'packages/extra/src/index.ts': '',
    }),
  ).toEqual(['packages/extra/src/index.ts:1 no-row']);
});
