/**
 * Messages between us and the agent in the guest (guest/agent/agent.c): a head of nine bytes (type, id,
 * length; little endian) and `length` bytes. Pure: bytes in, messages out.
 */

const HEAD_BYTES = 9;

/** What the agent takes of one message. */
const MAX_PAYLOAD = 1 << 20;

export type AgentMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'stdout' | 'stderr'; readonly id: number; readonly bytes: Buffer }
  | { readonly type: 'ended'; readonly id: number; readonly status: number };

/**
 * Asks for a shell command in a folder of the guest.
 *
 * @throws {RangeError} when it is longer than the agent takes
 */
export function runMessage(id: number, folder: string, command: string): Buffer {
  if (folder.includes('\0') || command.includes('\0'))
    throw new RangeError('a command cannot hold a NUL character');
  const payload = Buffer.from(`${folder}\0${command}`);
  if (payload.length > MAX_PAYLOAD)
    throw new RangeError(`a command of ${payload.length} bytes is too long for the test host`);
  return message('R', id, payload);
}

/** Asks for a signal to a command: to all that it started in its session, or to its shell alone. */
export function signalMessage(id: number, signal: number, to: 'group' | 'shell'): Buffer {
  return message('K', id, Buffer.from([signal, to === 'group' ? 1 : 0]));
}

function message(type: string, id: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(type, 0, 'latin1');
  head.writeUInt32LE(id, 1);
  head.writeUInt32LE(payload.length, 5);
  return Buffer.concat([head, payload]);
}

/**
 * Takes what arrives, in whatever pieces, and gives the messages that are whole.
 *
 * @throws {Error} from the returned function when a message is none of the agent's
 */
export function createAgentReader(): (chunk: Buffer) => AgentMessage[] {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let needed = HEAD_BYTES;
  return (chunk) => {
    kept.push(chunk);
    keptBytes += chunk.length;
    if (keptBytes < needed) return [];
    const bytes = Buffer.concat(kept);
    const messages: AgentMessage[] = [];
    let at = 0;
    for (;;) {
      needed = HEAD_BYTES;
      if (bytes.length - at < needed) break;
      needed += bytes.readUInt32LE(at + 5);
      if (bytes.length - at < needed) break;
      messages.push(readMessage(bytes.subarray(at, at + needed)));
      at += needed;
    }
    kept = at < bytes.length ? [bytes.subarray(at)] : [];
    keptBytes = bytes.length - at;
    return messages;
  };
}

function readMessage(bytes: Buffer): AgentMessage {
  const type = bytes.toString('latin1', 0, 1);
  const id = bytes.readUInt32LE(1);
  const payload = bytes.subarray(HEAD_BYTES);
  switch (type) {
    case 'H':
      return { type: 'ready' };
    case 'O':
      return { type: 'stdout', id, bytes: payload };
    case 'E':
      return { type: 'stderr', id, bytes: payload };
    case 'X':
      return { type: 'ended', id, status: payload[0] ?? 0 };
    default:
      throw new Error(`the agent of the test host sent a message of unknown type ${type}`);
  }
}
