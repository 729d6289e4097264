// `node scripts/report-image.mjs`: takes the picture of a report that the README shows, from a trace of
// `examples/`. Run it, after `npm start`, when the page has changed; it needs Chromium, or its headless shell.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TRACE = 'examples/s3-resetup-under-storm.txt.gz';
const IMAGE = join(ROOT, 'docs/images/report.png');

/** Runs a program in the repository; it must succeed. */
function run(program, ...args) {
  const { status, error, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${program}: exit ${status}\n${stderr}`);
}

const CHROMIUM = ['chromium', 'chromium-headless-shell'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);
if (CHROMIUM === undefined) {
  process.stderr.write('report-image: no Chromium: apt-get install chromium-headless-shell\n');
  process.exit(3);
}

const folder = mkdtempSync(join(tmpdir(), 'report-image-'));
try {
  const page = join(folder, 'report.html');
  run(process.execPath, 'packages/replay/bin/replay.js', 'report', TRACE, '-o', page);
  run(
    CHROMIUM,
    '--headless',
    '--disable-gpu',
    '--hide-scrollbars',
    ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
    '--window-size=1120,1010',
    `--screenshot=${IMAGE}`,
    pathToFileURL(page).href,
  );
  process.stdout.write(`${IMAGE}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
