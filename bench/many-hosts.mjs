// `npm run bench:hosts`: what a dashboard takes that shows many busy hosts of one server at once, and what `replay fleet`
// takes of their runs. Needs nats-server. docs/scale.md has the figures.
// Quote processor time and memory: how far behind the dashboard is depends on what else the machine does, of which the
// server and the sender of all these hosts are a part.
//
// BENCH_HOSTS (32), BENCH_RATE (5000 events a second of each), BENCH_SECONDS (60)
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
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
import { openTerminal } from '../packages/tui/test/terminal-screen.mjs';
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
/** The end of a trace, which its writer appends by itself. */
const MARK_BYTES = 8;
/** Of the kernel's clock of CPU time. */
const TICKS_PER_SECOND = 100;

/** A trace of one host, of so many events at that rate. */
async function makeTrace(folder) {
  const lines = gunzipSync(readFileSync(SAMPLE)).toString('latin1').split('\n');
  const setUp = lines.filter((line) => /^[ZXUN] /.test(line));
  const rest = lines.filter((line) => /^[AMPR] |^I[SE] /.test(line));
  const text = join(folder, 'host.txt');
  const out = createWriteStream(text);
  let time = 1_000_000_000;
  const step = Math.round(1e9 / RATE);
  const told = (line) => {
    const [tag, , ...others] = line.split(' ');
    return `${tag} ${(time += step)} ${others.join(' ')}\n`;
  };
  out.write('# vhost-oracle 1\n');
  for (const line of setUp) out.write(told(line));
  const events = RATE * (SECONDS + WARM_UP);
  for (let event = 0; event < events; event++)
    if (!out.write(told(rest[event % rest.length]))) await once(out, 'drain');
  out.end();
  await finished(out);
  const trace = join(folder, 'host.arrows');
  const collector = join(ROOT, 'packages/collector/dist/main.js');
  const { status, stderr } = spawnSync(process.execPath, [collector, 'import', text, '-o', trace]);
  if (status !== 0) throw new Error(String(stderr));
  rmSync(text);
  return trace;
}

/** Of all hosts, in a process of its own: appends to each what a recorder would have by then. */
async function send(url, trace, folder) {
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
  const ticks = (SECONDS + WARM_UP) * APPENDS_PER_SECOND;
  const begun = performance.now();
  let mostLate = 0;
  for (let tick = 1, from = 0; tick <= ticks; tick++) {
    const to = Math.round(((bytes.length - MARK_BYTES) * tick) / ticks);
    const part = bytes.subarray(from, to);
    for (const { output } of publishers) output.append([part], part.length);
    from = to;
    const due = begun + (tick * 1000) / APPENDS_PER_SECOND;
    mostLate = Math.max(mostLate, performance.now() - due);
    await pause(Math.max(0, due - performance.now()));
  }
  const mark = bytes.subarray(-MARK_BYTES);
  for (const { output } of publishers) output.append([mark], mark.length);
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
  const [, after] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = after.split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    delay: Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e9,
    peak: Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024,
  };
}

async function measure(folder) {
  const trace = await makeTrace(folder);
  const size = readFileSync(trace).length;
  print(
    `${HOSTS} hosts, each ${RATE} events/s for ${SECONDS + WARM_UP} s: ${((HOSTS * size) / 1e6).toFixed(0)} MB, ${((HOSTS * size) / 1e6 / (SECONDS + WARM_UP)).toFixed(1)} MB/s in all`,
  );
  const server = await startServer(folder);
  const connection = await connectFleet(parseFleetUrl(server.url), {});
  await initStream(connection, {});
  await connection.close();
  const sender = fork(fileURLToPath(import.meta.url), ['send', server.url, trace, folder]);
  const answer = once(sender, 'message');
  const dashboard = openTerminal(
    process.execPath,
    [join(ROOT, 'packages/tui/bin/tui.js'), '--from', server.url],
    { columns: 120, rows: 45, env: { TMPDIR: folder } },
  );
  try {
    await pause(WARM_UP * 1000);
    const [before, ofServer] = [usage(dashboard.pid), usage(server.pid)];
    const begun = performance.now();
    const behind = [];
    while (performance.now() - begun < SECONDS * 1000) {
      await pause(1000);
      behind.push(...behindOn(dashboard.lines()));
    }
    const elapsed = (performance.now() - begun) / 1000;
    const [after, serverAfter] = [usage(dashboard.pid), usage(server.pid)];
    const share = (now, then) => `${((100 * (now - then)) / elapsed).toFixed(0)} % of one CPU`;
    print(`dashboard, 120x45   ${share(after.cpu, before.cpu)}; peak ${after.peak.toFixed(0)} MB`);
    print(
      `  it waited for a CPU ${((100 * (after.delay - before.delay)) / elapsed).toFixed(0)} % of the time`,
    );
    const sorted = behind.toSorted((a, b) => a - b);
    print(
      `  rows behind the host: median ${sorted[Math.floor(sorted.length / 2)]} s, most ${sorted.at(-1)} s, of ${sorted.length} that were seen`,
    );
    print(`server              ${share(serverAfter.cpu, ofServer.cpu)}`);
    const [{ sent, mostLate }] = await answer;
    print(`sent                ${sent} runs; the sender was ${mostLate} ms late once`);
    const ended = performance.now();
    while (!hostRows(dashboard.lines()).every((row) => / finished *$/.test(row))) {
      if (performance.now() - ended > 120_000) throw new Error(dashboard.lines().join('\n'));
      await pause(250);
    }
    print(
      `  all rows said that their runs are over ${((performance.now() - ended) / 1000).toFixed(0)} s later`,
    );
    dashboard.press('q');
    await dashboard.exited;
  } finally {
    dashboard.close();
  }
  for (const workers of ['1', '2']) {
    const replay = join(ROOT, 'packages/replay/dist/main.js');
    const args = ['fleet', server.url, '--workers', workers, '--json'];
    const run = await runMeasured(process.execPath, [replay, ...args]);
    const { totals } = JSON.parse(run.stdout);
    print(
      `replay fleet, --workers ${workers}: ${run.seconds.toFixed(1)} s, CPU ${run.cpuSeconds.toFixed(1)} s, peak ${run.megabytes.toFixed(0)} MB; ${totals.runs} runs, ${totals.designs[0].decisions.accesses} accesses`,
    );
  }
  await server.stop();
}

/** How far each row says that it is behind, s. */
function behindOn(lines) {
  const head = lines.find((line) => /\bhost\b.*\bbehind\b/.test(line));
  if (head === undefined) return [];
  const end = head.indexOf('behind') + 'behind'.length;
  return hostRows(lines).flatMap((line) => {
    const [, number, unit] = /([\d.]+) (ms|s)$/.exec(line.slice(0, end)) ?? [];
    if (number === undefined) return [];
    return [unit === 'ms' ? Number(number) / 1000 : Number(number)];
  });
}

function hostRows(lines) {
  return lines.filter((line) => /^.? host\d\d /.test(line));
}

function print(text) {
  process.stdout.write(`${text}\n`);
}

if (process.argv[2] === 'send') await send(...process.argv.slice(3));
else if (!hasServer) process.exitCode = 3;
else {
  const folder = mkdtempSync(join(tmpdir(), 'vhostscope-hosts-'));
  try {
    await measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
