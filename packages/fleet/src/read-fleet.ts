/** What a server holds: which runs there are, and their traces. */
import { DeliverPolicy } from '@nats-io/jetstream';
import { createRunAssembly } from './assemble-run.js';
import type { FleetUrl, RunName } from './fleet-url.js';
import { parseFleetUrl } from './fleet-url.js';
import { pieceOfMessage } from './piece-message.js';
import type { Piece } from './piece.js';
import { lastClockReading, type ClockReading } from './run-clock.js';
import {
  asking,
  connectFleet,
  couldNotAsk,
  FleetError,
  streamInfo,
  type FleetServer,
} from './server-connection.js';
import type { Environment } from './server-credentials.js';
import { allRunSubjects, runOfSubject, runStream, runSubject } from './subjects.js';
import { watchRuns, type RunWatch } from './watch-runs.js';

/** A run, as far as its last message tells. */
export interface FleetRun extends RunName {
  /** Pieces of the trace, with the one that ends it. */
  readonly pieces: number;
  /** Bytes of the trace. */
  readonly bytes: number;
  /** How it ended: `closed` by its writer, `cut`; undefined while it goes on, or where its end was not sent yet. */
  readonly end: 'closed' | 'cut' | undefined;
  /** When the server got its last message, by the server's clock, ms since 1970. */
  readonly lastMs: number;
  /** Digest of all pieces up to the last, in hexadecimal. */
  readonly link: string;
}

/** The trace of a run, as it comes. */
export interface RunReading extends AsyncIterable<Uint8Array> {
  /** How it ended; all is known when there is no more to iterate over. */
  readonly result: RunReadResult;
}

export interface RunReadResult {
  readonly bytes: number;
  readonly pieces: number;
  /** Messages that came once more, and were the same. */
  readonly repeated: number;
  /** As of FleetRun. */
  readonly end: 'closed' | 'cut' | undefined;
  /** What is wrong with the run; what was read before is good. */
  readonly damage: string | undefined;
}

export interface ReadRunOptions {
  /** Wait for what comes, until the run ends; default: read what is there. */
  readonly follow?: boolean;
  /** Stops the reading. */
  readonly signal?: AbortSignal | undefined;
}

export interface FleetUsage {
  readonly stream: string;
  readonly bytes: number;
  /** Undefined where there is no limit but the server's. */
  readonly maxBytes: number | undefined;
}

export interface Fleet {
  readonly url: FleetUrl;
  /** The connection is cut at present; it comes back by itself. */
  readonly isCut: boolean;
  /** By host and run. @throws FleetError */
  listRuns(): Promise<FleetRun[]>;
  /** Which runs there are, from now on. @throws FleetError */
  watchRuns(): Promise<RunWatch>;
  /** How much the runs take on the server, and may. @throws FleetError */
  usage(): Promise<FleetUsage>;
  /** @throws FleetError while it is iterated over, also when there is no such run */
  readRun(host: string, run: string, options?: ReadRunOptions): RunReading;
  /**
   * How far the clock of the run's host was from the server's, by the latest reading; undefined where there is none,
   * as of what was imported.
   *
   * @throws FleetError
   */
  readClock(host: string, run: string): Promise<ClockReading | undefined>;
  close(): Promise<void>;
}

/**
 * Connects to a server.
 *
 * @throws ProgramError, FleetError
 */
export async function openFleet(url: string | FleetUrl, env?: Environment): Promise<Fleet> {
  const parsed = typeof url === 'string' ? parseFleetUrl(url) : url;
  const server = await connectFleet(parsed, env);
  let isCut = false;
  const watch = async (): Promise<void> => {
    for await (const { type } of server.connection.status()) {
      if (type === 'disconnect') isCut = true;
      if (type === 'reconnect') isCut = false;
    }
  };
  void watch();
  return {
    url: parsed,
    get isCut() {
      return isCut;
    },
    listRuns: () => listRuns(server),
    watchRuns: () => watchRuns(server),
    usage: async () => {
      const { config, state } = await streamInfo(server);
      const { max_bytes: max } = config;
      return { stream: config.name, bytes: state.bytes, maxBytes: max > 0 ? max : undefined };
    },
    readRun: (host, run, options = {}) => readRun(server, { host, run }, options),
    readClock: (host, run) => lastClockReading(server, { host, run }),
    close: () => server.close(),
  };
}

/** So many questions are under way at once. */
const AT_ONCE = 16;

