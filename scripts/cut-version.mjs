// `npm run release:cut`: the lines in .changeset/ become a section of CHANGELOG.md, and all packages get its version. A
// version that is in CHANGELOG.md and was not released takes the lines in, and its date.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import getReleasePlan from '@changesets/get-release-plan';
import { newestSection, released } from './changelog.mjs';

const tools = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Of the repository: this one, unless a test names another. */
const root = resolve(process.argv[2] ?? tools);
const manifestPath = join(root, 'package.json');
const changelogPath = join(root, 'CHANGELOG.md');

const readManifest = () => JSON.parse(readFileSync(manifestPath, 'utf8'));

const { changesets, releases } = await getReleasePlan(root);
const before = readFileSync(changelogPath, 'utf8');
const { isReleased } = newestSection(before);
// A changeset of no package has nothing to tell.
const lines = changesets.map(({ summary }) => summary).filter((line) => line.trim() !== '');
if (isReleased && (releases.length === 0 || lines.length === 0)) {
  process.stderr.write(
    'release:cut: nothing has changed that a user notices: .changeset/ holds no line\n',
  );
  process.exit(1);
}

const version = isReleased ? releases[0].newVersion : readManifest().version;
const date = new Date().toISOString().slice(0, 10);
// First, as it may refuse.
const after = released(before, version, date, lines);

if (isReleased) {
  const cli = join(tools, 'node_modules/@changesets/cli/bin.js');
  const { status } = spawnSync(process.execPath, [cli, 'version'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  const manifest = { ...readManifest(), version };
  writeFileSync(manifestPath, `${JSON.stringify(manifest, undefined, 2)}\n`);
} else for (const { id } of changesets) rmSync(join(root, `.changeset/${id}.md`));
writeFileSync(changelogPath, after);
process.stdout.write(`${version}: read its section in CHANGELOG.md, and commit\n`);
