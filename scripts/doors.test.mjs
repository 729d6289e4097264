// What the programs let in and out is told in docs/security.md: which of their files start other programs,
// listen, or reach a network. Another one has to be added here, and there.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The test host is not a part of the product. */
const PACKAGES = [
  'bpftrace-parser',
  'collector',
  'fleet',
  'model',
  'replay',
  'terminal',
  'trace',
  'tui',
];

const SOURCES = PACKAGES.flatMap((name) => {
  const folder = join(root, 'packages', name, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
    .map((path) => ({
      path: `packages/${name}/src/${path}`,
      text: readFileSync(join(folder, path), 'utf8'),
    }));
});

/** Files that import one of these names, each with what it takes. */
function importersOf(module, names) {
  const imports = new RegExp(`^import (?!type )\\{([^}]*)\\} from '${module}';`, 'gm');
  return SOURCES.flatMap(({ path, text }) => {
    const taken = [...text.matchAll(imports)]
      .flatMap(([, list]) => list.split(',').map((name) => name.trim()))
      .filter((name) => name !== '' && !name.startsWith('type ') && names.test(name));
    return taken.length === 0 ? [] : [`${path}: ${taken.join(', ')}`];
  });
}

test.each([
  [
    'starts other programs',
    'node:child_process',
    /./,
    [
      'packages/collector/src/attach/bpftrace-process.ts: spawn',
      'packages/collector/src/attach/dashboard-process.ts: spawn',
      'packages/collector/src/attach/gathered-output.ts: spawnSync',
      'packages/collector/src/attach/perf-process.ts: spawn',
      'packages/collector/src/host/host-sources.ts: execFile',
      'packages/replay/src/fleet/worker-process.ts: fork',
    ],
  ],
  [
    'connects or listens',
    'node:net',
    /^(?:connect|createConnection|createServer|Server)$/,
    [
      'packages/collector/src/attach/live-socket.ts: connect, createServer',
      'packages/tui/src/source/live-socket.ts: connect',
    ],
  ],
  [
    'answers HTTP',
    'node:http',
    /./,
    ['packages/collector/src/attach/metrics-listener.ts: createServer'],
  ],
  [
    'goes to a NATS server',
    '@nats-io/transport-node',
    /^(?:connect|wsconnect)$/,
    ['packages/fleet/src/server-connection.ts: connect'],
  ],
  [
    'reaches out in another way',
    'node:(?:https|http2|tls|dgram|dns|vm|cluster)(?:/promises)?',
    /^(?!checkServerIdentity$)/,
    [],
  ],
])('what %s', (_, module, names, places) => {
  expect(importersOf(module, names)).toEqual(places);
});

test('such modules are named in no other way: not as a whole, not while the program runs', () => {
  const doors =
    /(?:node:(?:child_process|net|https?|http2|tls|dgram|dns|vm|cluster)(?:\/promises)?|(?:from|import|import\() ?['"](?:child_process|net|https?|http2|tls|dgram|dns|vm|cluster|@nats-io\/transport-node))['"`]/g;
  const others = SOURCES.filter(({ text }) => {
    const known = text.match(
      /^(?:import|export) (?:type )?\{[^}]*\} from '(?:node:\w+(?:\/promises)?|@nats-io\/transport-node)';/gm,
    );
    const named = (known ?? []).flatMap((line) => line.match(doors) ?? []);
    return (text.match(doors) ?? []).length !== named.length;
  });
  expect(others.map(({ path }) => path)).toEqual([]);
});

test('nothing else reaches a network, or runs what is text', () => {
  const reaching = SOURCES.filter(({ text }) =>
    /(?<!\.)\bfetch\(|\bglobalThis\b.*fetch|\bnew WebSocket\b|\beval\(|\bnew Function\(|\brequire\(/.test(
      text.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, ''),
    ),
  );
  expect(reaching.map(({ path }) => path)).toEqual([]);
});

/**
 * With `--user` root is what the whole process is while a piece of work takes it, its threads that wait for files
 * among them: what they open in that moment they would open as root. So a recording opens nothing there.
 */
test('what records opens, makes, renames and removes files at once, and never on another thread', () => {
  const recording =
    /^packages\/(?:collector\/src\/(?:attach|fleet|host|privileges)|fleet\/src|trace\/src)\//;
  const waiting = importersOf('node:fs', /^(?!\w+Sync$|constants$)/).filter((line) =>
    recording.test(line),
  );
  // By a descriptor that is open, all of them.
  expect(waiting).toEqual([
    'packages/fleet/src/spool-writer.ts: writev',
    'packages/trace/src/input-bytes.ts: read',
    'packages/trace/src/write-behind.ts: writev',
  ]);
  const otherwise = SOURCES.filter(
    ({ path, text }) =>
      recording.test(path) &&
      /['"](?:node:)?fs\/promises['"]|['"]fs['"]|(?:import|export) (?:\w+|\*[^']*) from 'node:fs'|import\('node:fs/.test(
        text,
      ),
  );
  expect(otherwise.map(({ path }) => path)).toEqual([]);
});

/** It starts the program that it is of, which reads runs from servers. */
const ITSELF = 'packages/replay/src/fleet/worker-process.ts';

const STARTERS = SOURCES.filter(({ text }) => text.includes("'node:child_process'"));

test('what starts the program itself starts no other', () => {
  const { text = '' } = SOURCES.find(({ path }) => path === ITSELF) ?? {};
  expect(text.match(/\b(?:spawn|spawnSync|execFile|execFileSync|fork)\(.*/g)).toEqual([
    'fork(program, [WORKER_ARGUMENT], {',
  ]);
});

test.each(STARTERS.filter(({ path }) => path !== ITSELF))(
  '$path starts no shell, and gives nobody the password of a server',
  ({ text }) => {
    expect(text).not.toMatch(/\bshell:|\bexec\(|\bexecSync\(|'(?:\/bin\/)?(?:ba|da)?sh'/);
    const starts = text.match(/\b(?:spawn|spawnSync|execFile|execFileSync|fork)\(/g) ?? [];
    const environments = text.match(/\benv(?:: childEnvironment\(|,$)/gm) ?? [];
    expect(environments).toHaveLength(starts.length);
    // What is made once, and given to several.
    for (const [, made] of text.matchAll(/\bconst env = (.*)$/gm))
      expect(made).toMatch(/^childEnvironment\(/);
  },
);
