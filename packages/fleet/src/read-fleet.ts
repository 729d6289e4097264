/** What a server holds: which runs there are, and their traces. */
import { DeliverPolicy } from '@nats-io/jetstream';
import { inOrder } from '@vhostscope/terminal';
import { createRunAssembly } from './assemble-run.js';
import { runUpTo, type FleetRun, type WatchedRun } from './fleet-run.js';
import type { FleetUrl, RunName } from './fleet-url.js';
import { parseFleetUrl } from './fleet-url.js';
import { meantUrl, noSuchRun, type MeantUrl } from './named-on-server.js';
import { headOfMessage, pieceOfMessage } from './piece-message.js';
import { WINDOW, type Piece } from './piece.js';
import { lastClockReadings, type ClockReading } from './run-clock.js';
import {
  asking,
  connectFleet,
  couldNotAsk,
  streamInfo,
  type FleetServer,
} from './server-connection.js';
import type { Environment } from './server-credentials.js';
import { payloadBytes, storedMessages } from './stored-messages.js';
import { clockSubject, namedSubjects, runOfSubject, runStream, runSubject } from './subjects.js';
import { watchRuns, type RunWatch } from './watch-runs.js';

/** The trace of a run, as it comes. */
export interface RunReading extends AsyncIterable<Uint8Array> {
  /**
   * Which pieces the server does not have, in words, while those behind them wait for them: they may be on their way, or
   * gone. Undefined when none wait.
   */
  readonly lacks: string | undefined;
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
  /** With what its words were found to name. */
  readonly url: FleetUrl;
  /** What the URL was taken for, where that is not how it reads at first. */
  readonly taken: string | undefined;
  /** The connection is cut at present; it comes back by itself. */
  readonly isCut: boolean;
  /** Those that the URL names, and there must be some where it names a host or a run; by host and run. @throws FleetError */
  listRuns(): Promise<FleetRun[]>;
  /** Which runs there are, from now on. @throws FleetError */
  watchRuns(): Promise<RunWatch>;
  /** How much the runs take on the server, and may. @throws FleetError */
  usage(): Promise<FleetUsage>;
  /** @throws FleetError while it is iterated over, also when there is no such run */
  readRun(host: string, run: string, options?: ReadRunOptions): RunReading;
  /**
   * How far the clocks of the hosts were from the server's, by the latest reading of each run; undefined where there
   * is none, as of what was imported.
   *
   * @throws FleetError
   */
  readClocks(): Promise<(run: RunName) => ClockReading | undefined>;
  close(): Promise<void>;
}

/**
 * Connects to a server.
 *
 * @throws ProgramError, FleetError
 */
export async function openFleet(url: string | FleetUrl, env?: Environment): Promise<Fleet> {
  const parsed = typeof url === 'string' ? parseFleetUrl(url) : url;
  const connected = await connectFleet(parsed, env);
  let meant: MeantUrl;
  try {
    meant = await meantUrl(connected);
  } catch (error) {
    await connected.close();
    throw error;
  }
  const server = { ...connected, url: meant.url };
  let isCut = false;
  const watch = async (): Promise<void> => {
    for await (const { type } of server.connection.status()) {
      if (type === 'disconnect') isCut = true;
      if (type === 'reconnect') isCut = false;
    }
  };
  void watch();
  return {
    url: meant.url,
    taken: meant.taken,
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
    readClocks: async () => {
      const readings = await lastClockReadings(server);
      return (run) => readings.get(clockSubject(meant.url.prefix, run));
    },
    close: () => server.close(),
  };
}

async function listRuns(server: FleetServer): Promise<FleetRun[]> {
  const { prefix } = server.url;
  await streamInfo(server);
  const subjects = namedSubjects(server.url);
  /** By subject: of a run that goes on meanwhile, more than its last piece comes. */
  const runs = new Map<string, WatchedRun>();
  const lasts = storedMessages(server, { subjects, last: true, headersOnly: true });
  for await (const message of lasts) {
    const name = runOfSubject(prefix, message.subject);
    const bytes = payloadBytes(message);
    const head = headOfMessage(message.headers, bytes);
    if (name !== undefined && head !== undefined)
      runs.set(message.subject, runUpTo(name, head, bytes, message.time.getTime()));
  }
  const { host, run: named = host === undefined ? undefined : { host } } = server.url;
  if (runs.size === 0 && named !== undefined) throw await noSuchRun(server, named);
  // Counted later than the runs were found: what comes meanwhile makes none of them less.
  const { state } = await streamInfo(server, subjects);
  const hasLost = state.first_seq > 1 || state.num_deleted > 0;
  const counts = state.subjects ?? {};
  const found: FleetRun[] = [];
  for (const run of runs.values()) {
    const count = counts[runSubject(prefix, run)] ?? 0;
    // A piece that is there twice would hide one that is gone.
    const mayLack = count < run.pieces || (count > run.pieces && hasLost);
    found.push(mayLack ? await lacking(server, run, count) : { ...run, missing: 0, first: 0 });
  }
  return found.toSorted((a, b) => inOrder(a.host, b.host) || inOrder(a.run, b.run));
}

/** A run of which the server holds so many messages. */
async function lacking(server: FleetServer, run: WatchedRun, count: number): Promise<FleetRun> {
  const { url, manager } = server;
  // Its own types do not tell that a server takes both.
  const query = { seq: 1, next_by_subj: runSubject(url.prefix, run) };
  const message = await asking(server, 'read a run', () =>
    manager.streams.getMessage(runStream(url.prefix), query),
  );
  const first = (message && pieceOfMessage(message.header, message.data)?.seq) ?? 0;
  // What was refused once stands behind what was sent with it.
  const gone = first < WINDOW ? 0 : first;
  return { ...run, first, missing: Math.max(run.pieces - count, gone) };
}

/** The last message of a run that is a piece; undefined when there is none. @throws FleetError */
export async function lastPiece(server: FleetServer, name: RunName): Promise<Piece | undefined> {
  const { url, manager } = server;
  const message = await asking(server, 'read a run', () =>
    manager.streams.getMessage(runStream(url.prefix), {
      last_by_subj: runSubject(url.prefix, name),
    }),
  );
  return message === null ? undefined : pieceOfMessage(message.header, message.data);
}

function readRun(server: FleetServer, name: RunName, options: ReadRunOptions): RunReading {
  const assembly = createRunAssembly(name);
  let strangers = 0;
  return {
    get lacks() {
      return assembly.lacks;
    },
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
  if (last === null && follow !== true) throw await noSuchRun(server, name);
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
