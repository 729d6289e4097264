// One set-up at a time: `npm start` and `npm test` in two terminals must not install at once.
import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { talk } from './exec.mjs';

const BEAT_MS = 1000;

/**
 * A lock that has not been touched for so long was left behind by a process that was killed. Its
 * process id would not tell: in a container the next run may well have the same one.
 */
const STALE_MS = 5 * BEAT_MS;

/**
 * Does the work while no other process does such work on this checkout.
 *
 * @template T
 * @param {string} folder - made if missing
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(folder, work) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'setup.lock');
  let waiting = false;
  while (!tryLock(path)) {
    if (ageOf(path) > STALE_MS) {
      rmSync(path, { force: true });
      continue;
    }
    if (!waiting) talk('waiting for another set-up of this checkout …');
    waiting = true;
    await sleep(200);
  }
  const beat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch {
      // Somebody removed the folder (`git clean`); the work itself will say what that broke.
    }
  }, BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    rmSync(path, { force: true });
  }
}

function tryLock(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** @returns {number} milliseconds since the owner's last beat, 0 when it has just left */
function ageOf(path) {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}
