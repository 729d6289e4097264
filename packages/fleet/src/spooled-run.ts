/** A run in a spool, as whoever sends it sees it: its pieces from the first that is not acknowledged. */
import { closeSync, constants, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RunName } from './fleet-url.js';
import { follows, type Piece } from './piece.js';
import { takeRun, type RunOwnership } from './run-owner.js';
import { readFrame } from './spool-frames.js';
import {
  readAcknowledged,
  readRunNote,
  removeRun,
  writeAcknowledged,
  type SpooledRunNote,
} from './spool-folder.js';
import {
  segmentName,
  segmentOfName,
  startOfSpool,
  stateBehind,
  type SpoolPlace,
  type SpoolState,
} from './spool-place.js';
import { createSpoolReader, type SpooledPiece } from './spool-reader.js';
import { writeEnd } from './spool-writer.js';

export interface SpooledRun {
  readonly name: RunName;
  readonly folder: string;
  /** Up to where the server has it. */
  readonly acknowledged: SpoolState;
  /** Up to where it is whole in the spool. */
  readonly whole: SpoolState;
  /** Whether its last piece is there: no more comes. */
  readonly hasEnd: boolean;
  /** The piece at a place; undefined where none is yet. */
  read(at: SpoolPlace): SpooledPiece | undefined;
  /** The server has all up to a piece; files of which it has all are deleted. */
  acknowledge(piece: SpooledPiece): void;
  /** Writes down how far the server has it. */
  settle(): void;
  /** Resolves when there is more, or the end. */
  more(): Promise<void>;
  /** All of it is acknowledged: it is taken away. */
  remove(): void;
  close(): void;
}

/** How often it is written down how far the server has a run, ms: what came since is sent again after a crash. */
const NOTE_MS = 200;

/** How often its owner shows that it lives, ms. */
const SIGN_MS = 10_000;

export interface SpooledRunSource {
  readonly name: RunName;
  readonly folder: string;
  readonly from: SpoolState;
  readonly ownership: RunOwnership;
  readonly whole: () => SpoolState;
  readonly hasEnd: () => boolean;
  /** A file was deleted. */
  readonly onFreed?: (bytes: number) => void;
}

export interface GrowingRun extends SpooledRun {
  /** There is more to read, or the end. */
  grown(): void;
}

export function createSpooledRun(source: SpooledRunSource): GrowingRun {
  const { folder, name, ownership, whole, hasEnd, onFreed } = source;
  const reader = createSpoolReader(folder);
  let acknowledged = source.from;
  let noted = source.from;
  let notedAt = Number.NEGATIVE_INFINITY;
  let waiting: (() => void)[] = [];
  const signs = setInterval(() => ownership.stillHere(), SIGN_MS).unref();

  function settle(): void {
    if (acknowledged === noted) return;
    notedAt = performance.now();
    // On a full disk perhaps not now; until then its files stay.
    if (!writeAcknowledged(folder, acknowledged)) return;
    const { segment } = noted.place;
    noted = acknowledged;
    for (let done = segment; done < acknowledged.place.segment; done++) freeSegment(done);
  }

  function freeSegment(segment: number): void {
    const path = join(folder, segmentName(segment));
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    rmSync(path, { force: true });
    onFreed?.(bytes);
  }

  return {
    name,
    folder,
    get acknowledged() {
      return acknowledged;
    },
    get whole() {
      return whole();
    },
    get hasEnd() {
      return hasEnd();
    },
    read: (at) => reader.read(at, whole().place),
    acknowledge: ({ piece, next }) => {
      acknowledged = stateBehind(piece, next);
      const isNewSegment = next.segment !== noted.place.segment;
      if (isNewSegment || performance.now() - notedAt > NOTE_MS) settle();
    },
    settle,
    more: () => new Promise((resolve) => waiting.push(resolve)),
    grown: () => {
      const heard = waiting;
      waiting = [];
      for (const resolve of heard) resolve();
    },
    remove: () => {
      clearInterval(signs);
      reader.close();
      removeRun(folder);
    },
    close: () => {
      clearInterval(signs);
      settle();
      reader.close();
      ownership.release();
    },
  };
}

