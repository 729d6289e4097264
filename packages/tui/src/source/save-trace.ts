/** Saves what there is of a trace as a trace file of its own. */
import { fsync, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { byteSize } from '@vhostscope/terminal';
import {
  batchEnd,
  checkPlace,
  closingBatch,
  endOfStream,
  linkOfBatch,
  openNewFile,
  OutputError,
  readFully,
  writing,
  written,
  type BatchPlace,
} from '@vhostscope/trace';
import type { SourceTrace } from './source.js';

const AT_ONCE = 1 << 20;

const toDisk = promisify(fsync);

export interface SaveOptions {
  /** Gives it up: nothing of it is left then. */
  readonly signal: AbortSignal;
  /** How far it is, 0 to 1. */
  readonly onProgress: (progress: number) => void;
}

/**
 * Makes the file for the whole batches of a trace that lie within `kept` bytes. What exists is not written over.
 *
 * @returns what copies them, while the program goes on: it tells what was saved, in words, and throws OutputError and
 *   what the signal was aborted with
 * @throws OutputError where no such file can be made: whoever named it is told at once
 */
export function openSave(
  { bytes: from, index }: SourceTrace,
  kept: number | undefined,
  path: string,
): (options: SaveOptions) => Promise<string> {
  const isWhole = kept === undefined || index.goodBytes <= kept;
  const { closed } = index;
  const last = isWhole ? undefined : lastBatch(index, kept);
  const bytes = isWhole ? index.goodBytes : batchEnd(last);
  // Of the same moment, as the trace grows while it is copied. One that goes on has no end yet; what is saved of it has.
  const ending = closed && isWhole ? undefined : endBehind({ bytes: from, index }, last);
  if (checkPlace(path) !== undefined) throw nameTaken(path);
  const file = openNewFile(path);
  return async ({ signal, onProgress }) => {
    try {
      const block = new Uint8Array(AT_ONCE);
      for (let at = 0; at < bytes;) {
        const piece = block.subarray(0, Math.min(AT_ONCE, bytes - at));
        readFully(from, piece, at);
        write(path, file.fd, piece);
        at += piece.length;
        onProgress(at / bytes);
        await nextTurn();
        signal.throwIfAborted();
      }
      if (ending !== undefined) write(path, file.fd, ending);
      // All of it at once, and yet the screen goes on; what is left to do with the name is nothing then.
      await written(path, toDisk(file.fd));
      signal.throwIfAborted();
      if (!file.giveFreeName()) throw nameTaken(path);
    } finally {
      file.close();
    }
    const what = isWhole ? 'all of it so far' : 'what was kept of it, from its beginning';
    return `saved ${path}: ${closed && isWhole ? 'the whole trace' : what}, ${byteSize(bytes)}`;
  };
}

function nameTaken(path: string): OutputError {
  return new OutputError(`${path} exists and stays as it is: w takes another name`);
}

function write(path: string, fd: number, bytes: Uint8Array): void {
  writing(path, () => {
    let done = 0;
    while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
  });
}

function lastBatch({ recordings }: SourceTrace['index'], kept: number): BatchPlace | undefined {
  let last: BatchPlace | undefined;
  for (const { begin, tables, events, end } of recordings) {
    const all = [begin, ...tables, end, ...[...events.values()].map((one) => one.lastWithin(kept))];
    for (const place of all)
      if (batchEnd(place) <= kept && batchEnd(place) > batchEnd(last)) last = place;
  }
  return last;
}

/** What ends a trace behind its last batch, or behind all that there is of it. */
function endBehind({ bytes, index }: Copied, last: BatchPlace | undefined): Uint8Array {
  const link = last === undefined ? index.link : linkOfBatch(bytes, last);
  // Older formats have no batch that closes them, and one that is there is not told again.
  if (link === undefined || (last === undefined && index.sealed)) return endOfStream();
  return Buffer.concat([closingBatch(link).bytes, endOfStream()]);
}

type Copied = Pick<SourceTrace, 'bytes' | 'index'>;
