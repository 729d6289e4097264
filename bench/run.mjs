// `npm run bench`: import and replay of 7 million lines, and import of perf's text, against public tools on the same bytes, in one run
// on one machine. Figures are medians of runs taken in turn; quote the ratios, the rest is this machine.
import { spawnSync } from 'node:child_process';
import {
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { compareInProcess, importInProcess, replayInProcess, TIMES } from './in-process.mjs';
import { median } from './median.mjs';
import { PEAK_MEMORY } from './peak-memory.mjs';
import { recordFigures } from './recorded-figures.mjs';

const { print, save } = recordFigures('npm run bench');
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** 13 thousand accesses, 2 thousand ranges, and a ring that is set up again and again. */
const STORM = join(ROOT, 'examples/s3-resetup-under-storm.txt.gz');
const EXAMPLE = join(ROOT, 'examples/d1-dpdk-virtio-user.txt.gz');
/** 39 times 181,107 lines: 7 million, 276 MB. */
const COPIES = 39;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
/** 6,041 lines of perf script, of accesses and rounds nearly all. */
const PERF = join(ROOT, 'packages/trace/test/golden/perf-script-default.txt.gz');
/**
 * So many of them, each three seconds after the one before: 9.7 million lines, 1.2 GB. Of a quarter of that, the fifth
 * of a second in which a program starts and is compiled is a third of the time.
 */
const PERF_COPIES = 1600;

/**
 * @param {string} file - of the trace as text
 * @param {string} trace - trace file to write
 */
function commandsFor(file, trace) {
  const program = (name, ...args) => ({
    command: process.execPath,
    args: ['--import', PEAK_MEMORY, join(ROOT, `packages/${name}/dist/main.js`), ...args],
    measuresMemory: true,
  });
  return [
    { name: 'wc -l', command: 'wc', args: ['-l', file] },
    { name: 'grep -c ^A', command: 'grep', args: ['-c', '^A', file] },
    { name: 'mawk', command: 'mawk', args: ['$1=="A"{n++;h+=$6} END{print n,h}', file] },
    {
      name: 'collector import',
      ...program('collector', 'import', file, '-o', trace),
      writes: trace,
    },
    { name: 'replay run (.arrows)', ...program('replay', 'run', trace) },
    {
      name: 'replay report (.arrows)',
      ...program('replay', 'report', trace, '-o', `${trace}.html`),
    },
    { name: 'replay run (text)', ...program('replay', 'run', file) },
  ];
}

function run({ command, args, measuresMemory, writes }) {
  // To write over a file takes the time to free it, too.
  if (writes !== undefined) rmSync(writes, { force: true });
  const begun = process.hrtime.bigint();
  // Not to /dev/null: grep stops at the first match there.
  const { status, error, stderr } = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  if (error?.code === 'ENOENT') return undefined;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${status}\n${stderr}`);
  return {
    seconds,
    kilobytes: measuresMemory ? Number(stderr.trim().split('\n').at(-1)) : undefined,
  };
}

function row(cells) {
  const widths = [24, 9, 10, 12, 10, 12];
  print(
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
      .join(' '),
  );
}

function commandNamed(commands, name) {
  return commands.find((command) => command.name === name);
}

/** Import against mawk, each with one core to itself: what it costs where no other core is free. */
function compareOnOneCore(commands) {
  const onOne = (name) => {
    const { command, args, ...rest } = commandNamed(commands, name);
    return { command: 'taskset', args: ['-c', '0', command, ...args], ...rest };
  };
  const pairs = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [mawk, ours] = [run(onOne('mawk')), run(onOne('collector import'))];
    if (mawk === undefined || ours === undefined) return;
    pairs.push(mawk.seconds / ours.seconds);
  }
  print(
    `\ncollector import on one core of ${availableParallelism()}: ${median(pairs).toFixed(2)} x mawk on one core`,
  );
}

/** Import of perf's text against mawk over the same bytes, in turns, on all cores and on one. */
function comparePerf(folder) {
  const text = join(folder, 'perf.txt');
  const once = gunzipSync(readFileSync(PERF)).toString('latin1');
  writeFileSync(text, '');
  for (let copy = 0; copy < PERF_COPIES; copy++) {
    const later = (_, seconds) => ` ${String(Number(seconds) + 3 * copy).padStart(5)}.`;
    appendFileSync(text, once.replaceAll(/ +(\d+)\.(?=\d{9}:)/g, later), 'latin1');
  }
  const bytes = statSync(text).size;
  const mawk = {
    command: 'mawk',
    args: ['$5=="vho:access:"{n++;h+=substr($9,5)} END{print n,h}', text],
  };
  const ours = commandNamed(commandsFor(text, join(folder, 'perf.arrows')), 'collector import');
  const onOne = ({ command, args, ...rest }) => ({
    command: 'taskset',
    args: ['-c', '0', command, ...args],
    ...rest,
  });
  print(`\nperf script text, ${(bytes / 1e6).toFixed(0)} MB`);
  for (const [where, on] of [
    [`${availableParallelism()} cores`, (command) => command],
    ['one core', onOne],
  ]) {
    const figures = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const [theirs, own] = [run(on(mawk)), run(on(ours))];
      if (theirs === undefined || own === undefined) return;
      if (round > 0) figures.push({ ratio: theirs.seconds / own.seconds, seconds: own.seconds });
    }
    const ratio = median(figures.map((figure) => figure.ratio)).toFixed(2);
    const speed = (bytes / 1e6 / median(figures.map(({ seconds }) => seconds))).toFixed(0);
    print(`  collector import, ${where.padEnd(9)} ${speed} MB/s, ${ratio} x mawk`);
  }
  rmSync(text);
}

/** What memory depends on: nothing of the two below. */
function printMemory(folder, once) {
  print('\npeak MB of import and of replay of its trace');
  const four = join(folder, 'four.txt');
  writeFileSync(four, '');
  for (let copy = 0; copy < 4 * COPIES; copy++) appendFileSync(four, once);
  measure('four times as many events', four);
  const apart = join(folder, 'apart.txt');
  writeFileSync(apart, once);
  // A second CPU with the same times, all of it behind the first.
  const other = once.toString('latin1').replace(/^#.*\n/, '');
  appendFileSync(apart, other.replaceAll(/^(\S+ \d+) 0 /gm, '$1 1 '));
  measure('a CPU minutes behind the other', apart);

  function measure(what, file) {
    const trace = join(folder, 'memory.arrows');
    const commands = commandsFor(file, trace);
    const peak = (name) => (run(commandNamed(commands, name)).kilobytes / 1024).toFixed(0);
    print(`  ${what.padEnd(31)} ${peak('collector import')} ${peak('replay run (.arrows)')}`);
    rmSync(file);
  }
}

/** What many designs cost in one pass, in times of one. */
function printComparison(what, { twelve, all, count }) {
  print(
    `  compare, ${what.padEnd(23)} 12 designs ${twelve.toFixed(2)} x one, all ${count} ${all.toFixed(2)} x`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'vhostscope-bench-'));
try {
  const text = join(folder, 'd1x39.txt');
  const once = gunzipSync(readFileSync(EXAMPLE));
  writeFileSync(text, '');
  for (let copy = 0; copy < COPIES; copy++) appendFileSync(text, once);
  const trace = join(folder, 'd1x39.arrows');
  const bytes = statSync(text).size;
  const lines = once.reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0) * COPIES;
  print(
    `${(lines / 1e6).toFixed(2)} M lines, ${(bytes / 1e6).toFixed(0)} MB; medians of ${ROUNDS} rounds\n`,
  );

  const commands = commandsFor(text, trace);
  const measured = new Map(commands.map(({ name }) => [name, []]));
  // One round uncounted, to fill the page cache.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const command of commands) {
      const figure = run(command);
      if (round > 0 && figure !== undefined) measured.get(command.name).push(figure);
    }
  }
  const mawk = median(measured.get('mawk').map(({ seconds }) => seconds));
  row(['whole process', 'seconds', 'MB/s', 'M lines/s', 'x mawk', 'peak MB']);
  for (const [name, figures] of measured) {
    if (figures.length === 0) {
      row([name, 'not here']);
      continue;
    }
    const seconds = median(figures.map((figure) => figure.seconds));
    const kilobytes = median(figures.map((figure) => figure.kilobytes ?? 0));
    row([
      name,
      seconds.toFixed(3),
      (bytes / 1e6 / seconds).toFixed(0),
      (lines / 1e6 / seconds).toFixed(1),
      mawk === undefined ? '' : (mawk / seconds).toFixed(2),
      kilobytes === 0 ? '' : (kilobytes / 1024).toFixed(0),
    ]);
  }

  compareOnOneCore(commands);
  comparePerf(folder);

  print('\n--help, milliseconds more than `node -e 0` (least of 10)');
  const least = (args) =>
    Math.min(...Array.from({ length: 10 }, () => run({ command: process.execPath, args }).seconds));
  const node = least(['-e', '0']);
  for (const name of ['collector', 'replay', 'tui']) {
    const more = least([join(ROOT, `packages/${name}/bin/${name}.js`), '--help']) - node;
    print(`  ${name.padEnd(10)} ${(1000 * more).toFixed(0)}`);
  }

  print(`\nin one process, warm, best of ${TIMES}`);
  const { order, eventsPerSecond } = await replayInProcess(trace);
  print(
    `  replay (trace file to tallies) ${(eventsPerSecond / 1e6).toFixed(0)} M events/s, one engine, order ${order}`,
  );
  printComparison('a trace of much traffic', await compareInProcess(trace));
  const storm = join(folder, 'storm.arrows');
  run({ ...commandNamed(commandsFor(STORM, storm), 'collector import') });
  printComparison('a storm of ranges', await compareInProcess(storm));
  const { megabytesPerSecond } = importInProcess(readFileSync(text), join(folder, 'again.arrows'));
  print(`  import (text to trace file)    ${megabytesPerSecond.toFixed(0)} MB/s`);
  printMemory(folder, once);
  save();
} finally {
  rmSync(folder, { recursive: true });
}
