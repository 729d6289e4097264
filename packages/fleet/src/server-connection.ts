/** A connection to the server of a fleet, and what it refuses, in words. */
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { jetstream, jetstreamManager, JetStreamApiError } from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { ProgramError } from '@vhostscope/terminal';
import type { FleetUrl } from './fleet-url.js';
import { MAX_PIECE_BYTES } from './piece.js';
import { MESSAGE_OVERHEAD_BYTES } from './piece-message.js';
import { credentialsOf, type Environment } from './server-credentials.js';
import { runStream } from './subjects.js';

/** The server, or what is asked of it, is not there; with `isAway` it may be later. */
export class FleetError extends ProgramError {
  override name = 'FleetError';
  readonly isAway: boolean;

  constructor(message: string, { isAway = false, ...rest }: FleetErrorOptions = {}) {
    super(message, rest);
    this.isAway = isAway;
  }
}

/** The stream of runs was not made yet. */
export class NoStreamError extends FleetError {}

interface FleetErrorOptions {
  readonly isAway?: boolean;
  readonly details?: readonly string[];
  readonly advice?: string;
  readonly cause?: unknown;
}

export interface FleetServer {
  readonly url: FleetUrl;
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Lets go of it; what is under way is given up. */
  close(): Promise<void>;
}

/** From which on the server knows what we ask of it. */
const LEAST_VERSION = [2, 9, 0] as const;

/** A server on another continent answers within this, ms. */
const ANSWER_MS = 10_000;

/**
 * Connects. A connection that breaks later comes back by itself.
 *
 * @throws ProgramError for what the environment says; FleetError
 */
export async function connectFleet(
  url: FleetUrl,
  env: Environment = process.env,
  timeoutMs = ANSWER_MS,
): Promise<FleetServer> {
  const credentials = credentialsOf(env);
  const tls = credentials.tls ?? (url.tls ? {} : undefined);
  let connection: NatsConnection;
  try {
    connection = await connect({
      servers: [...url.servers],
      name: 'vhostscope',
      timeout: timeoutMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 500,
      reconnectJitter: 500,
      pingInterval: 10_000,
      noAsyncTraces: true,
      ...credentials,
      // Its own types do not tell that it hands on what Node knows.
      ...(tls && { tls: Object.assign(tls, { checkServerIdentity: identityCheck(url) }) }),
    });
  } catch (error) {
    throw couldNotConnect(url, error);
  }
  const options = { timeout: timeoutMs, checkAPI: false };
  const server: FleetServer = {
    url,
    connection,
    client: jetstream(connection, options),
    manager: await jetstreamManager(connection, options),
    close: () => connection.close(),
  };
  try {
    checkServer(server);
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/**
 * Of a server that is named by its address the client tells no name, and Node then asks for a certificate of
 * "localhost": any machine may have one. It has to be of an address that was named.
 */
function identityCheck({ servers }: FleetUrl): typeof checkServerIdentity {
  const hosts = servers.map((server) => server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'));
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  return (name, certificate) => {
    const wrong = checkServerIdentity(name, certificate);
    if (name !== 'localhost' || hosts.includes(name)) return wrong;
    const isNamed = addresses.some((ip) => checkServerIdentity(ip, certificate) === undefined);
    return isNamed ? undefined : (wrong ?? checkServerIdentity(addresses[0] ?? '', certificate));
  };
}

/**
 * Runs something that asks JetStream; what it refuses becomes a FleetError.
 *
 * @param what as in "cannot …"
 */
export async function asking<Result>(
  { url }: Pick<FleetServer, 'url'>,
  what: string,
  ask: () => Promise<Result>,
): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    throw couldNotAsk(url, what, error);
  }
}

/**
 * The stream of all runs, with how many messages each subject has.
 *
 * @param subjects which of them are told of; none by default
 * @throws FleetError where there is none
 */
export async function streamInfo(server: FleetServer, subjects?: string): Promise<StreamInfo> {
  const { url, manager } = server;
  const stream = runStream(url.prefix);
  try {
    return await manager.streams.info(
      stream,
      subjects === undefined ? undefined : { subjects_filter: subjects },
    );
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND)
      throw new NoStreamError(`${url.name} has no stream ${stream}, which is to hold the runs`, {
        advice: `make it once: collector fleet init ${url.name}`,
        cause: error,
      });
    throw couldNotAsk(url, 'read of the stream of runs', error);
  }
}

