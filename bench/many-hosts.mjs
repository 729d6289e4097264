// `npm run bench:hosts`: what a dashboard takes that shows many busy hosts of one server at once, and what `replay fleet`
// takes of their runs. Needs nats-server. docs/scale.md has the figures.
// Quote processor time and memory: how far the dashboard keeps up depends on what else the machine does, of which the
// server and the sender of all these hosts are a part. How many seconds it is behind is not measured: a row tells the age
// of the server's last piece, or that it is behind, and not the moment of its numbers.
//
// BENCH_HOSTS (32), BENCH_RATE (5000 events a second of each), BENCH_SECONDS (60)
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  connectFleet,
  initStream,
  openPublisher,
  parseFleetUrl,
} from '../packages/fleet/dist/index.js';
// Not by its index, which has hooks of vitest.
import { hasServer, startServer } from '../packages/nats-testbed/dist/nats-server.js';
import { grouped } from '../packages/terminal/dist/index.js';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  endOfStream,
  flushTrace,
} from '../packages/trace/dist/index.js';
import { openTerminal } from '../packages/tui/test/terminal-screen.mjs';
import { cpuSecondsOf } from './cpu-seconds.mjs';
import { runMeasured } from './measured-run.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Rounds, attempts, invalidations and accesses of a direct-map kernel. */
const SAMPLE = join(ROOT, 'packages/replay/test/golden/u1-mixed-q256.txt.gz');
const HOSTS = Number(process.env.BENCH_HOSTS ?? 32);
const RATE = Number(process.env.BENCH_RATE ?? 5000);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
/** Until the dashboard runs as it will go on, s. */
const WARM_UP = 10;
/** So often each host appends something. */
const APPENDS_PER_SECOND = 5;
const TICKS = (SECONDS + WARM_UP) * APPENDS_PER_SECOND;

/**
 * A trace of one host, of so many events at that rate, written as a recorder does: flushed so often.
 *
 * @returns its path, where each flush ended in it, and how many events it has
 */
