/** Pipes whose reader is slow, stuck or gone. */
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
  pipe.destroy(new Error('EPIPE'));
  for (const wait of waits) await wait;
  output.append([PIECE], PIECE.length);
  await output.settle();
  expect(gone).toBe(1);
});
