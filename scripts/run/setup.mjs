// Install and build, each only when something that it depends on has changed.
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeBuildNotes } from './build-note.mjs';
import { exec, Failed, root, talk, toolEnvironment } from './exec.mjs';
import { hashOf, isStamped, listFiles, stamp } from './stamps.mjs';
import { withLock } from './lock.mjs';

export { root };

/** Everything here is made again when it is missing; git ignores it. */
const cache = join(root, '.cache');

/** Installs the dependencies, exactly as in the lockfile. */
export async function install() {
  const manifests = () => ['.', ...packages()].map((path) => join(path, 'package.json'));
  const wanted = () =>
    hashOf(
      root,
      ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests()],
      [process.platform, process.arch, process.versions.modules],
    );
  if (isStamped(root, 'install', wanted())) return;
  await withLock(cache, async () => {
    if (isStamped(root, 'install', wanted())) return;
    const pnpm = await findPnpm();
    await step(
      'installing dependencies',
      [
        ...pnpm,
        'install',
        '--frozen-lockfile',
        '--prefer-offline',
        '--reporter=append-only',
        // Nobody can be asked: what was installed in another way is replaced.
        '--config.confirmModulesPurge=false',
        ...sameStore(),
      ],
      ` (after a change of a package.json: \`npx ${pnpmVersion()} install\`, and commit the lockfile)`,
    );
    stamp(root, 'install', wanted());
  });
}

/** Builds the packages. turbo knows best what to build; the stamp saves starting it for nothing. */
export async function build() {
  const sources = () =>
    listFiles(root, ['packages'], (path) => !IGNORED.has(basename(path))).concat(
      'package.json',
      'pnpm-lock.yaml',
      'tsconfig.base.json',
      'turbo.json',
    );
  // Outputs are many and only we write them: their sizes and times do.
  const outputs = () =>
    listFiles(
      root,
      packages().map((path) => join(path, 'dist')),
    );
  const wanted = () => hashOf(root, sources(), [process.versions.modules], outputs());
  if (isStamped(root, 'build', wanted())) {
    // The commit may be another one.
    if (writeBuildNotes(root)) stamp(root, 'build', wanted());
    return;
  }
  await withLock(cache, async () => {
    // Taken before the build: a file saved while it runs must cause another one.
    const before = hashOf(root, sources());
    await step('building', [
      'turbo',
      'run',
      'build',
      '--log-order=grouped',
      '--no-update-notifier',
    ]);
    writeBuildNotes(root);
    if (hashOf(root, sources()) === before) stamp(root, 'build', wanted());
  });
}

const IGNORED = new Set(['node_modules', 'dist', 'coverage', '.turbo', 'fixtures', 'test']);

/** @returns {string[]} the folders of the packages, relative to the repository, in order */
function packages() {
  return listFiles(root, ['packages'], (path) => path.split('/').length <= 3)
    .filter((path) => basename(path) === 'package.json')
    .map((path) => path.slice(0, -'/package.json'.length));
}

/** Runs one step quietly, and says how long it took. */
async function step(what, command, advice = '') {
  const started = performance.now();
  talk(`${what} …`);
  const code = await exec(command, { cwd: root, env: toolEnvironment(), quiet: true });
  if (code !== 0) throw new Failed(`${what} failed, see above${advice}`, 1);
  talk(`${what}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/**
 * The pinned pnpm: the installed one, else one fetched by npm into the cache. corepack would be
 * shorter, but newer versions of Node come without it.
 *
 * @returns {Promise<string[]>} the command
 */
async function findPnpm() {
  const wanted = pnpmVersion();
  const version = wanted.slice('pnpm@'.length);
  const prefix = join(cache, 'pnpm');
  const places = [join(root, 'node_modules/pnpm'), join(prefix, 'node_modules/pnpm')];
  const found = () => places.find((place) => versionIn(place) === version);
  if (!found()) {
    mkdirSync(prefix, { recursive: true });
    await step(`fetching pnpm ${version}`, [
      ...npm(),
      'install',
      '--prefix',
      prefix,
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      wanted,
    ]);
  }
  return [process.execPath, join(found() ?? places[1], 'bin/pnpm.cjs')];
}

/** @returns {string} `pnpm@` and the version that package.json pins */
function pnpmVersion() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // A hash may follow the version.
  const version = /^pnpm@\d+\.\d+\.\d+/.exec(packageManager)?.[0];
  if (!version)
    throw new Failed(`package.json: packageManager is "${packageManager}", not pnpm`, 2);
  return version;
}

/** The npm that called us, else the one on the PATH. */
function npm() {
  const path = process.env.npm_execpath;
  return path && basename(path) === 'npm-cli.js' ? [process.execPath, path] : ['npm'];
}

function versionIn(folder) {
  const path = join(folder, 'package.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : undefined;
}

/**
 * pnpm's store lies in the home folder. With another home, pnpm would take another store and fetch
 * everything again; it need not, as long as the store in use can be written.
 */
function sameStore() {
  try {
    const text = readFileSync(join(root, 'node_modules/.modules.yaml'), 'utf8');
    const store = /^\s*"?storeDir"?:\s*"?(.+?)"?,?$/m.exec(text)?.[1];
    if (!store) return [];
    accessSync(store, constants.W_OK);
    return [`--store-dir=${store}`];
  } catch {
    return [];
  }
}
