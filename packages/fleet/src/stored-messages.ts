/** Messages of the stream in one pass, whole or without what they hold: of a piece that is some hundred bytes instead of 256 KiB. */
import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { asking, couldNotAsk, type FleetServer } from './server-connection.js';
import { runStream } from './subjects.js';

/** Messages that are fetched ahead; those that are not headers alone are to be small. */
const AHEAD = 2048;
/** They are asked for again where none has come for so long, and so often in all. */
const WAIT_MS = 2000;
const MOST_EMPTY = 5;

const READ = 'read the stream of runs';

export interface WantedMessages {
  /** Of which subjects; of all by default. */
  readonly subjects?: string;
  /** Only the last message of each subject. */
  readonly last?: boolean;
  /** Only their headers. */
  readonly headersOnly?: boolean;
}

/**
 * In the order of the stream: as many as are there when it is asked. Where some are deleted meanwhile, what has come
 * since may be among them.
 *
 * @throws FleetError
 */
export async function* storedMessages(
  server: FleetServer,
  { subjects, last = false, headersOnly = false }: WantedMessages,
): AsyncGenerator<JsMsg> {
  const { url, client } = server;
  const consumer = await asking(server, READ, () =>
    client.consumers.get(runStream(url.prefix), {
      deliver_policy: last ? DeliverPolicy.LastPerSubject : DeliverPolicy.All,
      headers_only: headersOnly,
      ...(subjects !== undefined && { filter_subjects: subjects }),
    }),
  );
  let { num_pending: left } = await consumer.info(true);
  for (let empty = 0; left > 0;) {
    const messages = await asking(server, READ, () =>
      consumer.fetch({ max_messages: Math.min(left, AHEAD), expires: WAIT_MS }),
    );
    let got = 0;
    try {
      for await (const message of messages) {
        got++;
        yield message;
      }
    } catch (error) {
      throw couldNotAsk(url, READ, error);
    } finally {
      await messages.close();
    }
    left -= got;
    if (got > 0) continue;
    // What was deleted meanwhile does not come.
    left = Math.min(left, (await asking(server, READ, () => consumer.info())).num_pending);
    if (left > 0 && ++empty === MOST_EMPTY)
      throw couldNotAsk(url, READ, new Error(`${left} messages are there and do not come`));
  }
}

/** Bytes of a message of which only the headers came. */
export function payloadBytes(message: JsMsg): number {
  return Number(message.headers?.get(PAYLOAD_BYTES) ?? 0);
}

/** A header that the server adds to one that it hands out so. */
export const PAYLOAD_BYTES = 'Nats-Msg-Size';
