// `node bench/dashboard.mjs`: what a session behind the dashboard takes, without a screen: how fast it plays a trace, and
// which part of one CPU it takes at a million events a second that come live, with a view ten times a second.
// Quote the ratio to the engine alone; the rest is this machine.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Rounds, attempts, invalidations and accesses of a direct-map kernel. */
const SAMPLE = join(ROOT, 'packages/replay/test/golden/u1-mixed-q256.txt.gz');
const EVENTS = Number(process.env.BENCH_EVENTS ?? 5_000_000);
const PER_SECOND = 1_000_000;
const LIVE_SECONDS = Number(process.env.BENCH_SECONDS ?? 10);
const CHUNKS_PER_SECOND = 20;

/** The session is part of a program: it is bundled, as the program is. */
async function loadSession(folder) {
  const bundle = await rolldown({
    input: {
      session: join(ROOT, 'packages/tui/src/session/create-session.ts'),
      model: join(ROOT, 'packages/model/src/index.ts'),
      trace: join(ROOT, 'packages/trace/src/index.ts'),
    },
    platform: 'node',
    resolve: { conditionNames: ['@vhostscope/source', 'import', 'node', 'default'] },
  });
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].mjs' });
  await bundle.close();
  const load = async (name) => import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  return { ...(await load('session')), ...(await load('model')), ...(await load('trace')) };
}

/** Lines as the sample's of so many devices with two virtqueues each, side by side, an event each microsecond. */
function* linesOf(devices, events) {
  const lines = gunzipSync(readFileSync(SAMPLE)).toString('latin1').split('\n');
  const isSetUp = (line) => /^[ZXUN] /.test(line);
  const rest = lines.filter((line) => /^[AMPR] |^I[SE] /.test(line));
  const setUp = lines.filter(isSetUp);
  let time = 1_000_000_000;
  const told = (line, device) => {
    const [tag, , , ...others] = line.split(' ');
    const place = (0x1000 + device).toString(16);
    return `${tag} ${(time += 1000)} ${device % 2} ${others.join(' ').replaceAll('8a33ccfc', `8a33${place}`)}\n`;
  };
  yield '# vhost-oracle 1\n';
  for (let device = 0; device < devices; device++)
    for (const line of setUp) yield told(line, device);
  const at = Array.from({ length: devices }, () => 0);
  for (let device = 0, event = 0; event < events; device = (device + 1) % devices)
    for (let run = 0; run < 16; run++, event++) {
      yield told(rest[at[device]], device);
      at[device] = (at[device] + 1) % rest.length;
    }
}

/** Writes a trace, and tells where it can be cut so that about so many events stand before. */
function writeTrace(api, path, devices, events) {
  const fd = openSync(path, 'w');
  const header = {
    sources: ['bench'],
    writer: 'bench',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  };
  const writer = api.createTraceWriter(fd, header);
  const importer = api.createTextImporter(writer, api.createImportReport());
  const ends = [];
  let text = '';
  let lines = 0;
  for (const line of linesOf(devices, events)) {
    text += line;
    if (++lines % (PER_SECOND / CHUNKS_PER_SECOND) !== 0) continue;
    importer.push(Buffer.from(text, 'latin1'));
    text = '';
    api.flushTrace(writer);
    ends.push(writer.bytes);
  }
  importer.push(Buffer.from(text, 'latin1'));
  importer.end();
  api.closeTrace(writer);
  closeSync(fd);
  return ends;
}

function options(api, source, beside) {
  return {
    source,
    designs: api.DESIGNS,
    design: api.findDesign('merged'),
    beside: beside ? api.findDesign('fixes-v5') : undefined,
    preemption: undefined,
    stormRate: 100,
    window: 10e9,
    cost: { smap: undefined, calibrated: undefined },
    keep: 2 ** 31,
  };
}

/** Events per second from the beginning to the end, in slices as a screen would have it. */
async function playThrough(api, path, beside) {
  const session = await api.createSession(options(api, { kind: 'growing file', path }, beside));
  let now = 0;
  const begun = process.cpuUsage();
  let clock;
  do {
    session.advance((now += 20), 20);
    ({ clock } = session.view());
  } while (clock.at <= clock.end || clock.end === 0);
  const { user, system } = process.cpuUsage(begun);
  await session.close();
  return (1e6 * clock.events) / (user + system);
}

