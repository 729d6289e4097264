/** What is kept, what passes, and what goes. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openSpool, type Spool } from './spool.ts';

const stretch = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (from + at) % 251);

function readAll(spool: Spool, offset: number, length: number): Uint8Array | undefined {
  const into = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const got = spool.read(into.subarray(done), offset + done);
    if (got === 0) return undefined;
    done += got;
  }
  return into;
}

test('what was played goes from the front, while more comes; what is kept or waits can be read', () => {
  const before = readdirSync('/proc/self/fd').length;
  const spool = openSpool(100, 64);
  let most = 0;
  for (let at = 0; at < 4000; at += 10) {
    spool.append(stretch(at, 10));
    // Half a file behind: never does all of it go at once.
    spool.release(at - 32, []);
    most = Math.max(most, readdirSync('/proc/self/fd').length - before);
  }
  expect(spool).toMatchObject({ size: 4000, kept: 100, passing: 42 });
  expect(most).toBeLessThanOrEqual(4);
  expect(readAll(spool, 0, 100)).toEqual(stretch(0, 100));
  expect(readAll(spool, 3958, 42)).toEqual(stretch(3958, 42));
  expect(readAll(spool, 2000, 1)).toBeUndefined();
  spool.close();
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

test('a stretch that is held on to stays readable, and one across the border is whole', () => {
  const spool = openSpool(100, 64);
  for (let at = 0; at < 400; at += 40) spool.append(stretch(at, 40));
  expect(readAll(spool, 60, 200)).toEqual(stretch(60, 200));
  spool.release(400, [{ offset: 200, bytes: stretch(200, 24) }]);
  expect(spool.passing).toBe(0);
  expect(readAll(spool, 204, 20)).toEqual(stretch(204, 20));
  expect(readAll(spool, 190, 20)).toBeUndefined();
  spool.append(stretch(400, 10));
  expect(readAll(spool, 400, 10)).toEqual(stretch(400, 10));
  spool.close();
});
