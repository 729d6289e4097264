// What `--help` shows as examples runs. docs/reference/commands.md holds every help, which another test sees to.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const text = readFileSync(join(root, 'docs/reference/commands.md'), 'utf8');

const COMMANDS = [...text.matchAll(/^## (.*)\n\n```\n([^]*?)\n```$/gm)].map(([, name, help]) => {
  const [, lines = ''] = /^Examples:\n((?: {2}.*\n?)*)/m.exec(help) ?? [];
  const examples = lines
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/)[0])
    .filter((example) => example !== '');
  return { name, examples };
});

/** Not run here, and where it is. */
const NOT_RUN = [
  // Records this machine: packages/collector/test, packages/testbed/host-tests.
  /collector attach(?!.*--dry-run)|^bpftrace |^perf |^ssh /,
  // Needs a server: packages/collector/fleet-tests/help-examples.test.ts.
  /nats:|tls:/,
  // Waits for a recording: packages/tui/test.
  /^tui$/,
];

/** Of a host that cannot be recorded the answer is 3. */
const ASKS_HOST = /^collector (?:doctor|probes|attach --dry-run)/;

const top = mkdtempSync(join(tmpdir(), 'help examples '));
afterAll(() => rmSync(top, { recursive: true }));
const files = join(top, 'files');

function run(command, cwd) {
  return spawnSync('bash', ['-o', 'pipefail', '-c', command], {
    cwd,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
    },
  });
}

/** The files that the examples name. */
beforeAll(() => {
  mkdirSync(join(files, 'traces'), { recursive: true });
  const [storm, small] = ['s3-resetup-under-storm', 'u5-json-q256'].map((name) =>
    join(root, `examples/${name}.txt.gz`),
  );
  for (const name of ['trace.txt.gz', 'run.txt.gz']) copyFileSync(storm, join(files, name));
  for (const name of ['trace.txt', 'monday.txt', 'tuesday.txt'])
    writeFileSync(join(files, name), gunzipSync(readFileSync(storm)));
  run('collector import trace.txt.gz -o trace.arrows', files);
  run(`collector import '${small}' -o b.arrows`, files);
  for (const name of ['a', 'host', 'before', 'after', 'web1', 'web2', 'traces/web1'])
    copyFileSync(join(files, 'trace.arrows'), join(files, `${name}.arrows`));
  copyFileSync(join(files, 'b.arrows'), join(files, 'traces/web2.arrows'));
  // Two recordings of one time: one of perf, parted.
  const lines = gunzipSync(readFileSync(join(root, 'examples/perf-script.txt.gz')))
    .toString('latin1')
    .split(/(?<=\n)/);
  const isRange = (line) => /vho:(?:range|notifier):/.test(line);
  writeFileSync(join(files, 'accesses.txt'), lines.filter((line) => !isRange(line)).join(''));
  writeFileSync(join(files, 'perf.txt'), lines.filter(isRange).join(''));
  writeFileSync(
    join(files, 'mine.json'),
    '{ "name": "mine", "like": "merged", "clears": "start" }',
  );
}, 60_000);

test('every command has some', () => {
  expect(COMMANDS.length).toBeGreaterThan(20);
  expect(COMMANDS.filter(({ examples }) => examples.length === 0).map(({ name }) => name)).toEqual(
    [],
  );
});

const EXAMPLES = [...new Set(COMMANDS.flatMap(({ examples }) => examples))].filter(
  (example) => !NOT_RUN.some((form) => form.test(example)),
);

test.each(EXAMPLES)('%s', { timeout: 60_000 }, (example) => {
  const folder = mkdtempSync(join(top, 'run '));
  cpSync(files, folder, { recursive: true });
  const { status, stderr } = run(example, folder);
  rmSync(folder, { recursive: true });
  expect({ stderr, is: (ASKS_HOST.test(example) ? [0, 3] : [0]).includes(status) }).toEqual({
    stderr,
    is: true,
  });
});
