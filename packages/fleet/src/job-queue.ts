/**
 * Jobs that machines share: each is some bytes under a name that is their digest. A work queue holds those that wait or
 * are under way, and gives one whose worker is not heard of any more to another; a stream beside it holds the result of
 * each, the last one only. What is in them is the matter of who puts and takes.
 */
import { createHash } from 'node:crypto';
import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type Consumer,
  type JsMsg,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { FleetUrl } from './fleet-url.js';
import { asking, connectFleet, streamInfo, type FleetServer } from './server-connection.js';
import type { Environment } from './server-credentials.js';

/** A job that was given to this worker, and to no other as long as `keep` is called in time. */
export interface TakenJob {
  readonly id: string;
  readonly bytes: Uint8Array;
  /** How often it was given to somebody, this time too. */
  readonly tries: number;
  /** The worker is still at it; to be called every `KEEP_EVERY_MS`. */
  keep(): void;
  /** It is done: nobody gets it any more. */
  done(): Promise<void>;
  /** Somebody else is to get it, not before so long, ms. */
  giveBack(delay?: number): void;
}

export interface JobResult {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** What the queue looks like. */
export interface QueueState {
  readonly waiting: number;
  readonly underWay: number;
  /** Workers that ask for a job and have none. */
  readonly idleWorkers: number;
}

export interface JobQueue {
  readonly url: FleetUrl;
  /** Bytes that a result may have. */
  readonly mostBytes: number;
  /** Puts a job where it is not there already, waiting or under way. @throws FleetError */
  put(bytes: Uint8Array): Promise<void>;
  /** The last result of a job; undefined when there is none. @throws FleetError */
  result(id: string): Promise<Uint8Array | undefined>;
  /** Results of any jobs that come from now on, once this has resolved. @throws FleetError */
  comingResults(signal: AbortSignal): Promise<AsyncIterable<JobResult>>;
  /** Waits for a job for so long, ms; undefined when none came. @throws FleetError */
  take(waitMs: number): Promise<TakenJob | undefined>;
  /** @throws FleetError */
  putResult(id: string, bytes: Uint8Array): Promise<void>;
  /** @throws FleetError */
  state(): Promise<QueueState>;
  /** How many other programs have workers there, by their last sign. @throws FleetError */
  othersWithWorkers(): Promise<number>;
  close(): Promise<void>;
}

/** A worker that is not heard of for so long has lost its job, ms. */
const LOST_AFTER_MS = 15_000;
export const KEEP_EVERY_MS = 5000;
/** Results, and jobs that nobody takes, go after a day, ms. */
const KEPT_MS = 86_400_000;
const MS = 1_000_000;
/** What a message holds beside its bytes. */
const OVERHEAD_BYTES = 1024;

/** The name of a job. */
export function jobId(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Connects to a server that has runs, and makes the queue where there is none.
 *
 * @param program who can do the jobs, of letters and digits: others have a queue and results of their own
 * @throws ProgramError, FleetError
 */
export async function openJobQueue(
  url: FleetUrl,
  program: string,
  env?: Environment,
): Promise<JobQueue> {
  const server = await connectFleet(url, env);
  const workers = `workers-${program}`;
  try {
    await makeStreams(server);
    await asking(server, 'make the queue of jobs', () =>
      server.manager.consumers.add(jobStream(url.prefix), {
        durable_name: workers,
        filter_subject: `${url.prefix}.job.${program}.*`,
        ack_policy: AckPolicy.Explicit,
        ack_wait: LOST_AFTER_MS * MS,
        max_ack_pending: -1,
        max_deliver: -1,
        inactive_threshold: KEPT_MS * MS,
      }),
    );
  } catch (error) {
    await server.close();
    throw error;
  }
  const { client, manager, connection } = server;
  const { prefix } = url;
  const jobs = jobStream(prefix);
  const results = resultStream(prefix);
  // Another program may answer otherwise.
  const resultOf = (id: string): string => `${prefix}.result.${program}.${id}`;
  const idOf = (subject: string): string => subject.split('.').at(-1) ?? '';
  return {
    url,
    mostBytes: (connection.info?.max_payload ?? 1 << 20) - OVERHEAD_BYTES,
    put: async (bytes) =>
      asking(server, 'share a job', async () => {
        try {
          const subject = `${prefix}.job.${program}.${jobId(bytes)}`;
          await client.publish(subject, bytes, { expect: { lastSubjectSequence: 0 } });
        } catch (error) {
          if (!(error instanceof JetStreamApiError && error.code === IS_THERE)) throw error;
        }
      }),
    result: async (id) => {
      const message = await asking(server, 'read a result', () =>
        manager.streams.getMessage(results, { last_by_subj: resultOf(id) }),
      );
      return message?.data;
    },
    comingResults: async (signal) =>
      asking(server, 'read results', async () => {
        const { state } = await manager.streams.info(results);
        const consumer = await client.consumers.get(results, {
          filter_subjects: resultOf('*'),
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: state.last_seq + 1,
        });
        return resultsOf(consumer, signal, idOf);
      }),
    take: async (waitMs) =>
      asking(server, 'take a job', async () => {
        const consumer = await client.consumers.get(jobs, workers);
        const message = await consumer.next({ expires: waitMs });
        return message === null ? undefined : takenJob(message, idOf(message.subject));
      }),
    putResult: async (id, bytes) => {
      await asking(server, 'put a result', () => client.publish(resultOf(id), bytes));
    },
    state: async () =>
      asking(server, 'read of the jobs', async () => {
        const info = await manager.consumers.info(jobs, workers);
        return {
          waiting: info.num_pending,
          underWay: info.num_ack_pending,
          idleWorkers: info.num_waiting,
        };
      }),
    othersWithWorkers: async () =>
      asking(server, 'read of the jobs', async () => {
        let others = 0;
        for await (const info of manager.consumers.list(jobs))
          if (info.name !== workers && info.num_waiting + info.num_ack_pending > 0) others++;
        return others;
      }),
    close: () => server.close(),
  };
}

/** Wrong last sequence: there is a message of that subject. */
const IS_THERE = 10_071;

function jobStream(prefix: string): string {
  return `${prefix.toUpperCase()}_JOBS`;
}

function resultStream(prefix: string): string {
  return `${prefix.toUpperCase()}_RESULTS`;
}

/** As the stream of runs is kept; what is there is left as it is. */
async function makeStreams(server: FleetServer): Promise<void> {
  const { manager, url } = server;
  const { num_replicas: replicas } = (await streamInfo(server)).config;
  const common = { storage: StorageType.File, num_replicas: replicas, max_age: KEPT_MS * MS };
  const streams: (Partial<StreamConfig> & { name: string })[] = [
    {
      ...common,
      name: jobStream(url.prefix),
      subjects: [`${url.prefix}.job.*.*`],
      retention: RetentionPolicy.Workqueue,
    },
    {
      ...common,
      name: resultStream(url.prefix),
      subjects: [`${url.prefix}.result.*.*`],
      retention: RetentionPolicy.Limits,
      max_msgs_per_subject: 1,
    },
  ];
  for (const stream of streams)
    await asking(server, `make the stream ${stream.name}`, async () => {
      const isThere = await manager.streams.info(stream.name).then(
        () => true,
        (error: unknown) => {
          if (error instanceof JetStreamApiError && error.code === NOT_THERE) return false;
          throw error;
        },
      );
      // Two that make the same at once make one.
      if (!isThere) await manager.streams.add(stream);
    });
}

const NOT_THERE = 10_059;

function takenJob(message: JsMsg, id: string): TakenJob {
  return {
    id,
    bytes: message.data,
    tries: message.info.deliveryCount,
    keep: () => message.working(),
    done: async () => {
      await message.ackAck();
    },
    giveBack: (delay) => message.nak(delay),
  };
}

async function* resultsOf(
  consumer: Consumer,
  signal: AbortSignal,
  idOf: (subject: string) => string,
): AsyncGenerator<JobResult> {
  if (signal.aborted) return;
  const messages = await consumer.consume({ max_messages: 32, expires: 10_000 });
  const stop = (): void => messages.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    for await (const message of messages) yield { id: idOf(message.subject), bytes: message.data };
  } finally {
    signal.removeEventListener('abort', stop);
    await messages.close();
  }
}
