/** Readers that do not read, and places where no socket can be. What readers get, `test/attach.test.ts` tells. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  closingBatch,
  createRingState,
  createTraceWriter,
  endOfStream,
  OutputError,
  writeLoss,
  type TraceHeader,
  type TraceOutput,
} from '@vhostscope/trace';
import { expect, onTestFinished, test } from 'vitest';
import { openLiveSocket } from './live-socket.js';

const NOWHERE: TraceOutput = {
  append: (_parts, _bytes, fate) => fate?.onWritten?.(),
  keepPace: () => undefined,
  settle: () => Promise.resolve(),
  abandon: () => Promise.resolve(),
  cutBack: () => undefined,
};
const HEADER: TraceHeader = {
  sources: [],
  writer: 'test',
  clock: 'CLOCK_BOOTTIME',
  keepsPointers: false,
};
const PIECE = new Uint8Array(1 << 20);

test('who does not keep up is dropped and counted; the others get everything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'live socket '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'live.sock');
  const live = await openLiveSocket(path);
  onTestFinished(() => live.close());
  const writer = createTraceWriter(NOWHERE, HEADER);
  live.serve(writer, createRingState());

  const slow = connect(path).pause();
  const fast = connect(path);
  let read = 0;
  fast.on('data', (bytes: Buffer) => (read += bytes.length));
  await Promise.all([once(slow, 'connect'), once(fast, 'data')]);
  const head = read;
  let sent = 0;
  while (live.dropped === 0 && sent < 100) {
    live.output.append([PIECE], PIECE.length);
    sent++;
    await pause(1);
  }
  expect(live.dropped).toBe(1);
  // Some tens of megabytes, not more.
  expect(sent).toBeGreaterThan(16);
  live.end();
  await once(fast, 'close');
  expect(head).toBe(writer.schema.bytes.length);
  // What closes the trace, and the mark at the end.
  const end = closingBatch(writer.link).bytes.length + endOfStream().length;
  expect(read).toBe(head + sent * PIECE.length + end);
});

test('who joins when the output has failed is turned away, and nothing else happens', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'live socket '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'live.sock');
  const live = await openLiveSocket(path);
  onTestFinished(() => live.close());
  let isFull = false;
  const writer = createTraceWriter(
    {
      ...NOWHERE,
      append: (_parts, _bytes, fate) => {
        if (isFull) throw new OutputError('no space left on the device');
        fate?.onWritten?.();
      },
    },
    HEADER,
  );
  live.serve(writer, createRingState());
  for (let round = 0; round < 3; round++) {
    writeLoss(writer, 1n, 'test', round);
    isFull = true;
    const reader = connect(path).resume();
    let read = 0;
    reader.on('data', (bytes: Buffer) => (read += bytes.length));
    await once(reader, 'close');
    expect(read).toBe(0);
  }
});

test.each([
  [
    'a path that a socket cannot have',
    's'.repeat(108),
    /: its path has \d+ bytes, and a socket's at most 107$/,
  ],
  ['one whose name is too long for any file', 's'.repeat(300), /: its path has \d+ bytes/],
  ['none', '', /: it has no name$/],
])('%s is refused, and nothing is made in its place', async (_what, name, message) => {
  const folder = mkdtempSync(join(tmpdir(), 'live socket '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await expect(openLiveSocket(name === '' ? '' : join(folder, name))).rejects.toThrow(message);
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder that is not there, or is none, is told as that', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'live socket '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'file'), '');
  const none = join(folder, 'none', 'live.sock');
  await expect(openLiveSocket(none)).rejects.toThrow(
    `cannot listen on ${none}: its folder does not exist`,
  );
  const below = join(folder, 'file', 'live.sock');
  await expect(openLiveSocket(below)).rejects.toThrow(
    `cannot listen on ${below}: a part of the path is not a directory`,
  );
});

test('readers do not keep the program when a recording ends otherwise than it should', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'live socket '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'live.sock');
  const live = await openLiveSocket(path);
  live.serve(createTraceWriter(NOWHERE, HEADER), createRingState());
  const reader = connect(path).resume();
  await once(reader, 'data');
  live.close();
  await once(reader, 'close');
  expect(reader.destroyed).toBe(true);
});
