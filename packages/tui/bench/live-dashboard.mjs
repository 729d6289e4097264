// `npm run bench:tui`: what the dashboard costs while a socket brings a million events a second from 256
// virtqueues, on screens of two sizes: frames, CPU, memory over time, and whether the writer was held back. On a
// machine that is busy with other things both wait for a CPU, which is told, and what is not read waits at the writer:
// it drops no reader, as the recorder would.
//
// BENCH_SECONDS (60, of each screen; 600 for ten minutes of memory), BENCH_RATE (1000000), BENCH_VIRTQUEUES (256),
// BENCH_SIZES (80x24,250x60)
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordFigures } from '../../../bench/recorded-figures.mjs';
import { openTerminal } from '../test/terminal-screen.mjs';

const SECONDS = setting('BENCH_SECONDS', 60);
const RATE = setting('BENCH_RATE', 1_000_000);
const VIRTQUEUES = setting('BENCH_VIRTQUEUES', 256);
const SIZES = (process.env.BENCH_SIZES ?? '80x24,250x60').split(',').map((size) => {
  const [columns, rows] = size.split('x').map(Number);
  if (!(columns >= 80 && rows >= 24))
    throw new Error(`BENCH_SIZES is like 80x24,250x60, not ${size}`);
  return { columns, rows };
});
/** Until it runs as it will go on, s. */
const WARM_UP = 5;
/** Of the kernel's clock of CPU time. */
const TICKS_PER_SECOND = 100;
const PROGRAM = join(import.meta.dirname, '../bin/tui.js');

const folder = mkdtempSync(join(tmpdir(), 'bench-tui-'));
const { print: out, save } = recordFigures('npm run bench:tui');
try {
  out(`${RATE} events a second of ${VIRTQUEUES} virtqueues, ${SECONDS} s each`);
  for (const size of SIZES) await measure(size);
  save();
} finally {
  rmSync(folder, { recursive: true });
}

async function measure({ columns, rows }) {
  const socket = join(folder, `${columns}.sock`);
  const writer = spawn(
    process.execPath,
    [join(import.meta.dirname, 'live-writer.mjs'), socket, String(RATE), String(VIRTQUEUES)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let told = '';
  writer.stdout.setEncoding('utf8').on('data', (text) => (told += text));
  await until(() => told.startsWith('listening'));
  const terminal = openTerminal(
    process.execPath,
    [PROGRAM, '--socket', socket, '--debug', '--keep', '1G'],
    { columns, rows, env: { TMPDIR: folder } },
  );
  await pause(WARM_UP * 1000);
  const before = usage(terminal.pid);
  const writerBefore = usage(writer.pid);
  const memory = [before.memory];
  const begun = performance.now();
  // Every ten seconds; six times where that is too seldom.
  const looks = Math.max(6, Math.round(SECONDS / 10));
  for (let look = 1; look <= looks; look++) {
    await pause(Math.max(0, begun + (look * SECONDS * 1000) / looks - performance.now()));
    memory.push(usage(terminal.pid).memory);
  }
  const elapsed = (performance.now() - begun) / 1000;
  const after = usage(terminal.pid);
  const writerAfter = usage(writer.pid);
  const shown = terminal.lines()[1]?.trim() ?? '';
  terminal.press('q');
  await terminal.exited;
  await until(() => told.includes('}'));
  // The emulator takes in what was written last after the program is gone.
  const last = await terminal.until('ms each');
  const [drawing] = /\d+ frames?, .*/.exec(last);
  terminal.close();
  const writing = JSON.parse(told.split('\n')[1]);
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  out(`\n${columns}x${rows}`);
  out(`  drawing    ${drawing}`);
  out(`  in all     ${percent((after.cpu - before.cpu) / elapsed)} of one CPU`);
  out(
    `  waiting    for a CPU: ${percent((after.delay - before.delay) / elapsed)} of the time, the writer ${percent((writerAfter.delay - writerBefore.delay) / elapsed)}`,
  );
  out(`  memory     ${memory.map(megabytes).join(', ')} MB`);
  out(`             ${trendOf(memory)}`);
  out(
    `  writer     ${writing.events} events; at most ${megabytes(writing.most_waiting_bytes)} MB waited, after ${writing.most_waiting_at} s; it was ${writing.most_late_ms} ms late once`,
  );
  out(`  the screen ${shown}`);
}

function megabytes(bytes) {
  return Math.round(bytes / 1e6);
}

/** What memory comes to in the first and in the last third: what rises for good shows there. */
function trendOf(memory) {
  const third = Math.ceil(memory.length / 3);
  const most = (part) => megabytes(Math.max(...part));
  return `at most ${most(memory.slice(0, third))} MB in the first third, ${most(memory.slice(-third))} MB in the last`;
}

/** A number greater than 0 from the environment. */
function setting(name, usual) {
  const value = Number(process.env[name] ?? usual);
  if (!(value > 0)) throw new Error(`${name} is a number greater than 0, not ${process.env[name]}`);
  return value;
}

/** CPU seconds of a process, seconds that its main thread waited for a CPU, and bytes. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  const [, resident] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    delay: Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e9,
    memory: Number(resident) * 1024,
  };
}

async function until(isSo) {
  while (!isSo()) await pause(50);
}

async function pause(milliseconds) {
  await new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
