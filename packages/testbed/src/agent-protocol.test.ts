import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createAgentReader,
  runMessage,
  signalMessage,
  type AgentMessage,
} from './agent-protocol.js';

/** What the agent sends, written down independently of the reader. */
function sent(message: AgentMessage): Buffer {
  switch (message.type) {
    case 'ready':
      return bytesOf('H', 0, Buffer.alloc(0));
    case 'ended':
      return bytesOf('X', message.id, Buffer.from([message.status]));
    case 'stdout':
      return bytesOf('O', message.id, message.bytes);
    case 'stderr':
      return bytesOf('E', message.id, message.bytes);
  }
}

function bytesOf(type: string, id: number, payload: Buffer): Buffer {
  const numbers = new DataView(new ArrayBuffer(8));
  numbers.setUint32(0, id, true);
  numbers.setUint32(4, payload.length, true);
  return Buffer.concat([Buffer.from(type), Buffer.from(numbers.buffer), payload]);
}

const id = fc.integer({ min: 0, max: 0xffffffff });
const message: fc.Arbitrary<AgentMessage> = fc.oneof(
  fc.constant({ type: 'ready' } as const),
  fc.record({
    type: fc.constantFrom('stdout' as const, 'stderr' as const),
    id,
    bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({ type: fc.constant('ended' as const), id, status: fc.integer({ min: 0, max: 255 }) }),
);

test('messages are read as they were sent, in whatever pieces they arrive', () => {
  fc.assert(
    fc.property(fc.array(message), fc.integer({ min: 1, max: 30 }), (messages, size) => {
      const bytes = Buffer.concat(messages.map(sent));
      const read = createAgentReader();
      const got: AgentMessage[] = [];
      for (let at = 0; at < bytes.length; at += size)
        got.push(...read(bytes.subarray(at, at + size)));
      expect(got).toEqual(messages);
    }),
  );
});

test('what is none of the agent’s messages is refused', () => {
  expect(() => createAgentReader()(Buffer.from('?12345678'.padEnd(9, '\0')))).not.toThrow();
  expect(() => createAgentReader()(Buffer.from('?\0\0\0\0\0\0\0\0'))).toThrow('unknown type ?');
});

test('a command travels with its folder, a signal with whom it is for', () => {
  expect(runMessage(258, '/tmp', 'echo hi').toString('latin1')).toBe(
    'R\x02\x01\0\0\x0c\0\0\0/tmp\0echo hi',
  );
  expect([...signalMessage(1, 2, 'group').subarray(-2)]).toEqual([2, 1]);
  expect([...signalMessage(1, 9, 'shell').subarray(-2)]).toEqual([9, 0]);
});

test('a command that the agent could not take is refused', () => {
  expect(() => runMessage(1, '/', 'a\0b')).toThrow('NUL');
  expect(() => runMessage(1, '/', 'x'.repeat(1 << 20))).toThrow('too long');
});
