/** Files written behind the program's back: whole, in order, and with errors that show. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { newFile, newPath } from '../test/trace-files.ts';
import {
  abandonWrites,
  appendPiece,
  createWriteBehind,
  cutBack,
  settleWrites,
} from './write-behind.js';

const text = (value: string): Uint8Array => Buffer.from(value);

test('pieces come to the file in order, with turns of the event loop between or not', async () => {
  const piece = fc.record({
    parts: fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 }),
    waits: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), fc.boolean(), async (pieces, behind) => {
      const path = newPath('.bin');
      const output = createWriteBehind(newFile(path), behind);
      let written = 0;
      for (const { parts, waits } of pieces) {
        const bytes = parts.reduce((sum, part) => sum + part.length, 0);
        appendPiece(output, parts, bytes, { onWritten: () => written++ });
        if (waits) await new Promise((resolve) => setImmediate(resolve));
      }
      await settleWrites(output);
      expect(written).toBe(pieces.length);
      expect(readFileSync(path)).toEqual(Buffer.concat(pieces.flatMap(({ parts }) => parts)));
    }),
    { numRuns: 60 },
  );
});

test('more pieces than one call takes, and more bytes than may wait', async () => {
  const path = newPath('.bin');
  const output = createWriteBehind(newFile(path), true);
  const expected: Uint8Array[] = [];
  for (let i = 0; i < 3000; i++) {
    const piece = text(`${i} `.repeat(i % 7 === 0 ? 2000 : 1));
    expected.push(piece);
    appendPiece(output, [piece], piece.length);
  }
  await settleWrites(output);
  expect(readFileSync(path).equals(Buffer.concat(expected))).toBe(true);
});

test('what is refused shows when the queue is settled, and at every piece after', async () => {
  const output = createWriteBehind(newFile(), true);
  // A descriptor that is open for reading only refuses to be written to.
  const fd = openSync('/dev/null', 'r');
  const refused = { ...output, fd };
  appendPiece(refused, [text('x')], 1);
  await expect(settleWrites(refused)).rejects.toThrow('EBADF');
  expect(() => appendPiece(refused, [text('y')], 1)).toThrow('EBADF');
  await abandonWrites(refused);
  closeSync(fd);
});

test('a pipe is written at once, a full device says so at once', () => {
  const path = newPath('.fifo');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, 'r+');
  const output = createWriteBehind(fd, true);
  expect(output.position).toBeUndefined();
  let written = 0;
  appendPiece(output, [text('ab'), text('c')], 3, { onWritten: () => written++ });
  expect(written).toBe(1);
  closeSync(fd);
  const full = openSync('/dev/full', 'w');
  expect(() => appendPiece(createWriteBehind(full, true), [text('x')], 1)).toThrow('ENOSPC');
  closeSync(full);
});

test('to make room, whole pieces are taken back from the end: no more than it takes, none that stays', async () => {
  const piece = fc.record({ bytes: fc.integer({ min: 1, max: 200 }), stays: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 20 }),
      fc.nat(1500),
      async (pieces, room) => {
        const path = newPath('.bin');
        const output = createWriteBehind(newFile(path), true);
        const taken: number[] = [];
        for (const [i, { bytes, stays }] of pieces.entries()) {
          const fate = stays ? {} : { onTakenBack: () => taken.push(i) };
          appendPiece(output, [new Uint8Array(bytes).fill(i)], bytes, fate);
        }
        await settleWrites(output);
        cutBack(output, room);
        const may = pieces.length - 1 - pieces.findLastIndex(({ stays }) => stays);
        const expected: number[] = [];
        let freed = 0;
        while (freed < room && expected.length < may) {
          const last = pieces.length - 1 - expected.length;
          expected.push(last);
          freed += pieces[last]?.bytes ?? 0;
        }
        expect(taken).toEqual(expected);
        const left = pieces.slice(0, pieces.length - expected.length);
        expect(statSync(path).size).toBe(left.reduce((sum, { bytes }) => sum + bytes, 0));
        appendPiece(output, [text('end')], 3);
        await settleWrites(output);
        expect(readFileSync(path).subarray(-3).toString()).toBe('end');
      },
    ),
    { numRuns: 60 },
  );
});
