/**
 * Finds the batches of a trace file without reading them: the plan for merging the CPUs with one
 * cursor each. Only the messages' metadata is read. A file that grows is looked through as it does.
 */
import { BUFFER_COUNT, CONTINUATION, PREFIX_BYTES } from './arrow-layout.js';
import { decodeBatchMetadata } from './batch-metadata.js';
import { createBatchMemory, readBatch } from './batch-reader.js';
import { readFully, type TraceBytes } from './file-access.js';
import { FIRST_LINK } from './checksums.js';
import { linkBehind, readBatchLayout, readMessage, type StreamMessage } from './message-reader.js';
import {
  createPlaceList,
  type BatchPlace,
  type GrowingPlaceList,
  type PlaceList,
} from './place-list.js';
import { parseFormatVersion, parseHeader } from './trace-header-reader.js';
import { FIRST_WITH_CHECKSUMS, TraceFormatError, type TraceHeader } from './trace-header.js';

export interface RecordingIndex {
  readonly number: number;
  readonly begin: BatchPlace | undefined;
  readonly tables: BatchPlace[];
  /** Batches with events by CPU, each list in file order. */
  readonly events: ReadonlyMap<number, PlaceList>;
  readonly end: BatchPlace | undefined;
  /** A CPU that told more, which is damaged: the recording ends with its last event here, whatever others tell. */
  readonly brokenCpu?: number;
}

export interface TraceIndex {
  /** Of the file; a reader knows all up to its own. */
  readonly formatVersion: number;
  readonly header: TraceHeader;
  readonly recordings: readonly RecordingIndex[];
  /** File offset just past the last whole batch. */
  readonly goodBytes: number;
  /** Bytes in the file, goodBytes or more: the rest is a torn tail. */
  readonly fileBytes: number;
  /** What a message behind goodBytes rests on; undefined where the trace has no checksums. */
  readonly link: number | undefined;
  /** Whether the batch was found behind which none follows; formats without checksums have none. */
  readonly sealed: boolean;
  /** Whether the end-of-stream mark was found. */
  readonly closed: boolean;
  /** What is wrong at goodBytes, when it is not just that the file ends there. */
  readonly damage: string | undefined;
  /** Events that are known to stand in what was left out. */
  readonly leftOut: number;
}

/**
 * Above what our messages need; a longer one is damage, and is not read into memory. A batch has less than 4 KB of
 * metadata; a header names all that was imported.
 */
const MAX_HEADER_BYTES = 1 << 24;
const MAX_METADATA_BYTES = 1 << 13;
const MAX_BODY_BYTES = 1 << 26;

/**
 * Indexes an open, seekable file.
 *
 * @throws TraceFormatError when the file is no trace, or is damaged before its end
 */
export function indexTrace(bytes: TraceBytes, fileBytes: number): TraceIndex {
  const indexer = createTraceIndexer(bytes);
  indexer.extend(fileBytes);
  const { index } = indexer;
  if (index === undefined) {
    throw new TraceFormatError(
      `the file is cut off at byte ${fileBytes}, within its header, and holds no event`,
    );
  }
  return index;
}

/** Finds batches as a file grows. */
export interface TraceIndexer {
  /** What was found so far, the same object each time; undefined while the header is not whole. */
  readonly index: TraceIndex | undefined;
  /**
   * The file has so many bytes now. What ends within them is found; the tail that does not is looked at again.
   *
   * @throws TraceFormatError when it is no trace, or is damaged before its first recording
   */
  extend(fileBytes: number): void;
  /** Forgets the batches of events that end behind `kept` and not behind `upTo`: their bytes are gone. */
  forget(kept: number, upTo: number): void;
}

type MutableIndex = { -readonly [Key in keyof TraceIndex]: TraceIndex[Key] };