function makeTrace(folder) {
  const lines = gunzipSync(readFileSync(SAMPLE)).toString('latin1').split('\n');
  const setUp = lines.filter((line) => /^[ZXUN] /.test(line));
  const rest = lines.filter((line) => /^[AMPR] |^I[SE] /.test(line));
  const path = join(folder, 'host.arrows');
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, {
    sources: ['bench'],
    writer: 'bench',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  const importer = createTextImporter(writer, createImportReport());
  let time = 1_000_000_000;
  const step = Math.round(1e9 / RATE);
  const told = (line) => {
    const [tag, , ...others] = line.split(' ');
    return `${tag} ${(time += step)} ${others.join(' ')}\n`;
  };
  importer.push(Buffer.from(`# vhost-oracle 1\n${setUp.map(told).join('')}`, 'latin1'));
  const ends = [];
  const each = Math.round(RATE / APPENDS_PER_SECOND);
  for (let tick = 0; tick < TICKS; tick++) {
    const part = Array.from({ length: each }, (_, at) => rest[(tick * each + at) % rest.length]);
    importer.push(Buffer.from(part.map(told).join(''), 'latin1'));
    flushTrace(writer);
    ends.push(writer.bytes);
  }
  importer.end();
  closeTrace(writer);
  closeSync(fd);
  return { path, ends, events: setUp.length + TICKS * each };
}

/** Of all hosts, in a process of its own: appends to each what a recorder would have by then. */
async function send(url, trace, ends, folder) {
  // Who asked for it has gone.
  process.once('disconnect', () => process.exit());
  const bytes = readFileSync(trace);
  const publishers = [];
  for (let host = 0; host < HOSTS; host++) {
    const publisher = await openPublisher({
      url: parseFleetUrl(url),
      host: `host${String(host).padStart(2, '0')}`,
      spool: join(folder, `spool${host}`),
      spoolMax: 2 ** 30,
      env: {},
      tell: (words) => process.stderr.write(`${words}\n`),
      clock: { name: 'CLOCK_BOOTTIME', now: () => process.hrtime.bigint() },
    });
    publisher.begin();
    publishers.push(publisher);
  }
  const begun = performance.now();
  let mostLate = 0;
  let from = 0;
  for (const [tick, to] of ends.entries()) {
    // Whole messages, as its writer flushed them.
    const part = bytes.subarray(from, to);
    for (const { output } of publishers) output.append([part], part.length);
    from = to;
    const due = begun + ((tick + 1) * 1000) / APPENDS_PER_SECOND;
    mostLate = Math.max(mostLate, performance.now() - due);
    await pause(Math.max(0, due - performance.now()));
  }
  // The mark at its end, which its writer appends by itself, and what stands before it.
  for (const to of [bytes.length - endOfStream().length, bytes.length]) {
    const part = bytes.subarray(from, to);
    if (part.length > 0) for (const { output } of publishers) output.append([part], part.length);
    from = to;
  }
  const results = await Promise.all(
    publishers.map((one) => one.finish(600_000, new AbortController().signal)),
  );
  await Promise.all(publishers.map((one) => one.close()));
  process.send({
    sent: results.filter(({ isSent }) => isSent).length,
    mostLate: Math.round(mostLate),
  });
  process.disconnect();
}

/** CPU seconds of a process, seconds that its main thread waited for a CPU, and bytes. */
function usage(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return {
    cpu: cpuSecondsOf(pid),
    delay: Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e9,
    peak: Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024,
  };
}

async function measure(folder) {
  const trace = makeTrace(folder);
  const megabytes = (HOSTS * statSync(trace.path).size) / 1e6;
  const events = HOSTS * trace.events;
  print(
    `${HOSTS} hosts, each ${RATE} events/s for ${SECONDS + WARM_UP} s: ${grouped(events)} events, ${megabytes.toFixed(0)} MB, ${(megabytes / (SECONDS + WARM_UP)).toFixed(1)} MB/s in all`,
  );
  const server = await startServer(folder);
  try {
    const connection = await connectFleet(parseFleetUrl(server.url), {});
    try {
      await initStream(connection, {});
    } finally {
      await connection.close();
    }
    await watchHosts(server, trace, events, folder);
    for (const workers of ['1', '2']) await replayHosts(server, workers);
  } finally {
    await server.stop();
  }
}

async function watchHosts(server, { path, ends }, events, folder) {
  const sending = fork(fileURLToPath(import.meta.url), [
    'send',
    server.url,
    path,
    JSON.stringify(ends),
    folder,
  ]);
  const died = once(sending, 'exit').then(([code, signal]) => {
    throw new Error(`the sender ended early (${signal ?? `exit code ${code}`})`);
  });
  // It is waited for below.
  died.catch(() => undefined);
  const answer = once(sending, 'message');
  const dashboard = openTerminal(
    process.execPath,
    [join(ROOT, 'packages/tui/bin/tui.js'), '--from', server.url],
    { columns: 120, rows: 45, env: { TMPDIR: folder } },
  );
  try {
    await Promise.race([pause(WARM_UP * 1000), died]);
    const [before, ofServer] = [usage(dashboard.pid), usage(server.pid)];
    const begun = performance.now();
    const samples = [];
    while (performance.now() - begun < SECONDS * 1000) {
      await Promise.race([pause(1000), died]);
      samples.push(...hostRows(dashboard.lines()));
    }
    const elapsed = (performance.now() - begun) / 1000;
    const [after, serverAfter] = [usage(dashboard.pid), usage(server.pid)];
    const share = (now, then) => `${((100 * (now - then)) / elapsed).toFixed(0)} % of one CPU`;
    print(`dashboard, 120x45   ${share(after.cpu, before.cpu)} while they were sent`);
    print(
      `  it waited for a CPU ${((100 * (after.delay - before.delay)) / elapsed).toFixed(0)} % of the time`,
    );
    const behind = samples.filter((row) => BEHIND.test(row)).length;
    print(
      `  of ${samples.length} rows seen, one a second and host, ${behind} said that they were behind what the server had`,
    );
    print(`server              ${share(serverAfter.cpu, ofServer.cpu)}`);
    const [{ sent, mostLate }] = await Promise.race([answer, died]);
    print(`sent                ${sent} runs; the sender was ${mostLate} ms late once`);
    const ended = performance.now();
    while (!areAllOver(hostRows(dashboard.lines()))) {
      if (performance.now() - ended > 120_000) throw new Error(dashboard.lines().join('\n'));
      await pause(250);
    }
    const { cpu, peak } = usage(dashboard.pid);
    print(
      `  all rows said that their runs are over ${((performance.now() - ended) / 1000).toFixed(0)} s later`,
    );
    print(
      `dashboard, until all was judged: ${cpu.toFixed(1)} s of CPU time, ${((cpu * 1e6) / events).toFixed(1)} µs an event; peak ${peak.toFixed(0)} MB`,
    );
    dashboard.press('q');
    await dashboard.exited;
  } finally {
    dashboard.close();
    sending.kill('SIGKILL');
  }
}

async function replayHosts(server, workers) {
  const replay = join(ROOT, 'packages/replay/dist/main.js');
  const args = ['fleet', server.url, '--workers', workers, '--json'];
  const run = await runMeasured(process.execPath, [replay, ...args]);
  const { totals } = JSON.parse(run.stdout);
  print(
    `replay fleet, --workers ${workers}: ${run.seconds.toFixed(1)} s, CPU ${run.cpuSeconds.toFixed(1)} s, peak ${run.megabytes.toFixed(0)} MB; ${totals.runs} runs, ${grouped(totals.designs[0].decisions.accesses)} accesses`,
  );
}

/** What a row says that is not up to what the server has: by more than 512 KiB, or of a run that is over. */
const BEHIND = / (at \d+ %|waits) *$/;

function areAllOver(rows) {
  return rows.length === HOSTS && rows.every((row) => / finished *$/.test(row));
}

function hostRows(lines) {
  return lines.filter((line) => /^.? host\d\d /.test(line));
}

function print(text) {
  process.stdout.write(`${text}\n`);
}

function load() {
  return `load of the machine ${loadavg()[0].toFixed(1)}, ${availableParallelism()} CPUs`;
}

if (process.argv[2] === 'send') {
  const [url, trace, ends, folder] = process.argv.slice(3);
  await send(url, trace, JSON.parse(ends), folder);
} else if (!hasServer) {
  process.stderr.write('nats-server is not there: install it first\n');
  process.exitCode = 3;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'vhostscope-hosts-'));
  try {
    print(load());
    await measure(folder);
    print(load());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