const STREAM_NOT_FOUND = 10_059;

/** Codes of JetStream's errors that say that there is no room. */
const NO_ROOM: ReadonlySet<number> = new Set([
  // maximum bytes, messages exceeded: told as a failure of the store
  10_077,
  // insufficient resources, storage resources exceeded, and those of the account
  10_023, 10_047, 10_028, 10_002,
]);

/** Whether a message was not taken because the stream, or the server's disk, is full. */
export function isNoRoom(error: unknown): boolean {
  return error instanceof JetStreamApiError && NO_ROOM.has(error.code);
}

/** Whether what failed may do so only for now: nobody answers, or who would is being elected. */
export function isPassing(error: unknown): boolean {
  if (error instanceof FleetError) return error.isAway;
  if (error instanceof JetStreamApiError) return error.status === 503 || error.status === 408;
  const chain = chainOf(error).map(({ error: one }) => one);
  if (chain.some((one) => one instanceof errors.PermissionViolationError)) return false;
  return chain.some((one) => PASSING.some((kind) => one instanceof kind));
}

const PASSING = [
  errors.TimeoutError,
  errors.NoRespondersError,
  errors.ClosedConnectionError,
  errors.DrainingConnectionError,
  errors.ConnectionError,
  errors.RequestError,
];

function checkServer({ url, connection }: FleetServer): void {
  const { info } = connection;
  if (info === undefined) return;
  if (isOlder(info.version))
    throw new FleetError(
      `${url.name} runs nats-server ${info.version}, and ${LEAST_VERSION.join('.')} is the least that is needed`,
      { advice: 'update the server' },
    );
  if (info.max_payload < MAX_PIECE_BYTES + MESSAGE_OVERHEAD_BYTES)
    throw new FleetError(
      `${url.name} takes messages of ${info.max_payload} bytes at most, and a piece of a trace may need ${MAX_PIECE_BYTES + MESSAGE_OVERHEAD_BYTES}`,
      { advice: 'raise max_payload in its configuration; 1MB is its default' },
    );
}

function isOlder(version: string): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [at, least] of LEAST_VERSION.entries()) {
    const part = parts[at] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (or the clock of this host is wrong)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is signed by an authority that is not known here',
  CERT_REVOKED: 'its certificate was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is of another host',
};

const AWAY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
  ENETDOWN: 'the network is down',
  ETIMEDOUT: 'the host does not answer',
  ENOTFOUND: 'no host of that name is known',
  EAI_AGAIN: 'the name of the host could not be looked up',
};

