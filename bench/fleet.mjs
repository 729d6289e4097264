// `node bench/fleet.mjs`: a hundred traces by `replay fleet`, on one core and on two, and the memory that this takes.
// Medians of runs taken in turn; quote the ratios, the rest is this machine.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runMeasured } from './measured-run.mjs';
import { median } from './median.mjs';
import { recordFigures } from './recorded-figures.mjs';

const { print, save } = recordFigures('npm run bench:fleet');
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const TRACES = Number(process.env.BENCH_TRACES ?? 100);

/**
 * Of each trace file, so that a hundred are 5.7 GB, and half a million accesses each. For a second or so V8 has not
 * compiled yet what a process runs: of traces as short as the samples that is much.
 */
const RECORDINGS = Number(process.env.BENCH_RECORDINGS ?? 16);

/** The real recordings, as gzipped text. */
const SAMPLES = ['examples', 'packages/replay/test/golden']
  .flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => join(ROOT, folder, name)))
  .filter((path) => path.endsWith('.txt.gz'));

const WAYS = [
  { name: 'one core, one process', cores: '0', workers: 1 },
  { name: 'all cores, one process', cores: undefined, workers: 1 },
  { name: 'two cores, two processes', cores: '0,1', workers: 2 },
];

/** @param {{ cores: string | undefined, workers: number }} way */
async function replay(folder, { cores, workers }) {
  const main = join(ROOT, 'packages/replay/dist/main.js');
  const program = [process.execPath, main, 'fleet', '--json', '--workers', String(workers), folder];
  const [command, ...args] = cores === undefined ? program : ['taskset', '-c', cores, ...program];
  const { stdout, ...took } = await runMeasured(command, args);
  return { ...took, totals: JSON.parse(stdout).totals };
}

async function measure(what, folder) {
  const bytes = readdirSync(folder).reduce(
    (sum, name) => sum + statSync(join(folder, name)).size,
    0,
  );
  const found = new Map(WAYS.map(({ name }) => [name, []]));
  // One round uncounted, to fill the page cache.
  for (let round = 0; round <= ROUNDS; round++)
    for (const way of WAYS) {
      const figure = await replay(folder, way);
      if (round > 0) found.get(way.name).push(figure);
    }
  const { runs, designs } = found.get(WAYS[0].name)[0].totals;
  print(
    `\n${runs} traces, ${what}: ${(bytes / 1e6).toFixed(0)} MB, ${designs[0].decisions.accesses} accesses`,
  );
  const secondsOf = (name) => median(found.get(name).map(({ seconds }) => seconds));
  for (const { name } of WAYS) {
    const ratio = secondsOf(WAYS[0].name) / secondsOf(name);
    const cpu = median(found.get(name).map(({ cpuSeconds }) => cpuSeconds));
    const peak = median(found.get(name).map(({ megabytes }) => megabytes));
    print(
      `  ${name.padEnd(24)} ${secondsOf(name).toFixed(2)} s  ${ratio.toFixed(2)} x one core  CPU ${cpu.toFixed(2)} s  peak ${peak.toFixed(0)} MB`,
    );
  }
}

const folder = mkdtempSync(join(tmpdir(), 'vhostscope-bench-'));
try {
  print(`${availableParallelism()} cores; medians of ${ROUNDS} rounds`);
  const [texts, files] = ['texts', 'files'].map((name) => join(folder, name));
  for (const one of [texts, files]) mkdirSync(one);
  const imported = SAMPLES.map((path, at) => {
    const to = join(folder, `${at}.arrows`);
    const collector = join(ROOT, 'packages/collector/dist/main.js');
    const { status, stderr } = spawnSync(process.execPath, [
      collector,
      'import',
      ...Array.from({ length: RECORDINGS }, () => path),
      '-o',
      to,
    ]);
    if (status !== 0) throw new Error(`import of ${path}: ${String(stderr)}`);
    return to;
  });
  for (let at = 0; at < TRACES; at++) {
    copyFileSync(SAMPLES[at % SAMPLES.length], join(texts, `${at}.txt.gz`));
    copyFileSync(imported[at % imported.length], join(files, `${at}.arrows`));
  }
  await measure('gzipped text', texts);
  await measure('trace files', files);
  save();
} finally {
  rmSync(folder, { recursive: true });
}
