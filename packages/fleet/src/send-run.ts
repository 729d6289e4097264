/** Sends a run from its spool, in order, and writes down what is acknowledged. */
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@vhostscope/terminal';
import { WINDOW } from './piece.js';
import { messageHeaders, messageId } from './piece-message.js';
import { lastPiece } from './read-fleet.js';
import { couldNotAsk, isNoRoom, isPassing, type FleetServer } from './server-connection.js';
import type { ServerLink } from './server-link.js';
import type { SpooledPiece } from './spool-reader.js';
import type { SpooledRun } from './spooled-run.js';
import { runStream, runSubject } from './subjects.js';

/** An acknowledgement takes as long as the server's disk, and those of its cluster, ms. */
const ACK_MS = 10_000;

/** Between two attempts, ms: at first, and at most. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Attempts that may fail before it is said: a cluster elects a leader meanwhile. */
const QUIET_FAILURES = 4;

export type SendOutcome = 'sent' | 'sent with a gap' | 'left';

/**
 * Sends until the end of the run is acknowledged, whatever becomes of the server.
 *
 * @param tell says something to the user
 * @param onProgress called at each piece that is acknowledged
 * @returns `left`: `signal` came before that. `sent with a gap`: the server does not hold what it had acknowledged before,
 *   and the spool does not either
 * @throws what the spool's file system refused; an Error where the spool is damaged
 */
export async function sendRun(
  run: SpooledRun,
  link: ServerLink,
  signal: AbortSignal,
  tell: (words: string) => void,
  onProgress: () => void = () => undefined,
): Promise<SendOutcome> {
  const acknowledge = (piece: SpooledPiece): void => {
    run.acknowledge(piece);
    link.note(undefined);
    onProgress();
  };
  let wait = FIRST_PAUSE_MS;
  let failures = 0;
  let isChecked = run.acknowledged.seq === 0;
  let isHeld = true;
  let failure: unknown;
  for (;;) {
    const server = await link.ready(signal);
    if (server === undefined) {
      // Whoever gives up is to know why, however soon that is.
      if (failure !== undefined && link.trouble === undefined) link.note(inWords(link, failure));
      return 'left';
    }
    const before = run.acknowledged.seq;
    failure = undefined;
    try {
      if (!isChecked) isHeld = await checkHeld(run, server, tell);
      isChecked = true;
      failure = await sendUntilRefused(run, server, acknowledge, signal);
    } catch (error) {
      if (!isPassing(error)) throw error;
      failure = error;
    }
    run.settle();
    if (failure === undefined) {
      if (!run.hasEnd || run.acknowledged.seq !== run.whole.seq) return 'left';
      return isHeld ? 'sent' : 'sent with a gap';
    }
    if (run.acknowledged.seq > before) {
      wait = FIRST_PAUSE_MS;
      failures = 0;
    }
    failures++;
    const mayPass = isPassing(failure) && !isNoRoom(failure);
    if (!mayPass || failures > QUIET_FAILURES) link.note(inWords(link, failure));
    await pause(wait, undefined, { signal }).catch(() => undefined);
    wait = Math.min(2 * wait, LONGEST_PAUSE_MS);
  }
}

function inWords({ url }: ServerLink, failure: unknown): string {
  if (isNoRoom(failure))
    return `the stream ${runStream(url.prefix)} of ${url.name}, or the server's disk, is full`;
  const error = couldNotAsk(url, 'publish', failure);
  return messageOf(error);
}

/** Says so where the server has lost what it had acknowledged: that is not in the spool any more. */
async function checkHeld(
  run: SpooledRun,
  server: FleetServer,
  tell: (words: string) => void,
): Promise<boolean> {
  const { seq } = run.acknowledged;
  const last = await lastPiece(server, run.name);
  // What was sent again may stand behind what was sent after it.
  if (last !== undefined && last.seq + WINDOW >= seq - 1) return true;
  tell(
    `${server.url.name} does not hold all that was acknowledged of run ${run.name.host}/${run.name.run}: its first ${seq} pieces were; was it sent to another server, or deleted there?`,
  );
  return false;
}

type Outcome = { readonly error?: unknown };

interface Flight {
  readonly spooled: SpooledPiece;
  readonly landed: Promise<Outcome>;
}

/**
 * @returns what the server refused the first piece of that is not acknowledged with; undefined when all is
 *   acknowledged, or `signal` came
 */
async function sendUntilRefused(
  run: SpooledRun,
  server: FleetServer,
  acknowledge: (piece: SpooledPiece) => void,
  signal: AbortSignal,
): Promise<unknown> {
  const flights: Flight[] = [];
  let { place } = run.acknowledged;
  let more: Promise<undefined> | undefined;
  const forgetting = async (grown: Promise<void>): Promise<undefined> => {
    await grown;
    more = undefined;
    return undefined;
  };
  const stopped = whenAborted(signal);
  try {
    for (;;) {
      while (flights.length < WINDOW && !signal.aborted) {
        const spooled = run.read(place);
        if (spooled === undefined) break;
        place = spooled.next;
        flights.push({ spooled, landed: publish(server, run, spooled) });
      }
      if (signal.aborted) return undefined;
      const [first] = flights;
      if (first === undefined && run.hasEnd) return undefined;
      const events: Promise<Outcome | undefined>[] = [stopped.promise];
      if (first !== undefined) events.push(first.landed);
      if (flights.length < WINDOW && !run.hasEnd) {
        more ??= forgetting(run.more());
        events.push(more);
      }
      const outcome = await Promise.race(events);
      if (outcome === undefined) continue;
      if ('error' in outcome) {
        // What is sent again while it is still under way would only be there twice.
        await Promise.race([stopped.promise, Promise.all(flights.map(({ landed }) => landed))]);
        return outcome.error;
      }
      flights.shift();
      acknowledge(first.spooled);
    }
  } finally {
    stopped.forget();
  }
}

async function publish(
  { client, url }: FleetServer,
  { name }: SpooledRun,
  { piece, segment }: SpooledPiece,
): Promise<Outcome> {
  try {
    await client.publish(runSubject(url.prefix, name), piece.bytes, {
      headers: messageHeaders(piece),
      msgID: messageId(name, segment, piece.seq),
      expect: { streamName: runStream(url.prefix) },
      timeout: ACK_MS,
    });
    return {};
  } catch (error) {
    return { error };
  }
}

function whenAborted(signal: AbortSignal): { promise: Promise<undefined>; forget(): void } {
  let hear = (): void => undefined;
  const promise = new Promise<undefined>((resolve) => {
    hear = () => resolve(undefined);
    if (signal.aborted) hear();
    signal.addEventListener('abort', hear, { once: true });
  });
  return { promise, forget: () => signal.removeEventListener('abort', hear) };
}
