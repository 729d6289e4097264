/** Traces to publish, and runs to read back. */
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  withServer,
  type ServerInUse,
  type ServerSetup,
  type Sharing,
} from '@vhostscope/nats-testbed';
import { batchEnd, endOfStream, indexTrace } from '@vhostscope/trace';
import {
  connectFleet,
  initStream,
  openFleet,
  openPublisher,
  parseFleetUrl,
  type Fleet,
  type Publisher,
  type RunName,
  type RunReading,
  type StreamWishes,
} from '../src/index.js';
import type { Environment } from '../src/server-credentials.js';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
export const COLLECTOR = join(REPOSITORY, 'packages/collector/bin/collector.js');
export const EXAMPLE = join(REPOSITORY, 'examples/d1-dpdk-virtio-user.txt.gz');

/** What a writer of a trace might append, of random sizes. */
export function randomAppends(howMany: number, maxBytes: number): Uint8Array[] {
  return Array.from({ length: howMany }, () => {
    // Many small, and some large.
    const size = 1 + Math.floor(Math.random() ** 4 * maxBytes);
    return randomFillSync(new Uint8Array(size));
  });
}

/** A real trace, as its writer appended it: the schema, the batches, the mark at its end. */
export function recordedBatches(folder: string): Uint8Array[] {
  const path = join(folder, 'recorded.arrows');
  const { status, stderr } = spawnSync(
    process.execPath,
    [COLLECTOR, 'import', EXAMPLE, '-o', path],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  const bytes = readFileSync(path);
  const fd = openSync(path, 'r');
  const { recordings } = indexTrace(fd, statSync(path).size);
  closeSync(fd);
  const ends = recordings.flatMap(({ begin, tables, events, end }) => {
    const places = [...events.values()].flatMap((list) =>
      Array.from({ length: list.length }, (_, at) => list.at(at)),
    );
    return [begin, end, ...tables, ...places].flatMap((place) =>
      place === undefined ? [] : batchEnd(place),
    );
  });
  const starts = recordings.map(({ begin }) => begin?.offset ?? 0);
  // What closes the trace is no batch of a recording; the mark comes by itself.
  const mark = bytes.length - endOfStream().length;
  const cuts = [...new Set([...starts, ...ends, mark, bytes.length])].toSorted((a, b) => a - b);
  return cuts.map((end, at) => bytes.subarray(cuts[at - 1] ?? 0, end));
}

export async function initFleet(
  url: string,
  wishes: StreamWishes = {},
  env: Environment = {},
): Promise<void> {
  const connection = await connectFleet(parseFleetUrl(url), env);
  try {
    await initStream(connection, wishes);
  } finally {
    await connection.close();
  }
}

/** A server with the stream that runs go to: what nearly every test here begins with. */
export function fleetServer(
  sharing: Sharing,
  { prepare, ...setup }: ServerSetup = {},
): ServerInUse {
  return withServer(sharing, {
    ...setup,
    prepare: async (server) => {
      await initFleet(server.url);
      await prepare?.(server);
    },
  });
}

export interface TestPublisher extends Publisher {
  /** What was said to the user. */
  readonly told: string[];
}

export async function publisherTo(
  url: string,
  spool: string,
  {
    host = 'host',
    spoolMax = 2 ** 26,
    env = {},
  }: { host?: string; spoolMax?: number; env?: Environment } = {},
): Promise<TestPublisher> {
  const told: string[] = [];
  const publisher = await openPublisher({
    url: parseFleetUrl(url),
    host,
    spool,
    spoolMax,
    env,
    tell: (words) => told.push(words),
    clock: { name: 'CLOCK_REALTIME', now: () => BigInt(Date.now()) * 1_000_000n },
  });
  publisher.begin();
  return Object.assign(publisher, { told });
}

export function appendAll(publisher: Publisher, appended: readonly Uint8Array[]): void {
  for (const bytes of appended) publisher.output.append([bytes], bytes.length);
}

/** Nobody ends the waiting. */
export const never = (): AbortSignal => new AbortController().signal;

export async function bytesOfRun(
  fleet: Fleet,
  { host, run }: RunName,
): Promise<{ bytes: Buffer; reading: RunReading }> {
  const reading = fleet.readRun(host, run);
  const chunks: Uint8Array[] = [];
  for await (const chunk of reading) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), reading };
}

/** The trace of a run, which must be whole. */
export async function traceOnServer(
  url: string,
  name: RunName,
  env: Environment = {},
): Promise<Buffer> {
  const fleet = await openFleet(url, env);
  try {
    const { bytes, reading } = await bytesOfRun(fleet, name);
    const { damage, end } = reading.result;
    if (damage !== undefined || end === undefined) throw new Error(`${damage}, ${end}`);
    return bytes;
  } finally {
    await fleet.close();
  }
}