export function createTraceIndexer(bytes: TraceBytes): TraceIndexer {
  const buffers = new Float64Array(2 * BUFFER_COUNT);
  const recordings = new Map<number, MutableRecording>();
  const list: MutableRecording[] = [];
  let index: MutableIndex | undefined;

  function begin(fileBytes: number): MutableIndex | undefined {
    const schema = findMessage(bytes, 0, fileBytes);
    if (schema === undefined) return undefined;
    if (schema === 'end' || schema.message.kind !== 'schema')
      throw new TraceFormatError('no Arrow stream with a schema at its start');
    const formatVersion = parseFormatVersion(schema.message.metadata);
    // A version that was changed into an older one hides no checksum.
    const hasLinks =
      formatVersion >= FIRST_WITH_CHECKSUMS || schema.message.checksums !== undefined;
    const link = hasLinks ? linkBehindFound(schema, 0, FIRST_LINK) : undefined;
    if (schema.end > fileBytes) return undefined;
    return {
      formatVersion,
      link,
      header: parseHeader(schema.message.metadata),
      recordings: list,
      goodBytes: schema.end,
      fileBytes,
      sealed: false,
      closed: false,
      damage: undefined,
      leftOut: 0,
    };
  }

  /** Returns whether there may be another batch behind it. */
  function findBatch(found: MutableIndex): boolean {
    try {
      const message = findMessage(bytes, found.goodBytes, found.fileBytes);
      if (message === undefined) return false;
      if (message === 'end') {
        if (found.link !== undefined && !found.sealed)
          throw damaged(found.goodBytes, 'the end of a trace of which batches are missing');
        found.closed = true;
        found.goodBytes += PREFIX_BYTES;
        return false;
      }
      // Before it is believed how long it is: what was changed is not taken for cut off.
      const link =
        found.link === undefined
          ? undefined
          : linkBehindFound(message, found.goodBytes, found.link);
      if (message.end > found.fileBytes) return false;
      const place = placeOf(message, found.goodBytes, buffers);
      if (found.sealed) throw damaged(found.goodBytes, 'a batch behind the last one');
      if (link !== undefined && message.message.checksums?.body === undefined)
        throw damaged(found.goodBytes, 'a batch without a checksum');
      if (place.role === 'close') {
        // Nobody reads it, and it is short.
        readBatch(bytes, place, createBatchMemory());
        found.sealed = true;
      } else addBatch(recordings, list, place);
      found.link = link;
      found.goodBytes = message.end;
      return true;
    } catch (error) {
      // All batches before it are known; nothing tells where one begins behind it, nor of which CPU.
      if (!(error instanceof TraceFormatError) || recordings.size === 0) throw error;
      found.damage = error.message;
      return false;
    }
  }

  return {
    get index() {
      return index;
    },
    extend: (fileBytes) => {
      index ??= begin(fileBytes);
      if (index === undefined) return;
      index.fileBytes = fileBytes;
      if (index.closed || index.damage !== undefined) return;
      while (index.goodBytes < fileBytes && findBatch(index));
    },
    forget: (kept, upTo) => {
      for (const { lists } of list) for (const places of lists.values()) places.forget(kept, upTo);
    },
  };
}

interface MutableRecording extends RecordingIndex {
  begin: BatchPlace | undefined;
  end: BatchPlace | undefined;
  /** What `events` is. */
  readonly lists: Map<number, GrowingPlaceList>;
}

function addBatch(
  recordings: Map<number, MutableRecording>,
  list: MutableRecording[],
  place: BatchPlace,
): void {
  let recording = recordings.get(place.recording);
  if (recording === undefined) {
    const lists = new Map<number, GrowingPlaceList>();
    recording = {
      number: place.recording,
      begin: undefined,
      tables: [],
      events: lists,
      lists,
      end: undefined,
    };
    recordings.set(place.recording, recording);
    list.push(recording);
  }
  switch (place.role) {
    case 'begin':
      if (recording.begin !== undefined || recording.events.size > 0)
        throw damaged(place.offset, 'a recording that begins in its middle');
      recording.begin = place;
      return;
    case 'table':
      recording.tables.push(place);
      return;
    case 'end':
      if (recording.end !== undefined) throw damaged(place.offset, 'a recording that ends twice');
      recording.end = place;
      return;
    case 'close':
      throw new Error('what closes a trace is in no recording');
    case 'events': {
      const places = recording.lists.get(place.cpu) ?? createPlaceList(place.recording, place.cpu);
      recording.lists.set(place.cpu, places);
      places.push(place);
    }
  }
}

