import { readSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { gatherOutput, nextTurn } from './gathered-output.js';

/** What is written to the pipe before `handedOver`, as a child would, and read. */
function gathering(): {
  output: ReturnType<typeof gatherOutput>;
  write: (text: string) => void;
  read: () => string;
  turns: () => number;
} {
  const output = gatherOutput();
  let text = '';
  let turns = 0;
  output.read((bytes) => {
    turns++;
    text += Buffer.from(bytes).toString();
  });
  return {
    output,
    write: (line) => void writeSync(output.childEnd, line),
    read: () => text,
    turns: () => turns,
  };
}

test('lines that come one by one are read together, and all of them', async () => {
  const { output, write, read, turns } = gathering();
  for (let line = 0; line < 100; line++) {
    write(`line ${line}\n`);
    await setTimeout(1);
  }
  output.handedOver();
  await output.end();
  expect(read()).toBe(Array.from({ length: 100 }, (_, line) => `line ${line}\n`).join(''));
  expect(turns()).toBeLessThan(20);
});

test('more than the pipe holds is read while its writer waits', async () => {
  const { output, write, read } = gathering();
  const block = 'x'.repeat(40_000);
  for (let written = 0; written < 10; written++) {
    write(block);
    while (read().length < (written + 1) * block.length) await setTimeout(1);
  }
  output.handedOver();
  await output.end();
  expect(read()).toHaveLength(400_000);
});

test('nothing is read while it is paused, and nothing is lost', async () => {
  const { output, write, read } = gathering();
  output.pause();
  write('a\n');
  output.handedOver();
  const end = output.end();
  await setTimeout(150);
  expect(read()).toBe('');
  output.resume();
  await end;
  expect(read()).toBe('a\n');
});

test('what nobody wants is read, so that the child can end', async () => {
  const { output, write, read } = gathering();
  output.pause();
  output.discard();
  output.pause();
  write('a\n');
  output.handedOver();
  await output.end();
  expect(read()).toBe('');
});

test('a child that leaves without having been listened to ends too', async () => {
  const output = gatherOutput();
  writeSync(output.childEnd, 'a\n');
  output.handedOver();
  await expect(output.end()).resolves.toBeUndefined();
});

/** As Node throws what a read refuses. */
function refused(code: string): Error {
  return Object.assign(new Error(`${code}: it was told to, read`), { code, syscall: 'read' });
}

test('what cannot be read any more ends it, and says why; what was read before is good', async () => {
  let isBroken = false;
  const output = gatherOutput((fd, room) => {
    if (isBroken) throw refused('EIO');
    return readSync(fd, room);
  });
  let text = '';
  output.read((bytes) => (text += Buffer.from(bytes).toString()));
  writeSync(output.childEnd, 'a\n');
  await expect.poll(() => text).toBe('a\n');
  expect(output.failure).toBeUndefined();
  isBroken = true;
  expect(await output.failed).toBe('input/output error');
  expect(output.failure).toBe('input/output error');
  output.handedOver();
  await output.end();
  expect(text).toBe('a\n');
});

test('nor does what its child left at its end throw where nobody hears it', async () => {
  const output = gatherOutput(() => {
    throw refused('EIO');
  });
  output.read(() => undefined);
  output.handedOver();
  await output.end();
  expect(output.failure).toBe('input/output error');
});

test('a read that a signal interrupts is made again', async () => {
  let reads = 0;
  const output = gatherOutput((fd, room) => {
    if (++reads % 2 === 1) throw refused('EINTR');
    return readSync(fd, room);
  });
  let text = '';
  output.read((bytes) => (text += Buffer.from(bytes).toString()));
  writeSync(output.childEnd, 'a\n');
  output.handedOver();
  await output.end();
  expect(text).toBe('a\n');
  expect(output.failure).toBeUndefined();
});

test('the next turn comes the sooner the more there was', () => {
  expect(nextTurn(100, 0)).toBe(100);
  expect(nextTurn(100, 1000)).toBe(100);
  expect(nextTurn(100, 65_536)).toBe(50);
  expect(nextTurn(1, 65_536)).toBe(1);
  expect(nextTurn(10, 16_384)).toBe(20);
});
