// The paths without the start of a process: what a long-running reader of a live stream gets.
import { closeSync, openSync } from 'node:fs';
import {
  createEngine,
  createManyDesigns,
  DESIGNS,
  findDesign,
} from '../packages/model/dist/index.js';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  openTrace,
  visitTrace,
} from '../packages/trace/dist/index.js';

/** Until the compiler has seen enough takes some passes. */
export const TIMES = 15;
const CHUNK = 1 << 18;

export function importInProcess(text, file) {
  let best = Infinity;
  for (let time = 0; time < TIMES; time++) {
    const fd = openSync(file, 'w', 0o600);
    const begun = performance.now();
    const header = {
      sources: ['bench'],
      writer: 'bench',
      clock: 'CLOCK_BOOTTIME',
      keepsPointers: false,
    };
    const writer = createTraceWriter(fd, header);
    const importer = createTextImporter(writer, createImportReport());
    for (let at = 0; at < text.length; at += CHUNK) importer.push(text.subarray(at, at + CHUNK));
    importer.end();
    closeTrace(writer);
    best = Math.min(best, performance.now() - begun);
    closeSync(fd);
  }
  return { megabytesPerSecond: text.length / 1000 / best };
}

export async function replayInProcess(file) {
  const trace = await openTrace(file);
  let best = Infinity;
  let leastCpu = Infinity;
  let events = 0;
  for (let time = 0; time < TIMES; time++) {
    const engine = createEngine({ design: findDesign('merged'), order: 'ranges' });
    events = 0;
    const begun = performance.now();
    const used = process.cpuUsage();
    visitTrace(trace.fd, trace.index, (batch, from, to) => {
      events += to - from;
      engine.consume(batch, from, to);
    });
    engine.finish();
    best = Math.min(best, performance.now() - begun);
    const { user, system } = process.cpuUsage(used);
    leastCpu = Math.min(leastCpu, (user + system) / 1e6);
  }
  trace.close();
  return {
    order: 'ranges',
    events,
    eventsPerSecond: (1000 * events) / best,
    /** What other processes take is not in it. */
    cpuSeconds: leastCpu,
  };
}

/** All designs in one pass, and twelve of them, against one. */
export async function compareInProcess(file) {
  const trace = await openTrace(file);
  const time = (designs) => {
    let best = Infinity;
    for (let turn = 0; turn < TIMES; turn++) {
      const many = createManyDesigns(designs.map((design) => ({ design, order: 'ranges' })));
      const begun = performance.now();
      visitTrace(trace.fd, trace.index, (batch, from, to) => many.consume(batch, from, to));
      many.finish();
      best = Math.min(best, performance.now() - begun);
    }
    return best;
  };
  const twelve = DESIGNS.slice(-12);
  const alone = await replayInProcess(file);
  const one = (1000 * alone.events) / alone.eventsPerSecond;
  const result = {
    twelve: time(twelve) / one,
    all: time(DESIGNS) / one,
    count: DESIGNS.length,
  };
  trace.close();
  return result;
}