/** What an earlier process left of a run. */
export interface LeftRun extends SpooledRun {
  readonly note: SpooledRunNote;
  /** Bytes at the end of the spool that were no whole piece, and are gone. */
  readonly torn: number;
}

/**
 * Opens a run that nobody writes any more. One whose recorder did not come to its end gets one here.
 *
 * @returns what it is where it cannot be: that of a process that lives, or nothing that was ever recorded
 * @throws OutputError, what the file system refused
 */
export function openLeftRun(folder: string): LeftRun | 'in use' | 'nothing' {
  const ownership = takeRun(folder);
  if (ownership === undefined) return 'in use';
  try {
    const note = readRunNote(folder);
    if (note === undefined) {
      removeRun(folder);
      return 'nothing';
    }
    const { from, whole, hasEnd, torn } = recover(folder, note);
    const end = hasEnd ? whole : ended(folder, whole);
    const run = createSpooledRun({
      name: note,
      folder,
      from,
      ownership,
      whole: () => end,
      hasEnd: () => true,
    });
    return Object.assign(run, { note, torn });
  } catch (error) {
    ownership.release();
    throw error;
  }
}

interface RecoveredRun {
  readonly from: SpoolState;
  readonly whole: SpoolState;
  readonly hasEnd: boolean;
  readonly torn: number;
}

/** Finds the whole pieces of a run from the last that was acknowledged on. */
export function recover(folder: string, name: RunName): RecoveredRun {
  const segments = readdirSync(folder)
    .flatMap((file) => segmentOfName(file) ?? [])
    .toSorted((a, b) => a - b);
  const told = readAcknowledged(folder);
  const isThere =
    told !== undefined && (segments.includes(told.place.segment) || segments.length === 0);
  const from = isThere ? told : firstState(folder, segments, name);
  let state = from;
  let hasEnd = false;
  let torn = 0;
  let isWhole = true;
  for (const segment of segments) {
    if (segment < from.place.segment) continue;
    const path = join(folder, segmentName(segment));
    const { size } = statSync(path);
    if (!isWhole || hasEnd) {
      torn += size;
      rmSync(path);
      continue;
    }
    if (segment !== state.place.segment) state = { ...state, place: { segment, position: 0 } };
    const fd = openSync(path, 'r');
    try {
      for (;;) {
        const found = readFrame(fd, state.place.position);
        if (found === undefined || hasEnd) break;
        const { piece, end } = found;
        if (!isNext(piece, state)) break;
        hasEnd = piece.kind !== 'data';
        state = stateBehind(piece, { segment, position: end });
      }
    } finally {
      closeSync(fd);
    }
    // After a crash of the host the file may be shorter than what the server has of it.
    const rest = Math.max(0, size - state.place.position);
    torn += rest;
    isWhole = rest === 0;
  }
  return { from, whole: state, hasEnd, torn };
}

/**
 * Where nothing tells how far the server has it, from the first piece that is there: what it has twice is dropped by
 * readers. The pieces before that are gone, and its own link is taken for true.
 */
function firstState(folder: string, segments: readonly number[], name: RunName): SpoolState {
  const [segment = 0] = segments;
  const start = startOfSpool(name);
  if (segment === 0) return start;
  const place = { segment, position: 0 };
  const reader = createSpoolReader(folder);
  try {
    const first = reader.read(place, { segment, position: 1 })?.piece;
    return { place, seq: first?.seq ?? 0, offset: first?.offset ?? 0, link: NOT_KNOWN };
  } catch {
    return { ...start, place };
  } finally {
    reader.close();
  }
}

const NOT_KNOWN = new Uint8Array(0);

function isNext(piece: Piece, { seq, offset, link }: SpoolState): boolean {
  return (
    piece.seq === seq && piece.offset === offset && (link === NOT_KNOWN || follows(link, piece))
  );
}

function ended(folder: string, whole: SpoolState): SpoolState {
  const path = join(folder, segmentName(whole.place.segment));
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    return writeEnd(folder, fd, whole, 'cut');
  } finally {
    closeSync(fd);
  }
}
