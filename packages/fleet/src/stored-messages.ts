/** Messages of the stream in one pass, whole or without what they hold: of a piece that is some hundred bytes instead of 256 KiB. */
import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { asking, couldNotAsk, type FleetServer } from './server-connection.js';
import { runStream } from './subjects.js';

/** Messages that are fetched ahead; those that are not headers alone are to be small. */
const AHEAD = 2048;

export interface WantedMessages {
  /** Of which subjects; of all by default. */
  readonly subjects?: string;
  /** Only the last message of each subject. */
  readonly last?: boolean;
  /** Only their headers. */
  readonly headersOnly?: boolean;
}

/** In the order of the stream, up to what is there when it is asked. @throws FleetError */
export async function* storedMessages(
  server: FleetServer,
  { subjects, last = false, headersOnly = false }: WantedMessages,
): AsyncGenerator<JsMsg> {
  const { url, client } = server;
  const consumer = await asking(server, 'read the stream of runs', () =>
    client.consumers.get(runStream(url.prefix), {
      deliver_policy: last ? DeliverPolicy.LastPerSubject : DeliverPolicy.All,
      headers_only: headersOnly,
      ...(subjects !== undefined && { filter_subjects: subjects }),
    }),
  );
  const { num_pending: pending } = await consumer.info(true);
  if (pending === 0) return;
  const messages = await asking(server, 'read the stream of runs', () =>
    consumer.consume({ max_messages: AHEAD }),
  );
  try {
    for await (const message of messages) {
      yield message;
      if (message.info.pending === 0) return;
    }
  } catch (error) {
    throw couldNotAsk(url, 'read the stream of runs', error);
  } finally {
    await messages.close();
  }
}

/** Bytes of a message of which only the headers came. */
export function payloadBytes(message: JsMsg): number {
  return Number(message.headers?.get(PAYLOAD_BYTES) ?? 0);
}

/** A header that the server adds to one that it hands out so. */
export const PAYLOAD_BYTES = 'Nats-Msg-Size';
