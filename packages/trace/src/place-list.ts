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
  readonly length: number;
  at(index: number): BatchPlace | undefined;
}

/** A list of event batches that grows at its end. */
export interface GrowingPlaceList extends PlaceList {
  push(place: BatchPlace): void;
  /** Forgets the batches that lie at `offset` or behind it. */
  dropFrom(offset: number): void;
}

const FIRST_CAPACITY = 16;

export function createPlaceList(recording: number, cpu: number): GrowingPlaceList {
  let offsets = new Float64Array(FIRST_CAPACITY);
  /** Bytes of metadata and of body, rows. */
  let sizes = new Int32Array(3 * FIRST_CAPACITY);
  let length = 0;
  const at = (index: number): BatchPlace | undefined =>
    index < 0 || index >= length
      ? undefined
      : {
          role: 'events',
          recording,
          cpu,
          offset: offsets[index],
          metadataBytes: sizes[3 * index],
          bodyBytes: sizes[3 * index + 1],
          rows: sizes[3 * index + 2],
        };
  return {
    get length() {
      return length;
    },
    at,
    push: ({ offset, metadataBytes, bodyBytes, rows }) => {
      if (length === offsets.length) {
        const [before, sizesBefore] = [offsets, sizes];
        offsets = new Float64Array(2 * length);
        offsets.set(before);
        sizes = new Int32Array(6 * length);
        sizes.set(sizesBefore);
      }
      offsets[length] = offset;
      sizes.set([metadataBytes, bodyBytes, rows], 3 * length);
      length++;
    },
    dropFrom: (offset) => {
      while (length > 0 && offsets[length - 1] >= offset) length--;
    },
    *[Symbol.iterator]() {
      for (let index = 0; index < length; index++) {
        const place = at(index);
        if (place !== undefined) yield place;
      }
    },
  };
}