/** The same by an engine alone, which is what `replay` takes. */
function replayAlone(api, path) {
  const fd = openSync(path, 'r');
  const index = api.indexTrace(fd, fstatSync(fd).size);
  const engine = api.createEngine({ design: api.findDesign('merged'), order: 'ranges' });
  let events = 0;
  const begun = process.cpuUsage();
  api.visitTrace(fd, index, (batch, from, to) => {
    events += to - from;
    engine.consume(batch, from, to);
  });
  const { user, system } = process.cpuUsage(begun);
  closeSync(fd);
  return (1e6 * events) / (user + system);
}

/** Share of one CPU while the trace grows in real time. */
async function followLive(api, from, ends, to, beside) {
  const bytes = readFileSync(from);
  const fd = openSync(to, 'w');
  const session = await api.createSession(options(api, { kind: 'growing file', path: to }, beside));
  let written = 0;
  let busy = 0;
  let views = 0;
  let longest = 0;
  const memory = [];
  const begun = performance.now();
  for (let chunk = 0; chunk < Math.min(ends.length, LIVE_SECONDS * CHUNKS_PER_SECOND); chunk++) {
    writeSync(fd, bytes, written, ends[chunk] - written);
    written = ends[chunk];
    const before = process.cpuUsage();
    const started = performance.now();
    if (session.advance(started, 20)) {
      session.view();
      views++;
    }
    const spent = process.cpuUsage(before);
    busy += spent.user + spent.system;
    longest = Math.max(longest, performance.now() - started);
    memory.push(process.memoryUsage().rss);
    await sleep(Math.max(0, begun + (1000 * (chunk + 1)) / CHUNKS_PER_SECOND - performance.now()));
  }
  const elapsed = performance.now() - begun;
  const { clock } = session.view();
  await session.close();
  closeSync(fd);
  return {
    share: busy / 1000 / elapsed,
    eventsPerSecond: (1000 * clock.events) / elapsed,
    behind: (clock.end + 1 - clock.at) / 1e6,
    views,
    longest,
    grown: memory.at(-1) - memory[Math.floor(memory.length / 2)],
  };
}

const BUNDLE = join(ROOT, 'node_modules/.cache/bench-dashboard');
const [, , task, ...args] = process.argv;

/** In a process of its own: what it leaves behind is not the session's to clean up. */
function writeApart(path, devices, events) {
  const { stdout } = spawnSync(process.execPath, [
    fileURLToPath(import.meta.url),
    'write',
    path,
    String(devices),
    String(events),
  ]);
  return JSON.parse(stdout);
}

async function measure() {
  const api = await loadSession(BUNDLE);
  const folder = mkdtempSync(join(tmpdir(), 'vhostscope bench '));
  try {
    for (const devices of [1, 128]) {
      const path = join(folder, `${devices}.arrows`);
      const ends = writeApart(path, devices, Math.max(EVENTS, LIVE_SECONDS * PER_SECOND));
      for (const beside of [false, true]) {
        const name = `${2 * devices} virtqueues, ${beside ? 'two designs' : 'one design'}`;
        // Until the compiler has seen enough takes a pass.
        replayAlone(api, path);
        await playThrough(api, path, beside);
        const alone = replayAlone(api, path);
        const rate = await playThrough(api, path, beside);
        process.stdout.write(
          `${name}: plays ${(rate / 1e6).toFixed(1)} M events/s of CPU time, ` +
            `${(rate / alone).toFixed(2)} times what one engine alone does\n`,
        );
        const live = await followLive(api, path, ends, join(folder, 'live.arrows'), beside);
        process.stdout.write(
          `${name}: live at ${(live.eventsPerSecond / 1e6).toFixed(2)} M events/s ${(100 * live.share).toFixed(1)} % of one CPU, ` +
            `${live.views} views, longest slice ${live.longest.toFixed(1)} ms, ${live.behind.toFixed(0)} ms behind, ` +
            `memory grew by ${(live.grown / 1e6).toFixed(1)} MB in the second half\n`,
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (task === 'write') {
  const [path, devices, events] = args;
  const trace = await import(pathToFileURL(join(BUNDLE, 'trace.mjs')).href);
  process.stdout.write(JSON.stringify(writeTrace(trace, path, Number(devices), Number(events))));
} else await measure();
