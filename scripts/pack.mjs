// `npm run pack`: the three programs, as `npm run bundle` has left them, as one package for npm that needs no other:
// vhostscope-VERSION.tgz, beside them. README and docs go with it, without links to what does not.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutDeadLinks } from './document-links.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Where the bundles are. */
const bundle = resolve(root, process.env.BUNDLE_FOLDER ?? 'bundle');

const PROGRAMS = ['collector', 'replay', 'tui'];

const { name, version, description, license, type, engines } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
const manifest = {
  name,
  version,
  description,
  keywords: ['bpftrace', 'kernel', 'linux', 'mmu-notifier', 'perf', 'vhost', 'virtio'],
  license,
  bin: Object.fromEntries(PROGRAMS.map((program) => [program, `./${program}.mjs`])),
  type,
  // Nothing of it is for `import`.
  exports: {},
  engines,
};

/** Behind the title of the README, which is that of the sources. */
const NOTE =
  '> This is the package of the programs: `collector`, `replay` and `tui` are on the PATH, and nothing has to be built. The text below is that of the sources. For its `npm start`, run `replay run examples/d1-dpdk-virtio-user.txt.gz` in the folder in which it lies.';

const folder = mkdtempSync(join(tmpdir(), 'vhostscope-pack-'));
try {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const file of [
    ...PROGRAMS.map((program) => `${program}.mjs`),
    'LICENSE',
    'THIRD-PARTY-LICENSES.txt',
  ])
    cpSync(join(bundle, file), join(folder, file));
  for (const path of ['README.md', 'CHANGELOG.md', 'docs', 'examples'])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  const isPacked = (path) => existsSync(join(folder, path));
  const read = (path) => readFileSync(join(root, path), 'utf8');
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.md')) continue;
    const text = readFileSync(join(folder, path), 'utf8');
    writeFileSync(join(folder, path), withoutDeadLinks(text, path, isPacked, read));
  }
  const readme = join(folder, 'README.md');
  writeFileSync(readme, readFileSync(readme, 'utf8').replace('\n\n', `\n\n${NOTE}\n\n`));
  const { error, status, signal, stdout } = spawnSync(
    'npm',
    ['pack', '--silent', '--pack-destination', bundle],
    {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (status === 0) process.stdout.write(`${join(bundle, stdout.trim())}\n`);
  else {
    const why =
      error?.code === 'ENOENT'
        ? 'npm is not on the PATH; it comes with Node'
        : (error?.message ?? signal ?? `exit code ${status}`);
    process.stderr.write(`pack: npm pack failed: ${why}\n`);
    // The folder has to be removed still.
    process.exitCode = status ?? 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
