/** Makes the stream that holds the runs, or changes it to what is asked for. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { refuseToDelete } from './limit-deletes.js';
import {
  asking,
  FleetError,
  NoStreamError,
  streamInfo,
  type FleetServer,
} from './server-connection.js';
import { runStream, streamSubjects } from './subjects.js';

/** What is not said stays as it is, or is the server's default. */
export interface StreamWishes {
  /** In a cluster: on so many servers. */
  readonly replicas?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** ms */
  readonly maxAge?: number | undefined;
  /** Whether limits may be such that the server deletes what it holds. */
  readonly allowDeleting?: boolean | undefined;
}

export interface StreamState {
  readonly stream: string;
  readonly done: 'made' | 'changed' | 'left as it was';
  readonly replicas: number;
  /** Undefined where there is no limit. */
  readonly maxBytes: number | undefined;
  /** ms */
  readonly maxAge: number | undefined;
  readonly bytes: number;
}

const MS = 1_000_000;
/** A message that is sent again within this is not stored again, ms. */
const DUPLICATES_MS = 120_000;

/** @throws FleetError */
export async function initStream(server: FleetServer, wishes: StreamWishes): Promise<StreamState> {
  const { url, manager, connection } = server;
  const name = runStream(url.prefix);
  // A server of 2.9 takes it for a stream that is there, and cannot read that when it starts again.
  if ((wishes.replicas ?? 1) > 1 && connection.info?.cluster === undefined)
    throw new FleetError(`${url.name} is one server, and no cluster of ${wishes.replicas}`, {
      advice: 'leave --replicas out, or name the servers of a cluster',
    });
  const there = await streamInfo(server).catch((error: unknown) => {
    if (error instanceof NoStreamError) return undefined;
    throw error;
  });
  if (there === undefined) {
    const made = await asking(server, `make the stream ${name}`, () =>
      manager.streams.add({ ...fixedConfig(server), ...wishedConfig(wishes) }),
    );
    return { ...stateOf(made.config), bytes: 0, done: 'made' };
  }
  checkKept(server, there.config);
  const wanted = { ...there.config, ...changeable(server), ...wishedConfig(wishes) };
  const isSame = (Object.keys(wanted) as (keyof typeof wanted)[]).every(
    (key) => JSON.stringify(wanted[key]) === JSON.stringify(there.config[key]),
  );
  const { bytes } = there.state;
  if (isSame) return { ...stateOf(there.config), bytes, done: 'left as it was' };
  const [before, after] = [stateOf(there.config), stateOf(wanted)];
  const smaller = {
    maxBytes: ifLess(after.maxBytes, before.maxBytes),
    maxAge: ifLess(after.maxAge, before.maxAge),
  };
  if (wishes.allowDeleting !== true) await refuseToDelete(server, there, smaller);
  const changed = await asking(server, `change the stream ${name}`, () =>
    manager.streams.update(name, wanted),
  );
  return { ...stateOf(changed.config), bytes, done: 'changed' };
}

/** A limit that is less than before. What others delete, the server deletes anyway, by its own clock. */
function ifLess(after: number | undefined, before: number | undefined): number | undefined {
  return after !== undefined && after < (before ?? Number.POSITIVE_INFINITY) ? after : undefined;
}

/** Nothing that a server of 2.9 does not know. */
function fixedConfig(server: FleetServer): Partial<StreamConfig> & { name: string } {
  return {
    name: runStream(server.url.prefix),
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    ...changeable(server),
  };
}

function changeable({ url }: FleetServer): Partial<StreamConfig> {
  return {
    subjects: streamSubjects(url.prefix),
    // A full stream refuses what is new, and its senders wait: to drop what is old would cut holes into runs.
    discard: DiscardPolicy.New,
    allow_direct: true,
  };
}

function wishedConfig({ replicas, maxBytes, maxAge }: StreamWishes): Partial<StreamConfig> {
  return {
    ...(replicas !== undefined && { num_replicas: replicas }),
    ...(maxBytes !== undefined && { max_bytes: maxBytes }),
    ...(maxAge !== undefined && {
      max_age: maxAge * MS,
      // It may not be longer than messages live.
      duplicate_window: Math.min(maxAge, DUPLICATES_MS) * MS,
    }),
  };
}

/** What cannot be changed any more, and would not do. */
function checkKept({ url }: FleetServer, { name, storage, retention }: StreamConfig): void {
  const wrong = [
    storage === StorageType.File ? [] : 'it is kept in memory',
    retention === RetentionPolicy.Limits ? [] : 'it drops messages that were read',
  ].flat();
  if (wrong.length > 0)
    throw new FleetError(
      `${url.name} has a stream ${name} that is no stream of runs: ${wrong.join(', ')}`,
      {
        advice: 'use another prefix: nats://host/PREFIX',
      },
    );
}

function stateOf(config: StreamConfig): Omit<StreamState, 'done' | 'bytes'> {
  return {
    stream: config.name,
    replicas: config.num_replicas,
    maxBytes: config.max_bytes > 0 ? config.max_bytes : undefined,
    maxAge: config.max_age > 0 ? config.max_age / MS : undefined,
  };
}
