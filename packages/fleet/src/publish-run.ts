/** Publishes a trace while it is written: into a spool on disk, and from there to the server. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ProgramError, messageOf } from '@vhostscope/terminal';
import { OutputError, type TraceOutput } from '@vhostscope/trace';
import { urlOfRun, type FleetUrl, type RunName } from './fleet-url.js';
import { storeClockReading, type HostClock } from './run-clock.js';
import { sendLeftRuns } from './send-left-runs.js';
import { sendRun, type SendOutcome } from './send-run.js';
import type { Environment } from './server-credentials.js';
import { openServerLink, type ServerLink } from './server-link.js';
import { createSpoolBudget } from './spool-budget.js';
import { makeRunFolder, openSpoolFolder, writeRunNote } from './spool-folder.js';
import { startOfSpool } from './spool-place.js';
import { createSpoolWriter, RESERVE_BYTES, SEGMENT_BYTES } from './spool-writer.js';
import { createSpooledRun, type SpooledRun } from './spooled-run.js';
import { MAX_NAME_BYTES } from './subjects.js';

export interface PublishOptions {
  readonly url: FleetUrl;
  /** Whose run it is. */
  readonly host: string;
  readonly spool: string;
  /** Bytes that the spool may hold, of all runs. */
  readonly spoolMax: number;
  readonly env?: Environment;
  /** Says something to the user. */
  readonly tell: (words: string) => void;
  /** The clock of the trace's times, where it is this host's. */
  readonly clock?: HostClock | undefined;
  /** Whether what makes the trace can wait for the server where the spool is nearly full. */
  readonly canWait?: boolean;
}

export interface Publisher {
  readonly name: RunName;
  /** How it is called in commands. */
  readonly url: string;
  readonly spool: string;
  /** Throws OutputError where the spool is full, or its disk. */
  readonly output: TraceOutput;
  /** Whether there is anything of the run: from `begin` on. */
  readonly isBegun: boolean;
  /** There is something to keep: what was written, and what will be, is a run, and is sent. */
  begin(): void;
  /**
   * The trace is at its end, or given up: waits until all of it is acknowledged, for so long at most, ms, or until
   * `signal`. What is not, stays in the spool.
   */
  finish(waitMs: number, signal: AbortSignal): Promise<PublishResult>;
  /** Lets go of all; a run that was not begun leaves nothing. Does nothing the second time. */
  close(): Promise<void>;
}

export interface PublishResult extends RunName {
  readonly url: string;
  readonly bytes: number;
  readonly acknowledgedBytes: number;
  /** Whether the server has all of it, with its end. */
  readonly isSent: boolean;
  readonly spool: string;
  /** What kept it from being sent; undefined when nothing is known to. */
  readonly trouble: string | undefined;
}

const CLOCK_EVERY_MS = 600_000;

/**
 * Opens the spool, and the way to the server. A server that is away is no error: it is told, and the spool takes
 * what comes.
 *
 * @throws ProgramError, FleetError, OutputError
 */
