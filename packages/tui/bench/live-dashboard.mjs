// `pnpm bench:tui`: what the dashboard costs while a socket brings a million events a second from 256
// virtqueues, on screens of two sizes: frames, CPU, memory over time, and whether the writer was held back.
//
// BENCH_SECONDS (60), BENCH_RATE (1000000), BENCH_VIRTQUEUES (256)
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTerminal } from '../test/terminal-screen.mjs';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
const RATE = process.env.BENCH_RATE ?? '1000000';
const VIRTQUEUES = process.env.BENCH_VIRTQUEUES ?? '256';
const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 250, rows: 60 },
];
/** Until it runs as it will go on, s. */
const WARM_UP = 5;
/** Of the kernel's clock of CPU time. */
const TICKS_PER_SECOND = 100;
const PROGRAM = join(import.meta.dirname, '../bin/tui.js');

const folder = mkdtempSync(join(tmpdir(), 'bench-tui-'));
const out = (text) => process.stdout.write(`${text}\n`);
try {
  out(`${RATE} events a second of ${VIRTQUEUES} virtqueues, ${SECONDS} s each`);
  for (const size of SIZES) await measure(size);
} finally {
  rmSync(folder, { recursive: true });
}

async function measure({ columns, rows }) {
  const socket = join(folder, `${columns}.sock`);
  const writer = spawn(
    process.execPath,
    [join(import.meta.dirname, 'live-writer.mjs'), socket, RATE, VIRTQUEUES],
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
  const memory = [before.memory];
  const begun = performance.now();
  while (performance.now() - begun < SECONDS * 1000) {
    await pause((SECONDS * 1000) / 6);
    memory.push(usage(terminal.pid).memory);
  }
  const elapsed = (performance.now() - begun) / 1000;
  const after = usage(terminal.pid);
  const shown = terminal.lines()[1]?.trim() ?? '';
  terminal.press('q');
  await terminal.exited;
  await until(() => told.includes('}'));
  const drawing = /(\d+) frames?, ([\d.]+) ms each.*/.exec(terminal.text())?.[0] ?? 'not told';
  terminal.close();
  const writing = JSON.parse(told.split('\n')[1]);
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  out(`\n${columns}x${rows}`);
  out(`  drawing    ${drawing}`);
  out(`  in all     ${percent((after.cpu - before.cpu) / elapsed)} of one CPU`);
  out(`  memory     ${memory.map((bytes) => `${Math.round(bytes / 1e6)} MB`).join(', ')}`);
  out(`  writer     ${writing.events} events; at most ${writing.most_waiting_bytes} bytes waited`);
  out(`  the screen ${shown}`);
}

/** CPU seconds and bytes of a process. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  const [, resident] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
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
