// Holds the direction of imports between the packages, by an allow-list.
//
//     collector   replay ← tui          programs; the dashboard judges by the code of replay
//          \        |       /
//            \    fleet   /              runs of many hosts on a server; only what uses one loads it
//              \    |    /
//          trace    terminal            what they share: traces; and the manners of a program
//              /     \
//   bpftrace-parser   model             knowledge: no I/O, and neither knows the other
//
// Imports whose target is computed at run time cannot be seen here.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/**
 * What the sources of a package may import besides themselves. A package without a row fails: its
 * place in the picture is a decision.
 *
 * @typedef {object} Row
 * @property {string[]} packages - of the workspace and of others
 * @property {boolean} node - whether Node's own modules are allowed
 * @property {boolean} [anyThirdParty] - whether everything that it declares and that is not of the
 *   workspace is allowed too
 */

const PROGRAM = {
  packages: ['@vhostscope/model', '@vhostscope/trace', '@vhostscope/terminal', '@vhostscope/fleet'],
  node: true,
  anyThirdParty: true,
};

/** @type {Record<string, Row>} */
export const ALLOWED = {
  'bpftrace-parser': { packages: [], node: false },
  '@vhostscope/model': { packages: ['zod'], node: false },
  '@vhostscope/trace': {
    packages: ['bpftrace-parser', '@vhostscope/model', 'apache-arrow', 'zod'],
    node: true,
  },
  '@vhostscope/terminal': { packages: ['commander'], node: true },
  '@vhostscope/fleet': {
    packages: [
      '@vhostscope/trace',
      '@vhostscope/terminal',
      '@nats-io/transport-node',
      '@nats-io/jetstream',
      'zod',
    ],
    node: true,
  },
  '@vhostscope/collector': { ...PROGRAM, packages: [...PROGRAM.packages, 'bpftrace-parser'] },
  '@vhostscope/replay': PROGRAM,
  '@vhostscope/tui': { ...PROGRAM, packages: [...PROGRAM.packages, '@vhostscope/replay'] },
  // It knows nothing of vhostscope but how its programs behave; its tests read what they wrote.
  '@vhostscope/testbed': PROGRAM,
  // Its hooks are those of vitest: only tests have it.
  '@vhostscope/nats-testbed': { packages: ['vitest'], node: true },
};

/**
 * What code that is not shipped (tests, benchmarks) may import beyond that. It runs on Node, so
 * Node's modules are its too.
 */
const TOOLS = [
  'vitest',
  'fast-check',
  'mitata',
  'publint',
  'typescript',
  '@vhostscope/nats-testbed',
];

/** The one file outside its package that a package's vitest.config.ts is there to import. */
const SHARED_CONFIG = 'vitest.shared.ts';

/**
 * @typedef {object} Violation
 * @property {string} file - relative to the repository
 * @property {number} line - from 1
 * @property {string} rule - short and stable
 * @property {string} message
 */

/**
 * @typedef {object} Package
 * @property {string} folder - relative to the repository
 * @property {{ name: string, exports?: Record<string, unknown> } & Record<string, Record<string, string>>} manifest
 */

/**
 * Checks all packages of a repository.
 *
 * @param {string} root
 * @param {Record<string, Row>} [allowed]
 * @returns {{ files: number, violations: Violation[] }}
 */
export function checkRepository(root, allowed = ALLOWED) {
  const packages = readdirSync(join(root, 'packages'))
    .map((name) => posix.join('packages', name))
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')),
    }));
  const violations = [];
  let files = 0;
  for (const owner of packages) {
    for (const file of sourcesOf(root, owner.folder)) {
      files += 1;
      const text = readFileSync(join(root, file), 'utf8');
      violations.push(...checkFile(file, text, owner, packages, allowed));
    }
  }
  return { files, violations };
}

/**
 * Checks the imports of one file.
 *
 * @param {string} file - relative to the repository
 * @param {string} text
 * @param {Package} owner
 * @param {Package[]} packages - all of the workspace
 * @param {Record<string, Row>} allowed
 * @returns {Violation[]}
 */
export function checkFile(file, text, owner, packages, allowed) {
  const { name } = owner.manifest;
  const row = allowed[name];
  if (!row) {
    return [violation(file, text, 0, 'no-row', `${name} has no row in scripts/check-imports.mjs`)];
  }
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName: target, pos }) => {
      const problem = target.startsWith('.')
        ? checkRelative(file, target, owner)
        : checkBare(file, target, owner, packages, row);
      return problem && violation(file, text, pos, problem.rule, problem.message);
    })
    .filter((found) => found !== undefined);
}

