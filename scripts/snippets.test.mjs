// What the documents show is what the programs print.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { missingLine, snippetsIn } from './snippets.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Not run: what needs a server, and what draws a screen (packages/tui/test reads that). */
const NOT_RUN = /nats:\/\/|^tui (?!.*(?:--json|\|))/;

/** `npm start` sets up, which has been done, and then runs these. */
const EXAMPLE = 'examples/d1-dpdk-virtio-user.txt.gz';
const INSTEAD = new Map([['npm start', `replay run ${EXAMPLE} && replay verify ${EXAMPLE}`]]);

const DOCUMENTS = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
  .map((document) => ({
    document,
    snippets: snippetsIn(readFileSync(join(root, document), 'utf8')).filter(
      ({ command }) => !NOT_RUN.test(command),
    ),
  }))
  .filter(({ snippets }) => snippets.length > 0);

const top = mkdtempSync(join(tmpdir(), 'snippets '));
afterAll(() => rmSync(top, { recursive: true }));

/** A folder for a document, in which the examples lie as in the repository. */
function emptyFolder() {
  const folder = mkdtempSync(join(top, 'document '));
  symlinkSync(join(root, 'examples'), join(folder, 'examples'));
  return folder;
}

function run(command, cwd) {
  const { status, stdout } = spawnSync('/bin/sh', ['-c', `exec 2>&1; ${command}`], {
    cwd,
    encoding: 'utf8',
    env: {
      ...process.env,
      NO_COLOR: '1',
      PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
    },
  });
  return { status, printed: stdout };
}

describe.each(DOCUMENTS)('$document', ({ snippets }) => {
  const folder = emptyFolder();

  test.each(snippets)('line $line: $command', { timeout: 60_000 }, ({ command, output }) => {
    // A file that is shown, and is made nowhere, is one that the reader makes.
    const shown = /^cat ([\w.-]+)$/.exec(command)?.[1];
    if (shown !== undefined && !existsSync(join(folder, shown))) {
      writeFileSync(join(folder, shown), `${output.join('\n')}\n`);
      return;
    }
    const { status, printed } = run(INSTEAD.get(command) ?? command, folder);
    expect({ printed, missing: missingLine(output, printed) }).toEqual({
      printed,
      missing: undefined,
    });
    // Of another exit code a snippet tells: `…; echo "exit code $?"`.
    expect(status).toBe(0);
  });
});

test('documents are found, and what they show', () => {
  expect(DOCUMENTS.map(({ document }) => document)).toContain('README.md');
  expect(
    snippetsIn(
      '$ no\n```\n$ a b\n1\n…\n\n$ c\n# root\nx\n```\n2\n```sh\n$ d\n```\n1. x\n   ```\n   $ e\n     3\n   ```\n',
    ),
  ).toEqual([
    { line: 3, command: 'a b', output: ['1', '…', ''] },
    { line: 7, command: 'c', output: [] },
    { line: 13, command: 'd', output: [] },
    { line: 17, command: 'e', output: ['  3'] },
  ]);
});

test.each([
  [['a', 'b'], 'a\nb\n', undefined],
  [['a', 'b', ''], 'a\nb\n', undefined],
  [[], '', undefined],
  [[], 'a\n', undefined],
  [['a'], 'a\nb\n', '(and no more than) a'],
  [['b'], 'a\nb\n', 'b'],
  [['a', '…'], 'a\nb\n', undefined],
  [['…', 'b'], 'a\nb\n', undefined],
  [['…', 'a'], 'a\nb\n', 'a'],
  [['a', '…', 'b'], 'a\nb\n', undefined],
  [['a', '…', 'd'], 'a\nb\nc\nd\n', undefined],
  [['a', '…', 'c', 'b', '…'], 'a\nb\nc\n', 'c'],
  [['a', '  …', 'c'], 'a\nb\nc\n', undefined],
  [['a', '…', 'a'], 'a\n', 'a'],
  [['a', 'x'], 'a\nb\n', 'x'],
])('%j said of %j', (said, printed, missing) => {
  expect(missingLine(said, printed)).toBe(missing);
});