async function listRuns(server: FleetServer): Promise<FleetRun[]> {
  const { prefix } = server.url;
  const { state } = await streamInfo(server, allRunSubjects(prefix));
  const names = Object.keys(state.subjects ?? {}).flatMap(
    (subject) => runOfSubject(prefix, subject) ?? [],
  );
  const runs: FleetRun[] = [];
  const waiting = names.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const name of waiting) {
        const last = await lastPiece(server, name);
        if (last !== undefined) runs.push(runOf(name, last));
      }
    }),
  );
  return runs.toSorted((a, b) => compare(a.host, b.host) || compare(a.run, b.run));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function runOf(name: RunName, { piece, time }: StoredPiece): FleetRun {
  return {
    ...name,
    pieces: piece.seq + 1,
    bytes: piece.offset + piece.bytes.length,
    end: piece.kind === 'data' ? undefined : piece.kind,
    lastMs: time,
    link: Buffer.from(piece.link).toString('hex'),
  };
}

/** A piece where it stands in the stream. */
export interface StoredPiece {
  readonly piece: Piece;
  /** Of the message in the stream. */
  readonly sequence: number;
  /** By the server's clock, ms since 1970. */
  readonly time: number;
}

/** The last message of a run that is a piece; undefined when there is none. */
export async function lastPiece(
  server: FleetServer,
  name: RunName,
): Promise<StoredPiece | undefined> {
  const { url, manager } = server;
  const subject = runSubject(url.prefix, name);
  const message = await asking(server, 'read a run', () =>
    manager.streams.getMessage(runStream(url.prefix), { last_by_subj: subject }),
  );
  if (message === null) return undefined;
  const piece = pieceOfMessage(message.header, message.data);
  return piece && { piece, sequence: message.seq, time: message.time.getTime() };
}

function readRun(server: FleetServer, name: RunName, options: ReadRunOptions): RunReading {
  const assembly = createRunAssembly(name);
  let strangers = 0;
  return {
    get result() {
      return {
        bytes: assembly.bytes,
        pieces: assembly.next,
        repeated: assembly.repeated,
        end:
          assembly.last === undefined || assembly.last.kind === 'data'
            ? undefined
            : assembly.last.kind,
        damage: assembly.damage ?? strangersInWords(strangers),
      };
    },
    async *[Symbol.asyncIterator]() {
      const enough = new AbortController();
      const signals = [enough.signal, ...(options.signal === undefined ? [] : [options.signal])];
      const all = { ...options, signal: AbortSignal.any(signals) };
      let patience: NodeJS.Timeout | undefined;
      try {
        for await (const piece of storedPieces(server, name, all)) {
          if (piece === undefined) strangers++;
          else yield* assembly.take(piece);
          if (options.follow !== true) continue;
          if ((assembly.last ?? assembly.damage) !== undefined) return;
          // What its sender has still to send again comes in a moment.
          if (assembly.isEndWaiting) patience ??= setTimeout(() => enough.abort(), PATIENCE_MS);
        }
      } finally {
        clearTimeout(patience);
      }
      if (options.signal?.aborted !== true) assembly.end();
    },
  };
}

function strangersInWords(strangers: number): string | undefined {
  if (strangers === 0) return undefined;
  return strangers === 1
    ? 'a message among its pieces is none, and was left out'
    : `${strangers} messages among its pieces are none, and were left out`;
}

/** For pieces that are missing, when the last one has come, ms. */
const PATIENCE_MS = 10_000;

/** Messages that are fetched ahead: 8 MiB at most. */
const AHEAD = 32;

/** The pieces of a run as they stand in the stream; undefined for messages that are none. */
async function* storedPieces(
  server: FleetServer,
  name: RunName,
  { follow, signal }: ReadRunOptions,
): AsyncGenerator<Piece | undefined> {
  const { url, client, manager } = server;
  const stream = runStream(url.prefix);
  const subject = runSubject(url.prefix, name);
  await streamInfo(server);
  const last = await asking(server, 'read a run', () =>
    manager.streams.getMessage(stream, { last_by_subj: subject }),
  );
  if (last === null && follow !== true)
    throw new FleetError(`${url.name} has no run ${name.host}/${name.run}`, {
      advice: `collector fleet status ${url.name} lists its runs`,
    });
  const messages = await asking(server, 'read a run', async () => {
    const consumer = await client.consumers.get(stream, {
      filter_subjects: subject,
      deliver_policy: DeliverPolicy.All,
    });
    return consumer.consume({ max_messages: AHEAD });
  });
  const stop = (): void => messages.stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted ?? false) return;
    for await (const message of messages) {
      yield pieceOfMessage(message.headers, message.data);
      if (signal?.aborted ?? false) return;
      if (follow !== true && last !== null && message.seq >= last.seq) return;
    }
  } catch (error) {
    throw couldNotAsk(url, 'read a run', error);
  } finally {
    signal?.removeEventListener('abort', stop);
    await messages.close();
  }
}