function checkRelative(file, target, { folder, manifest }) {
  const path = posix.join(posix.dirname(file), target);
  if (!path.startsWith(`${folder}/`)) {
    if (isConfig(file) && path === SHARED_CONFIG) return undefined;
    // All benchmarks write into one page.
    if (isBench(file) && path.startsWith('bench/')) return undefined;
    return {
      rule: 'outside-package',
      message: `"${target}" leaves the package; import the other package by its name`,
    };
  }
  // Commands start what was built, and benchmarks measure it.
  const runsBuild = file.startsWith(`${folder}/bin/`) || isBench(file);
  if (path.startsWith(`${folder}/dist/`) && !runsBuild) {
    return { rule: 'own-dist', message: `"${target}" is built code of ${manifest.name} itself` };
  }
  const isSource = file.startsWith(`${folder}/src/`) && !isTest(file);
  if (isSource && (isTest(path) || isBench(path))) {
    return { rule: 'test-in-source', message: `"${target}" belongs to the tests or benchmarks` };
  }
  return undefined;
}

function checkBare(file, target, { manifest }, packages, row) {
  const { name } = manifest;
  const unshipped = isTest(file) || isConfig(file) || isBench(file);
  if (isBuiltin(target)) {
    if (row.node || unshipped) return undefined;
    return { rule: 'no-node', message: `${name} does no I/O, so "${target}" is not for it` };
  }
  // The package's own "imports" map: private names that cannot leave it.
  if (target.startsWith('#')) return undefined;
  if (target.startsWith('/') || target.includes(':')) {
    return { rule: 'absolute', message: `"${target}" is neither a package nor a relative path` };
  }

  const depth = target.startsWith('@') ? 2 : 1;
  const wanted = target.split('/').slice(0, depth).join('/');
  if (wanted === name) {
    return { rule: 'own-name', message: `${name} imports itself by name; use a relative path` };
  }
  const inWorkspace = packages.find((other) => other.manifest.name === wanted);
  const permitted =
    row.packages.includes(wanted) ||
    (row.anyThirdParty && !inWorkspace) ||
    (unshipped && TOOLS.includes(wanted));
  if (!permitted) {
    const list = row.packages.length > 0 ? row.packages.join(', ') : 'nothing';
    return { rule: 'direction', message: `${name} may import ${list}, not ${wanted}` };
  }

  const fields = unshipped
    ? ['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies']
    : ['dependencies', 'peerDependencies', 'optionalDependencies'];
  if (!fields.some((field) => manifest[field]?.[wanted])) {
    return {
      rule: 'undeclared',
      message: `${wanted} is not in the ${unshipped ? '(dev)' : ''}dependencies of ${name}`,
    };
  }
  const entry = `.${target.slice(wanted.length)}`;
  if (inWorkspace && !Object.hasOwn(inWorkspace.manifest.exports ?? {}, entry)) {
    return { rule: 'internals', message: `${wanted} does not export "${entry}"` };
  }
  return undefined;
}

/** @param {string} path */
function isTest(path) {
  // A relative import names the emitted file.
  return (
    /\.test\.[cm]?[jt]sx?$/.test(path) ||
    /^packages\/[^/]+\/(?:test|host-tests|fleet-tests)\//.test(path)
  );
}

function isBench(path) {
  return /^packages\/[^/]+\/bench\//.test(path);
}

function isConfig(path) {
  return /^packages\/[^/]+\/vitest(\.\w+)?\.config\.ts$/.test(path);
}

function violation(file, text, position, rule, message) {
  const line = text.slice(0, position).split('\n').length;
  return { file, line, rule, message };
}

/** @returns {string[]} the code of a package, relative to the repository */
function sourcesOf(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/\/(node_modules|dist|coverage|fixtures)\//.test(path));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { files, violations } = checkRepository(root);
  for (const { file, line, rule, message } of violations) {
    process.stderr.write(`${file}:${line}: ${rule}: ${message}\n`);
  }
  if (violations.length > 0) {
    process.stderr.write(`imports: ${violations.length} against the rules\n`);
    process.exitCode = 1;
  } else {
    process.stdout.write(`imports: ${files} files keep to the rules\n`);
  }
}
