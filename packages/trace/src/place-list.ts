/**
 * Where the batches of one CPU lie, in file order. A recording of hours has millions of them, so they are
 * kept in columns: twenty bytes each.
 */
import { PREFIX_BYTES } from './arrow-layout.js';
import type { BatchMetadata } from './batch-metadata.js';

/** Where a batch lies in the file. Its columns are looked up when it is read. */
export interface BatchPlace extends BatchMetadata {
  /** File offset of its message. */
  readonly offset: number;
  /** Bytes of the message's metadata, after a prefix of PREFIX_BYTES, and of the body behind it. */
  readonly metadataBytes: number;
  readonly bodyBytes: number;
  readonly rows: number;
}

/** File offset just past a batch; 0 where there is none. */
export function batchEnd(place: BatchPlace | undefined): number {
  if (place === undefined) return 0;
  return place.offset + PREFIX_BYTES + place.metadataBytes + place.bodyBytes;
}

export interface PlaceList extends Iterable<BatchPlace> {
  /** Of all that there ever were, those that were forgotten too. */
  readonly length: number;
  /** Undefined for one that was forgotten, and behind the end. */
  at(index: number): BatchPlace | undefined;
  /** The last one that lies within so many bytes of the file. */
  lastWithin(bytes: number): BatchPlace | undefined;
}

/** A list of event batches that grows at its end. */
export interface GrowingPlaceList extends PlaceList {
  push(place: BatchPlace): void;
  /** Forgets the batches that end behind `kept` and not behind `upTo`; the others keep their indices. */
  forget(kept: number, upTo: number): void;
}

const FIRST_CAPACITY = 16;

export function createPlaceList(recording: number, cpu: number): GrowingPlaceList {
  let offsets = new Float64Array(FIRST_CAPACITY);
  /** Bytes of metadata and of body, rows. */
  let sizes = new Int32Array(3 * FIRST_CAPACITY);
  /** Entries of the columns. */
  let stored = 0;
  /** Batches that were forgotten, and the index of the first. */
  let forgotten = 0;
  let gap = 0;
  const entry = (row: number): BatchPlace => ({
    role: 'events',
    recording,
    cpu,
    offset: offsets[row],
    metadataBytes: sizes[3 * row],
    bodyBytes: sizes[3 * row + 1],
    rows: sizes[3 * row + 2],
  });
  const at = (index: number): BatchPlace | undefined => {
    if (index < 0 || index >= stored + forgotten) return undefined;
    if (forgotten === 0 || index < gap) return entry(index);
    return index < gap + forgotten ? undefined : entry(index - forgotten);
  };
  return {
    get length() {
      return stored + forgotten;
    },
    at,
    lastWithin: (bytes) => {
      let row = stored - 1;
      while (row >= 0 && batchEnd(entry(row)) > bytes) row--;
      return row < 0 ? undefined : entry(row);
    },
    push: ({ offset, metadataBytes, bodyBytes, rows }) => {
      if (stored === offsets.length) {
        const [before, sizesBefore] = [offsets, sizes];
        offsets = new Float64Array(2 * stored);
        offsets.set(before);
        sizes = new Int32Array(6 * stored);
        sizes.set(sizesBefore);
      }
      offsets[stored] = offset;
      sizes.set([metadataBytes, bodyBytes, rows], 3 * stored);
      stored++;
    },
    forget: (kept, upTo) => {
      if (forgotten === 0) {
        gap = stored;
        while (gap > 0 && batchEnd(entry(gap - 1)) > kept) gap--;
      }
      let end = gap;
      while (end < stored && batchEnd(entry(end)) <= upTo) end++;
      if (end === gap) return;
      offsets.copyWithin(gap, end, stored);
      sizes.copyWithin(3 * gap, 3 * end, 3 * stored);
      stored -= end - gap;
      forgotten += end - gap;
    },
    *[Symbol.iterator]() {
      for (let row = 0; row < stored; row++) yield entry(row);
    },
  };
}
