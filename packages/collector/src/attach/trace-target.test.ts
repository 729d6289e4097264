/** Pipes whose reader is slow, stuck or gone, and such that fail. */
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { pipeOutput } from './trace-target.js';

const PIECE = new Uint8Array(1 << 20);

/** A pipe that takes what is written one piece at a time, when it is told to. */
function slowPipe(): { readonly pipe: Writable; readonly take: () => void } {
  const waiting: (() => void)[] = [];
  const pipe = new Writable({
    highWaterMark: 16 << 10,
    write: (_bytes, _encoding, done) => void waiting.push(done),
  });
  return { pipe, take: () => waiting.shift()?.() };
}

/** As Node says what a write came to. */
function refused(code: string): Error {
  return Object.assign(new Error(`write ${code}`), { code, syscall: 'write' });
}

test('less than the pipe holds back waits for no drain: all is settled when it is written', async () => {
  const { pipe, take } = slowPipe();
  const output = pipeOutput(pipe, () => undefined);
  output.append([PIECE.subarray(0, 8)], 8);
  const settled = output.settle();
  take();
  await settled;
  expect(pipe.writableLength).toBe(0);
});

test('asked to keep pace again and again, it leaves no listeners behind', async () => {
  const { pipe, take } = slowPipe();
  const output = pipeOutput(pipe, () => undefined);
  const listeners = pipe.listenerCount('error');
  for (let i = 0; i < 18; i++) output.append([PIECE], PIECE.length);
  const paces = Array.from({ length: 20 }, () => output.keepPace());
  expect(paces.every((pace) => pace !== undefined)).toBe(true);
  expect(pipe.listenerCount('error')).toBe(listeners);
  expect(pipe.listenerCount('drain')).toBe(0);
  take();
  take();
  for (const pace of paces) await pace;
});

test('a reader that goes away settles all that waited, and is told once', async () => {
  const { pipe } = slowPipe();
  let gone = 0;
  const output = pipeOutput(pipe, () => gone++);
  for (let i = 0; i < 18; i++) output.append([PIECE], PIECE.length);
  const waits = [output.keepPace(), output.settle()];
  pipe.destroy(refused('EPIPE'));
  for (const wait of waits) await wait;
  output.append([PIECE], PIECE.length);
  await output.settle();
  expect(gone).toBe(1);
});

/** A pipe of which every write comes to this, a little later. */
function failingPipe(code: string): Writable {
  return new Writable({
    write: (_bytes, _encoding, done) => void setImmediate(done, refused(code)),
  });
}

test.each(['EPIPE', 'ECONNRESET'])('%s says that the reader is gone', async (code) => {
  let gone = 0;
  const output = pipeOutput(failingPipe(code), () => gone++);
  output.append([PIECE], PIECE.length);
  await output.settle();
  output.append([PIECE], PIECE.length);
  await output.settle();
  expect(gone).toBe(1);
});

test.each(['ENOSPC', 'EIO', 'ETIMEDOUT'])(
  '%s is no reader that has gone: it is thrown',
  async (code) => {
    let gone = 0;
    const output = pipeOutput(failingPipe(code), () => gone++);
    for (let i = 0; i < 18; i++) output.append([PIECE], PIECE.length);
    const pace = output.keepPace();
    expect(pace).toBeDefined();
    await expect(output.settle()).rejects.toMatchObject({ code });
    await pace;
    expect(() => output.append([PIECE], PIECE.length)).toThrow(code);
    await expect(output.settle()).rejects.toMatchObject({ code });
    expect(gone).toBe(0);
  },
);
