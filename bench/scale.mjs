// `npm run bench:scale`: what a host costs a fleet, by kind of recording: bytes and messages, the processor time that
// sends them, that the server takes, and that a replay takes. docs/scale.md multiplies these. Needs nats-server.
// Processor time, not seconds: what this machine does beside is not in it.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
// Not by its index, which has hooks of vitest.
import { hasServer, startServer } from '../packages/nats-testbed/dist/nats-server.js';
import { replayInProcess } from './in-process.mjs';
import { cpuSecondsOf } from './cpu-seconds.mjs';
import { writeMadeRounds } from './made-rounds.mjs';
import { runMeasured } from './measured-run.mjs';
import { median } from './median.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);

/** Long ones: a process that has just begun is slow, and of few events that is much. Real recordings, so many times each. */
const SAMPLES = [
  { what: 'every access', path: 'examples/d1-dpdk-virtio-user.txt.gz', copies: 20 },
  { what: 'a storm of ranges', path: 'examples/s3-resetup-under-storm.txt.gz', copies: 60 },
  { what: 'rounds', rounds: 1_000_000 },
];

/** Runs one of our programs: what it printed as JSON, and its CPU seconds. */
async function run(program, ...args) {
  const main = join(ROOT, `packages/${program}/dist/main.js`);
  const { stdout, cpuSeconds } = await runMeasured(process.execPath, [main, ...args]);
  return { said: stdout === '' ? undefined : JSON.parse(stdout), seconds: cpuSeconds };
}

/** A file with the recording, over and over; or with rounds that are made up. */
function prepare(folder, { path, copies, rounds }) {
  const file = join(folder, 'sample.txt');
  if (rounds !== undefined) {
    writeMadeRounds(file, rounds);
    return file;
  }
  const recorded = gunzipSync(readFileSync(join(ROOT, path)));
  writeFileSync(file, '');
  for (let copy = 0; copy < copies; copy++) appendFileSync(file, recorded);
  return file;
}

/** Figures of one recording, one round; CPU seconds. */
async function measure({ pid, url }, file, folder, host) {
  const trace = join(folder, 'trace.arrows');
  rmSync(trace, { force: true });
  const kept = await run('collector', 'import', file, '-o', trace, '--json');
  const options = ['--publish', url, '--publish-as', host, '--spool', join(folder, 'spool')];
  const before = cpuSecondsOf(pid);
  const sent = await run('collector', 'import', file, ...options, '--json');
  const taken = cpuSecondsOf(pid);
  const status = await run('collector', 'fleet', 'status', url, '--json');
  const found = status.said.runs.find((one) => one.host === host);
  const asked = cpuSecondsOf(pid);
  const replayed = await run('replay', 'run', found.url, '--json');
  const given = cpuSecondsOf(pid);
  const ofFile = await run('replay', 'run', trace, '--json');
  const warm = await replayInProcess(trace);
  return {
    events: kept.said.events,
    bytes: statSync(trace).size,
    pieces: found.pieces,
    sends: sent.seconds - kept.seconds,
    serves: taken - before,
    replays: replayed.seconds,
    replaysFile: ofFile.seconds,
    replaysWarm: warm.cpuSeconds,
    gives: given - asked,
  };
}

/** Processor time is what counts: a machine that does much beside may take long. */
const PATIENCE_MS = 120_000;

/** A host of which little is told sends a message of a few hundred bytes at each flush. */
const SMALL = { messages: 20_000, bytes: 600, hosts: 1000, atOnce: 256 };

