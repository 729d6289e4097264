/**
 * What a smaller limit makes the server delete: the oldest messages, without a word. Servers of 2.9 do so at either
 * limit; newer ones may keep what is over the bytes of a stream that refuses what is new, and only the age counts.
 */
import type { JsMsg, StreamInfo } from '@nats-io/jetstream';
import { byteSize, counted } from '@vhostscope/terminal';
import type { RunName } from './fleet-url.js';
import { FleetError, type FleetServer } from './server-connection.js';
import { payloadBytes, PAYLOAD_BYTES, storedMessages } from './stored-messages.js';
import { runOfSubject } from './subjects.js';

/** Limits as they are to be, where they are to be less than they are. */
interface Limits {
  readonly maxBytes: number | undefined;
  /** ms */
  readonly maxAge: number | undefined;
}

interface Deletion {
  readonly bytes: number;
  readonly messages: number;
  /** Runs of which pieces go, in the order in which they do. */
  readonly runs: readonly (RunName & { readonly pieces: number })[];
}

/** Runs that are named; there may be thousands. */
const NAMED = 10;

/**
 * @param stream as it is
 * @throws FleetError that says what would go, where anything would
 */
export async function refuseToDelete(
  server: FleetServer,
  { config, state }: StreamInfo,
  limits: Limits,
): Promise<void> {
  const { bytes, messages, runs } = await deletedBy(server, state, limits);
  if (messages === 0) return;
  const named = runs
    .slice(0, NAMED)
    .map(({ host, run, pieces }) => `${host}/${run}: ${counted(pieces, 'piece')}`);
  throw new FleetError(
    `${server.url.name}: these limits would delete what stream ${config.name} holds: the oldest ` +
      `${byteSize(bytes)} of ${byteSize(state.bytes)}, of ${counted(runs.length, 'run')}`,
    {
      details: runs.length > NAMED ? [...named, '…'] : named,
      advice:
        'allow more (--max-bytes, --max-age), or delete them with --allow-deleting; a run whose first pieces are gone can be read no more',
    },
  );
}

async function deletedBy(
  server: FleetServer,
  state: StreamInfo['state'],
  { maxBytes = Number.POSITIVE_INFINITY, maxAge = Number.POSITIVE_INFINITY }: Limits,
): Promise<Deletion> {
  const oldest = Date.now() - maxAge;
  const runs = new Map<string, RunName & { pieces: number }>();
  let bytes = 0;
  let messages = 0;
  const isOver = (): boolean => state.bytes - bytes > maxBytes;
  if (state.messages > 0 && (isOver() || Date.parse(state.first_ts) < oldest))
    for await (const message of storedMessages(server, { headersOnly: true })) {
      if (!isOver() && message.time.getTime() >= oldest) break;
      bytes += storedBytes(message);
      messages++;
      const { subject } = message;
      const name = runOfSubject(server.url.prefix, subject);
      if (name === undefined) continue;
      const found = runs.get(subject);
      if (found === undefined) runs.set(subject, { ...name, pieces: 1 });
      else found.pieces++;
    }
  return { bytes, messages, runs: [...runs.values()] };
}

/** What a message counts in the server's limit: with its subject and headers, and 30 or 34 bytes of the server's. */
function storedBytes(message: JsMsg): number {
  const { headers, subject } = message;
  // "NATS/1.0", the lines, an empty one.
  let head = 0;
  for (const [name, values] of headers ?? [])
    if (name !== PAYLOAD_BYTES)
      for (const value of values) head += Buffer.byteLength(`${name}: ${value}\r\n`);
  if (head > 0) head += 16;
  return 30 + Buffer.byteLength(subject) + head + payloadBytes(message);
}
