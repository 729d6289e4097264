/** A server that comes and goes, for those who send: what becomes of it is told once, and it is waited for. */
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf, ProgramError } from '@vhostscope/terminal';
import type { FleetUrl } from './fleet-url.js';
import { connectFleet, FleetError, streamInfo, type FleetServer } from './server-connection.js';
import type { Environment } from './server-credentials.js';

export interface ServerLink {
  readonly url: FleetUrl;
  /** What keeps things from being sent at present; undefined when nothing does. */
  readonly trouble: string | undefined;
  /** The server when it is there; undefined when `signal` comes first. */
  ready(signal: AbortSignal): Promise<FleetServer | undefined>;
  /** Says what keeps things from being sent, once; undefined when it is over. */
  note(trouble: string | undefined): void;
  close(): Promise<void>;
}

/** Between two attempts to connect, ms: at first, and at most. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Connects to a server that has the stream of runs. One that is away is waited for, unless it must be there, and what
 * else is wrong with it is an error now; later nothing is, as what is to be sent waits in the spool.
 *
 * @param tell says something to the user
 * @throws ProgramError, FleetError
 */
export async function openServerLink(
  url: FleetUrl,
  env: Environment,
  tell: (words: string) => void,
  mustBeThere = false,
): Promise<ServerLink> {
  const closing = new AbortController();
  let server: FleetServer | undefined;
  let trouble: string | undefined;
  let waiting: (() => void)[] = [];

  const note = (now: string | undefined): void => {
    if (now === trouble) return;
    if (now !== undefined) tell(`${now}; what is to be sent waits in the spool`);
    else tell(`${url.name} takes what is sent again`);
    trouble = now;
  };

  function isThere(connected: FleetServer): void {
    server = connected;
    const heard = waiting;
    waiting = [];
    for (const resolve of heard) resolve();
    void watch(connected);
  }

  /** Until the connection is closed for good, as by a server that does not let us in any more. */
  async function watch(connected: FleetServer): Promise<void> {
    void hearStatus(connected);
    await connected.connection.closed();
    server = undefined;
    if (!closing.signal.aborted) void reconnect();
  }

  async function hearStatus({ connection }: FleetServer): Promise<void> {
    for await (const { type } of connection.status()) {
      if (closing.signal.aborted) return;
      if (type === 'disconnect') note(`the connection to ${url.name} is cut`);
      if (type === 'reconnect') note(undefined);
    }
  }

  async function reconnect(): Promise<void> {
    let wait = FIRST_PAUSE_MS;
    while (!closing.signal.aborted) {
      await pause(wait, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      if (closing.signal.aborted) return;
      try {
        const connected = await connectReady(url, env);
        if (closing.signal.aborted) return await connected.close();
        note(undefined);
        return isThere(connected);
      } catch (error) {
        note(inWords(error));
      }
      wait = Math.min(2 * wait, LONGEST_PAUSE_MS);
    }
  }

  try {
    isThere(await connectReady(url, env));
  } catch (error) {
    if (mustBeThere || !(error instanceof FleetError && error.isAway)) throw error;
    note(inWords(error));
    void reconnect();
  }
  return {
    url,
    get trouble() {
      return trouble;
    },
    ready: async (signal) => {
      while (server === undefined) {
        if (signal.aborted || closing.signal.aborted) return undefined;
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      return signal.aborted ? undefined : server;
    },
    note,
    close: async () => {
      closing.abort();
      for (const resolve of waiting.splice(0)) resolve();
      await server?.close();
    },
  };
}

async function connectReady(url: FleetUrl, env: Environment): Promise<FleetServer> {
  const connected = await connectFleet(url, env);
  try {
    await streamInfo(connected);
    return connected;
  } catch (error) {
    await connected.close();
    throw error;
  }
}

function inWords(error: unknown): string {
  if (error instanceof ProgramError && error.advice !== undefined)
    return `${error.message} (${error.advice})`;
  return messageOf(error);
}