/** CPU seconds of the server for a message of such hosts. */
async function measureSmall({ pid, url }) {
  const from = createRequire(join(ROOT, 'packages/fleet/package.json'));
  const { connect, headers } = from('@nats-io/transport-node');
  const { jetstream } = from('@nats-io/jetstream');
  const connection = await connect({ servers: url.slice('nats://'.length) });
  const client = jetstream(connection);
  const bytes = new Uint8Array(SMALL.bytes);
  const before = cpuSecondsOf(pid);
  let next = 0;
  const send = async () => {
    while (next < SMALL.messages) {
      const at = next++;
      const made = headers();
      made.set('Vhostscope-Link', '0'.repeat(64));
      const host = `small-${at % SMALL.hosts}`;
      const msgID = `${host}/bench/0/${at}`;
      const options = { headers: made, msgID, timeout: PATIENCE_MS };
      await client.publish(`vhostscope.run.${host}.bench`, bytes, options);
    }
  };
  await Promise.all(Array.from({ length: SMALL.atOnce }, send));
  const used = cpuSecondsOf(pid) - before;
  await connection.close();
  return used / SMALL.messages;
}

const COLUMNS = [
  ['events', ({ events }) => events.toLocaleString('en')],
  ['bytes an event', ({ bytes, events }) => (bytes / events).toFixed(1)],
  ['messages a MB', ({ pieces, bytes }) => (pieces / (bytes / 1e6)).toFixed(1)],
  ['to send', ({ sends, events }) => perMillion(sends, events)],
  ['server takes', ({ serves, events }) => perMillion(serves, events)],
  ['server gives', ({ gives, events }) => perMillion(gives, events)],
  ['replay', ({ replays, events }) => perMillion(replays, events)],
];

/** What is in a replay from the server, least first. */
const REPLAYS = [
  ['warm, in one process', ({ replaysWarm, events }) => perMillion(replaysWarm, events)],
  ['a process, of a file', ({ replaysFile, events }) => perMillion(replaysFile, events)],
  ['a process, of a run', ({ replays, events }) => perMillion(replays, events)],
];

function printTable(title, columns, figures, width) {
  console.log(title.padEnd(28) + columns.map(([name]) => name.padStart(width)).join(''));
  for (const [what, figure] of figures)
    console.log(what.padEnd(28) + columns.map(([, cell]) => cell(figure).padStart(width)).join(''));
}

/** A process that has nothing to do but to begin: of five thousand events; CPU seconds. */
async function measureStart(folder) {
  const trace = join(folder, 'short.arrows');
  await run('collector', 'import', join(ROOT, SHORT), '-o', trace, '--json');
  const times = [];
  for (let round = 0; round < ROUNDS; round++)
    times.push((await run('replay', 'run', trace, '--json')).seconds);
  return median(times);
}

const SHORT = 'examples/u5-json-q256.txt.gz';

function perMillion(seconds, events) {
  return `${((1e9 * seconds) / events).toFixed(0)} ms`;
}

if (!hasServer) process.exit(2);
const folder = mkdtempSync(join(tmpdir(), 'vhostscope-bench-'));
let server;
try {
  server = await startServer(folder);
  await run('collector', 'fleet', 'init', server.url, '--json');
  const { stdout } = spawnSync('nats-server', ['--version'], { encoding: 'utf8' });
  console.log(`${cpus()[0]?.model}, Node ${process.version}, ${stdout.trim()}`);
  console.log(`processor time for a million events; medians of ${ROUNDS} rounds\n`);
  const rows = [];
  for (const sample of SAMPLES) {
    const file = prepare(folder, sample);
    const figures = [];
    for (let round = 0; round < ROUNDS; round++) {
      const host = `${sample.what.replaceAll(/\W+/g, '-')}-${round}`;
      figures.push(await measure(server, file, folder, host));
    }
    const middle = Object.fromEntries(
      Object.keys(figures[0]).map((key) => [key, median(figures.map((figure) => figure[key]))]),
    );
    rows.push([sample.what, middle]);
  }
  printTable('recording', COLUMNS, rows, 15);
  const small = 1e6 * (await measureSmall(server));
  console.log(
    `\na message of ${SMALL.bytes} bytes, of ${SMALL.hosts} hosts in turn: ${small.toFixed(0)} µs of the server's processor time`,
  );
  console.log('\nwhat is in a replay, for a million events');
  printTable('recording', REPLAYS, rows, 22);
  console.log(
    `a process that begins, and replays 5,000: ${perMillion(await measureStart(folder), 1e6)}`,
  );
} finally {
  await server?.stop();
  rmSync(folder, { recursive: true });
}