function couldNotConnect(url: FleetUrl, error: unknown): FleetError {
  const codes = chainOf(error).map(({ code }) => code ?? '');
  const certificate = codes.find((code) => Object.hasOwn(CERTIFICATE, code));
  if (certificate !== undefined)
    return new FleetError(`${url.name} cannot be trusted: ${CERTIFICATE[certificate]}`, {
      advice: 'NATS_CA names a file with the authority that signs for it',
      cause: error,
    });
  if (
    codes.some(
      (code) =>
        code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code.startsWith('ERR_OSSL_'),
    )
  )
    return new FleetError(`${url.name}: TLS could not be agreed on (${messageOf(error)})`, {
      advice: 'NATS_CA, NATS_CERT and NATS_KEY name files of certificates and keys',
      cause: error,
    });
  if (
    chainOf(error).some(
      ({ error: one }) =>
        one instanceof errors.AuthorizationError ||
        one instanceof errors.UserAuthenticationExpiredError,
    )
  )
    return new FleetError(`${url.name} does not let us in: ${messageOf(error)}`, {
      advice:
        'who we are is said by NATS_USER and NATS_PASSWORD, NATS_TOKEN, or files that NATS_CREDS, NATS_NKEY, or NATS_CERT and NATS_KEY name; what NATS_CREDS names may have expired',
      cause: error,
    });
  const away = codes.find((code) => Object.hasOwn(AWAY, code));
  if (away !== undefined)
    return new FleetError(`${url.name} is away: ${AWAY[away]}`, {
      isAway: true,
      advice: 'is the address right, and does nats-server run there?',
      cause: error,
    });
  if (error instanceof errors.TimeoutError || error === undefined)
    return new FleetError(`${url.name} is away: it does not answer as a NATS server does`, {
      isAway: true,
      advice:
        'is the address right, does nats-server run there, and does it ask for a certificate of its clients (NATS_CERT, NATS_KEY)?',
      cause: error,
    });
  return new FleetError(`cannot connect to ${url.name}: ${messageOf(error)}`, {
    isAway: error instanceof errors.ConnectionError && !/tls/i.test(messageOf(error)),
    cause: error,
  });
}

/** What JetStream refused, in words where there are any. */
export function couldNotAsk(url: FleetUrl, what: string, error: unknown): unknown {
  if (error instanceof ProgramError) return error;
  if (isRefused(error))
    return new FleetError(`${url.name} does not let us ${what}: ${messageOf(error)}`, {
      advice:
        'the permissions of this user are in the configuration of the server, or in its file of credentials',
      cause: error,
    });
  if (chainOf(error).some(({ error: one }) => isWithout(one))) return withoutJetStream(url, error);
  if (error instanceof JetStreamApiError)
    return new FleetError(`${url.name} refuses to ${what}: ${messageOf(error)}`, {
      isAway: isPassing(error),
      ...(error.code === NO_STORAGE && { advice: NO_STORAGE_ADVICE }),
      cause: error,
    });
  if (isPassing(error))
    return new FleetError(`${url.name} is away: it did not answer (${messageOf(error)})`, {
      isAway: true,
      advice: 'in a cluster, more than half of the servers must be there',
      cause: error,
    });
  return error;
}

const NO_STORAGE = 10_047;
const NO_STORAGE_ADVICE =
  'less is left than that: name a smaller --max-bytes, or raise max_file_store in the configuration of the server (by default it is three quarters of what is free on its disk)';
/** Of the server, and of the account, for which the client throws an error of its own that was caused by this one. */
const NOT_ENABLED: ReadonlySet<number> = new Set([10_076, 10_039]);

function isWithout(error: Error): boolean {
  if (error instanceof JetStreamApiError) return NOT_ENABLED.has(error.code);
  return error instanceof errors.NoRespondersError;
}

function withoutJetStream(url: FleetUrl, cause: unknown): FleetError {
  return new FleetError(`${url.name} has no JetStream, which keeps the runs`, {
    advice: 'start nats-server with --jetstream, or allow it for this account',
    cause,
  });
}

function isRefused(error: unknown): boolean {
  return chainOf(error).some(({ error: one }) => one instanceof errors.PermissionViolationError);
}

interface CodedError {
  readonly error: Error;
  /** JetStream's errors have numbers instead. */
  readonly code: string | undefined;
}

/** An error and what caused it. */
function chainOf(error: unknown): CodedError[] {
  const chain: CodedError[] = [];
  const add = (one: unknown): void => {
    if (!(one instanceof Error) || chain.length >= MAX_CAUSES) return;
    const { code } = one as { code?: unknown };
    chain.push({ error: one, code: typeof code === 'string' ? code : undefined });
    // A host with several addresses: one each.
    if (one instanceof AggregateError) for (const cause of one.errors) add(cause);
    add(one.cause);
  };
  add(error);
  return chain;
}

const MAX_CAUSES = 16;

/** What an error says, in one short line: a server chose the words. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, 200) || 'no reason was given';
}