export async function openPublisher(options: PublishOptions): Promise<Publisher> {
  const { url, host, spoolMax, env = process.env, tell } = options;
  if (Buffer.byteLength(host) > MAX_NAME_BYTES || host === '')
    throw new ProgramError(`the name of a host has 1 to ${MAX_NAME_BYTES} bytes`);
  const spool = openSpoolFolder(options.spool);
  const link = await openServerLink(url, env, tell);
  try {
    return publisherOf(options, { host, run: newRunName() }, spool, spoolMax, link);
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** By its beginning, so that runs stand in their order; no two have one name. */
function newRunName(): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}-${randomBytes(4).toString('hex')}`;
}

function publisherOf(
  { url, tell, clock, canWait }: PublishOptions,
  name: RunName,
  spool: string,
  spoolMax: number,
  link: ServerLink,
): Publisher {
  const { folder, ownership } = makeRunFolder(spool, name);
  const reserveBytes = Math.min(RESERVE_BYTES, Math.floor(spoolMax / 8));
  const budget = createSpoolBudget(spool, folder, spoolMax, reserveBytes);
  // Files are deleted whole, so that they are to be a small part of what there may be.
  const segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(spoolMax / 8));
  const writer = createSpoolWriter({ folder, name, budget, segmentBytes, reserveBytes });
  let hasEnd = false;
  const run = createSpooledRun({
    name,
    folder,
    from: startOfSpool(name),
    ownership,
    whole: () => writer.whole,
    hasEnd: () => hasEnd,
    onFreed: (bytes) => budget.giveBack(bytes),
  });
  writer.onGrown = () => run.grown();
  if (canWait === true) writer.pace = paceOf(run, budget, spoolMax);
  const stopping = new AbortController();
  let sending: Promise<SendOutcome> | undefined;
  let outcome: SendOutcome = 'left';
  let isClosed = false;
  let trouble: string | undefined;
  const others: Promise<unknown>[] = [];

  async function sendAll(): Promise<SendOutcome> {
    try {
      return await sendRun(run, link, stopping.signal, tell);
    } catch (error) {
      trouble = messageOf(error);
      tell(trouble);
      return 'left';
    }
  }

  async function measureClock(): Promise<void> {
    while (clock !== undefined) {
      const server = await link.ready(stopping.signal);
      if (server === undefined) return;
      try {
        await storeClockReading(server, name, clock);
      } catch {
        // A server that is away or full: the sending tells of it, and a later reading does as well.
      }
      await pause(CLOCK_EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  function end(): void {
    if (hasEnd) return;
    try {
      writer.end();
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      // Whoever sends what is left gives it its end then.
      trouble = error.message;
      tell(error.message);
      return;
    }
    hasEnd = true;
    run.grown();
  }

  return {
    name,
    url: urlOfRun(url, name),
    spool,
    output: writer.output,
    get isBegun() {
      return sending !== undefined;
    },
    begin: () => {
      if (sending !== undefined) return;
      writeRunNote(folder, { ...name, server: url.name });
      sending = sendAll();
      others.push(measureClock(), sendLeftRuns({ spool, link, signal: stopping.signal, tell }));
    },
    finish: async (waitMs, signal) => {
      await writer.output.abandon();
      if (sending !== undefined) {
        end();
        outcome = await Promise.race([
          sending,
          pause(waitMs, 'left' as const, { signal: stopping.signal }),
          new Promise<'left'>((resolve) => {
            if (signal.aborted) resolve('left');
            signal.addEventListener('abort', () => resolve('left'), { once: true });
          }),
        ]);
      }
      stopping.abort();
      return {
        ...name,
        url: urlOfRun(url, name),
        bytes: run.whole.offset,
        acknowledgedBytes: run.acknowledged.offset,
        isSent: outcome === 'sent',
        spool,
        trouble: trouble ?? link.trouble,
      };
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await writer.output.abandon();
      stopping.abort();
      await sending;
      await Promise.all(others);
      await link.close();
      writer.close();
      if (outcome !== 'left' || sending === undefined) run.remove();
      else {
        end();
        run.close();
      }
    },
  };
}

/** What can wait does where less of the spool is free than this part of it, and the server takes what is sent. */
const NEARLY_FULL = 0.5;
const LOOK_MS = 50;
/** A server that has taken nothing for so long is not waited for, ms: the spool takes what it can. */
const PATIENCE_MS = 60_000;

function paceOf(
  run: Pick<SpooledRun, 'acknowledged' | 'whole'>,
  budget: { readonly left: number },
  spoolMax: number,
): () => Promise<void> | undefined {
  let seq = -1;
  let movedAt = 0;
  const mayWait = (): boolean => {
    const { acknowledged, whole } = run;
    if (budget.left > spoolMax * NEARLY_FULL || acknowledged.seq === whole.seq) return false;
    if (acknowledged.seq !== seq) {
      ({ seq } = acknowledged);
      movedAt = performance.now();
    }
    return performance.now() - movedAt < PATIENCE_MS;
  };
  const wait = async (): Promise<void> => {
    while (mayWait()) await pause(LOOK_MS);
  };
  return () => (mayWait() ? wait() : undefined);
}
