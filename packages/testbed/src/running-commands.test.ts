import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { createRunningCommands } from './running-commands.js';

/** A port whose other side is the test. */
function fakePort(): { port: Duplex; written: () => string[]; say: (message: Buffer) => void } {
  const written: Buffer[] = [];
  const port = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      written.push(chunk);
      done();
    },
  });
  return {
    port,
    written: () => written.map((bytes) => bytes.toString('latin1')),
    say: (bytes) => void port.push(bytes),
  };
}

function from(type: string, id: number, payload: string): Buffer {
  const head = Buffer.from([type.charCodeAt(0), id, 0, 0, 0, payload.length, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from(payload, 'latin1')]);
}

test('commands beside each other get their own output and exit code', async () => {
  const { port, say } = fakePort();
  const commands = createRunningCommands(port);
  const first = commands.start('a');
  const second = commands.start('b');
  say(from('O', 2, 'two'));
  say(from('O', 1, 'one'));
  say(from('E', 2, 'bad'));
  say(from('X', 2, '\x07'));
  say(from('X', 1, '\0'));
  expect(await first.ended).toEqual({ status: 0, stdout: 'one', stderr: '' });
  expect(await second.ended).toEqual({ status: 7, stdout: 'two', stderr: 'bad' });
});

test('output can be taken as it comes, and not kept', async () => {
  const { port, say } = fakePort();
  const taken: string[] = [];
  const running = createRunningCommands(port).start('a', {
    onStdout: (bytes) => taken.push(bytes.toString()),
    discard: true,
  });
  say(from('O', 1, 'x'));
  say(from('X', 1, '\0'));
  expect(await running.ended).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(taken).toEqual(['x']);
});

test('a command that takes too long is killed with all that it started, and said to', async () => {
  const { port, say, written } = fakePort();
  const running = createRunningCommands(port).start('sleep 9', { timeout: 20 });
  say(from('O', 1, 'so far'));
  await expect(running.ended).rejects.toThrow(/within 0.02 s: sleep 9; it had said: so far/);
  expect(written()[1]).toBe('K\x01\0\0\0\x02\0\0\0\x09\x01');
});

test('when the host is gone, what waits for it fails, and what comes too', async () => {
  const { port } = fakePort();
  const commands = createRunningCommands(port);
  const running = commands.start('a');
  commands.fail(new Error('gone'));
  await expect(running.ended).rejects.toThrow('gone');
  await expect(commands.ready).rejects.toThrow('gone');
  await expect(commands.start('b').ended).rejects.toThrow('gone');
});
