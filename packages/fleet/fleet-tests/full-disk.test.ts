import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testFolder, type TestFolder } from '@vhostscope/nats-testbed';
import { endOfStream } from '@vhostscope/trace';
import { createSpoolBudget } from '../src/spool-budget.js';
import { makeRunFolder, writeRunNote } from '../src/spool-folder.js';
import { createSpoolWriter, RESERVE_BYTES } from '../src/spool-writer.js';
import { openLeftRun } from '../src/spooled-run.js';
import { spooledTrace } from '../test/spooled-trace.js';

let folder: TestFolder;
let disk: string;
let isMounted = false;
beforeAll(() => {
  folder = testFolder();
  disk = join(folder.path, 'disk');
  mkdirSync(disk);
  isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status === 0;
});
afterAll(() => {
  if (isMounted) spawnSync('umount', [disk]);
  folder.remove();
});

it('a disk that is full keeps what was whole, and has room for the end', async (context) => {
  if (!isMounted) return context.skip('needs root, to mount a small disk');
  const name = { host: 'a', run: 'b' };
  const { folder: run, ownership } = makeRunFolder(disk, name);
  const writer = createSpoolWriter({
    folder: run,
    name,
    budget: createSpoolBudget(disk, run, 2 ** 30, RESERVE_BYTES),
    segmentBytes: 2 ** 20,
    reserveBytes: RESERVE_BYTES,
  });
  writeRunNote(run, { ...name, server: 'nats://h:1' });
  const written: Uint8Array[] = [];
  const error = await (async () => {
    for (let at = 0; at < 1000; at++) {
      const bytes = new Uint8Array(300_000).fill(at);
      try {
        writer.output.append([bytes], bytes.length, { onWritten: () => written.push(bytes) });
        await writer.output.settle();
      } catch (thrown) {
        return thrown as Error;
      }
    }
    throw new Error('the disk is never full');
  })();
  expect(error.message).toMatch(/cannot write the spool .*: no space left on the device/);
  await writer.output.abandon();
  expect(written.length).toBeGreaterThan(15);
  writer.output.cutBack(0);
  const end = new Uint8Array(1_000_000).fill(7);
  for (const bytes of [end, endOfStream()]) writer.output.append([bytes], bytes.length);
  await writer.output.settle();
  writer.end();
  writer.close();
  ownership.release();
  const left = openLeftRun(run);
  if (typeof left === 'string') throw new Error(left);
  // Where a disk is full, what is acknowledged cannot be noted either.
  const { bytes, end: said } = spooledTrace(left, (read) => left.acknowledge(read));
  left.close();
  expect(said).toBe('closed');
  expect(bytes.equals(Buffer.concat([...written, end, endOfStream()]))).toBe(true);
});