interface FoundMessage {
  readonly metadata: DataView;
  readonly message: StreamMessage;
  /** As it says itself; the file may end before. */
  readonly end: number;
}

/** The message at an offset; undefined when the file ends in its metadata; 'end' for the end-of-stream mark. */
function findMessage(
  bytes: TraceBytes,
  offset: number,
  fileBytes: number,
): FoundMessage | 'end' | undefined {
  if (offset + PREFIX_BYTES > fileBytes) return undefined;
  const most = offset === 0 ? MAX_HEADER_BYTES : MAX_METADATA_BYTES;
  const prefix = readAt(bytes, offset, PREFIX_BYTES);
  const metadataBytes = prefix.getUint32(4, true);
  if (prefix.getUint32(0, true) !== CONTINUATION || metadataBytes > most)
    throw damaged(offset, 'no Arrow message');
  if (metadataBytes === 0) return 'end';
  const body = offset + PREFIX_BYTES + metadataBytes;
  if (body > fileBytes) {
    if (holdsMessage(bytes, offset + PREFIX_BYTES, fileBytes))
      throw damaged(
        offset,
        'a message whose length was changed, for another one begins within it,',
      );
    return undefined;
  }
  const metadata = readAt(bytes, offset + PREFIX_BYTES, metadataBytes);
  const message = readMessage(metadata);
  if (message === undefined) throw damaged(offset, 'unreadable Arrow message');
  if (message.bodyBytes > MAX_BODY_BYTES)
    throw damaged(offset, 'Arrow message of impossible length');
  return { metadata, message, end: body + message.bodyBytes };
}

/**
 * Whether a message begins in what there is of metadata, which are not whole by their length. None hold the mark of a
 * beginning: texts are UTF-8, numbers small, and offsets even. A header may be long, so that nobody would find out
 * soon that one is not so long.
 */
function holdsMessage(bytes: TraceBytes, from: number, fileBytes: number): boolean {
  const metadata = readAt(bytes, from, fileBytes - from);
  for (let at = 0; at + 4 <= metadata.byteLength; at += MESSAGE_ALIGNMENT)
    if (metadata.getUint32(at, true) === CONTINUATION) return true;
  return false;
}

/** Messages begin at multiples of so many bytes. */
const MESSAGE_ALIGNMENT = 8;

/** What the next message rests on, where this one is as it was written. */
function linkBehindFound({ metadata, message }: FoundMessage, at: number, before: number): number {
  const link = linkBehind(metadata, message, before);
  if (link === undefined) {
    const what = at === 0 ? 'a header' : 'something';
    throw damaged(at, `${what} that was changed or does not belong there (by its checksum)`);
  }
  return link;
}

function placeOf(
  { metadata, message }: FoundMessage,
  offset: number,
  buffers: Float64Array,
): BatchPlace {
  const says = decodeBatchMetadata(message.metadata);
  if (message.kind !== 'batch' || says === undefined)
    throw damaged(offset, 'something other than a batch of a trace');
  const layout = readBatchLayout(metadata, message, buffers);
  if (layout === undefined) throw damaged(offset, 'batch with other columns than a trace has');
  return {
    ...says,
    offset,
    metadataBytes: metadata.byteLength,
    bodyBytes: message.bodyBytes,
    rows: layout.rows,
  };
}

function damaged(offset: number, what: string): TraceFormatError {
  return new TraceFormatError(`${what} at byte ${offset}: the file is damaged there`);
}

function readAt(bytes: TraceBytes, offset: number, length: number): DataView {
  const buffer = new Uint8Array(length);
  readFully(bytes, buffer, offset);
  return new DataView(buffer.buffer);
}
