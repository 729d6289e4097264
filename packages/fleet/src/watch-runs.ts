/**
 * Which runs a server holds, and how each goes on, as the headers of its pieces tell: the last of each run, and then
 * whatever comes. The pieces themselves are not read.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, DeliverPolicy, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { messageOf } from '@vhostscope/terminal';
import { headOfMessage } from './piece-message.js';
import { runUpTo, type WatchedRun } from './fleet-run.js';
import { nanoseconds } from './run-clock.js';
import { createServerClock, type ServerClock } from './server-clock.js';
import { asking, couldNotAsk, streamInfo, type FleetServer } from './server-connection.js';
import { payloadBytes } from './stored-messages.js';
import { namedSubjects, runOfSubject, runStream } from './subjects.js';

export interface RunWatch {
  /** By what names a run; another object for a run of which something has come. */
  readonly runs: ReadonlyMap<string, WatchedRun>;
  /**
   * What was there when it was asked is all told. It is asked anew when this machine has slept, or the connection came
   * back: until it has answered, what is known is old, and nobody can say that a run is silent.
   */
  readonly isCaughtUp: boolean;
  /** Why nothing is heard at present. */
  readonly trouble: string | undefined;
  /** The time of the server, ms since 1970: no better known than the way of a question and its answer. */
  now(): number;
  close(): Promise<void>;
}

/** Between two tries, ms. */
const TRY_EVERY_MS = 1000;
/** Clocks drift apart: how far they are is asked again. */
const CLOCK_EVERY_MS = 600_000;
/** Between two looks whether the time has leapt, ms. */
const LOOK_EVERY_MS = 1000;
const MS = 1_000_000;
/** Headers that are on their way at once. */
const AHEAD = 256;
/** A server that was started anew has no consumer of ours any more: that shows within this, ms. */
const ASK_AGAIN_MS = 10_000;

/** @throws FleetError */
export async function watchRuns(server: FleetServer): Promise<RunWatch> {
  const runs = new Map<string, WatchedRun>();
  const abort = new AbortController();
  const { signal } = abort;
  let trouble: string | undefined;
  const { state } = await streamInfo(server);
  let isCaughtUp = state.messages === 0;
  const clock = createServerClock();
  await askTime(server, clock);
  clock.hasLeapt();
  let messages: ConsumerMessages | undefined;
  /** How often it was asked anew; what an answer to an earlier question still tells is left. */
  let asked = 0;

  function askAnew(): void {
    asked++;
    isCaughtUp = false;
    messages?.stop();
    measure();
  }

  function look(): void {
    if (clock.hasLeapt()) askAnew();
  }

  function take(message: JsMsg, question: number): void {
    const { info, subject } = message;
    const time = info.timestampNanos / MS;
    // Nothing comes before it was stored.
    clock.heard(time);
    look();
    if (question !== asked) return;
    if (info.pending === 0) isCaughtUp = true;
    const run = runOf(message, time);
    if (run !== undefined) runs.set(subject, later(runs.get(subject), run));
  }

  function runOf(message: JsMsg, time: number): WatchedRun | undefined {
    const name = runOfSubject(server.url.prefix, message.subject);
    const bytes = payloadBytes(message);
    const head = headOfMessage(message.headers, bytes);
    return name && head && runUpTo(name, head, bytes, time);
  }

  async function hear(): Promise<void> {
    const question = asked;
    const consumer = await server.client.consumers.get(runStream(server.url.prefix), {
      filter_subjects: namedSubjects(server.url),
      deliver_policy: DeliverPolicy.LastPerSubject,
      headers_only: true,
    });
    const { num_pending: pending } = await consumer.info(true);
    const heard = await consumer.consume({ max_messages: AHEAD, expires: ASK_AGAIN_MS });
    messages = heard;
    try {
      if (signal.aborted || question !== asked) return;
      trouble = undefined;
      if (pending === 0) isCaughtUp = true;
      for await (const message of heard) take(message, question);
    } finally {
      await heard.close();
    }
  }

  async function hearOn(): Promise<void> {
    while (!signal.aborted) {
      try {
        await hear();
      } catch (error) {
        trouble = `${messageOf(couldNotAsk(server.url, 'read which runs there are', error))}; tried again every second`;
      }
      await sleep(TRY_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  function measure(): void {
    // What was measured before holds on where nobody answers.
    askTime(server, clock).catch(() => undefined);
  }

  /** Until the connection is closed. */
  async function askWhenBack(): Promise<void> {
    for await (const { type } of server.connection.status())
      if (type === 'reconnect' && !signal.aborted) askAnew();
  }

  const timers = [setInterval(measure, CLOCK_EVERY_MS), setInterval(look, LOOK_EVERY_MS)];
  for (const timer of timers) timer.unref();
  void askWhenBack();
  const hearing = hearOn();
  return {
    runs,
    get isCaughtUp() {
      // After a sleep timers are late, and who asks may come first.
      look();
      return isCaughtUp;
    },
    get trouble() {
      return trouble;
    },
    now: () => clock.now(),
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      abort.abort();
      messages?.stop();
      await hearing;
    },
  };
}

/** A piece that is sent again is none that comes later. */
function later(before: WatchedRun | undefined, run: WatchedRun): WatchedRun {
  if (before === undefined || run.pieces >= before.pieces) return run;
  return { ...before, lastMs: Math.max(before.lastMs, run.lastMs) };
}

/** It says when a consumer was made. */
async function askTime(server: FleetServer, clock: ServerClock): Promise<void> {
  const stream = runStream(server.url.prefix);
  await asking(server, 'ask for its time', async () => {
    const before = clock.here();
    const { name, created } = await server.manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.New,
      inactive_threshold: GONE_AFTER_NS,
    });
    const after = clock.here();
    // It goes by itself, too.
    await server.manager.consumers.delete(stream, name).catch(() => undefined);
    clock.measured(Number(nanoseconds(created) / BigInt(MS)), (before + after) / 2);
  });
}

const GONE_AFTER_NS = 5_000 * MS;
