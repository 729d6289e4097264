/**
 * Finds the batches of a trace file without reading them: the plan for merging the CPUs with one
 * cursor each. Only the messages' metadata is read.
 */
import { BUFFER_COUNT, CONTINUATION, PREFIX_BYTES } from './arrow-layout.js';
import { decodeBatchMetadata, type BatchMetadata } from './batch-metadata.js';
import { readFully } from './file-access.js';
import { readBatchLayout, readMessage, type StreamMessage } from './message-reader.js';
import { parseFormatVersion, parseHeader } from './trace-header-reader.js';
import { TraceFormatError, type TraceHeader } from './trace-header.js';

/** Where a batch lies in the file. A long trace has many: its columns are looked up when it is read. */
export interface BatchPlace extends BatchMetadata {
  /** File offset of its message. */
  readonly offset: number;
  /** Bytes of the message's metadata, after a prefix of PREFIX_BYTES, and of the body behind it. */
  readonly metadataBytes: number;
  readonly bodyBytes: number;
  readonly rows: number;
}

export interface RecordingIndex {
  readonly number: number;
  readonly begin: BatchPlace | undefined;
  readonly tables: BatchPlace[];
  /** Batches with events by CPU, each list in file order. */
  readonly events: Map<number, BatchPlace[]>;
  readonly end: BatchPlace | undefined;
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
  /** Whether the end-of-stream mark was found. */
  readonly closed: boolean;
  /** What is wrong at goodBytes, when it is not just that the file ends there. */
  readonly damage: string | undefined;
}

/** Far above what our messages need; a longer one is damage, and is not read into memory. */
const MAX_METADATA_BYTES = 1 << 24;
const MAX_BODY_BYTES = 1 << 26;

/**
 * Indexes an open, seekable file.
 *
 * @throws TraceFormatError when the file is no trace, or is damaged before its end
 */
export function indexTrace(fd: number, fileBytes: number): TraceIndex {
  const schema = findMessage(fd, 0, fileBytes);
  if (schema === undefined) {
    throw new TraceFormatError(
      `the file is cut off at byte ${fileBytes}, within its header, and holds no event`,
    );
  }
  if (schema === 'end' || schema.message.kind !== 'schema')
    throw new TraceFormatError('no Arrow stream with a schema at its start');
  const formatVersion = parseFormatVersion(schema.message.metadata);
  const header = parseHeader(schema.message.metadata);
  const buffers = new Float64Array(2 * BUFFER_COUNT);
  const recordings = new Map<number, MutableRecording>();
  let offset = schema.end;
  let closed = false;
  let damage: string | undefined;
  while (offset < fileBytes) {
    try {
      const found = findMessage(fd, offset, fileBytes);
      if (found === undefined) break;
      if (found === 'end') {
        closed = true;
        offset += PREFIX_BYTES;
        break;
      }
      addBatch(recordings, placeOf(found, offset, buffers));
      offset = found.end;
    } catch (error) {
      // What stands before the damage is good; nothing tells where a batch begins behind it.
      if (!(error instanceof TraceFormatError) || recordings.size === 0) throw error;
      damage = error.message;
      break;
    }
  }
  return {
    formatVersion,
    header,
    recordings: [...recordings.values()],
    goodBytes: offset,
    fileBytes,
    closed,
    damage,
  };
}

type MutableRecording = { -readonly [Key in keyof RecordingIndex]: RecordingIndex[Key] };

function addBatch(recordings: Map<number, MutableRecording>, place: BatchPlace): void {
  let recording = recordings.get(place.recording);
  if (recording === undefined) {
    recording = {
      number: place.recording,
      begin: undefined,
      tables: [],
      events: new Map(),
      end: undefined,
    };
    recordings.set(place.recording, recording);
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
    case 'events': {
      const list = recording.events.get(place.cpu);
      if (list === undefined) recording.events.set(place.cpu, [place]);
      else list.push(place);
    }
  }
}

interface FoundMessage {
  readonly metadata: DataView;
  readonly message: StreamMessage;
  readonly end: number;
}

/** The message at an offset; undefined when the file ends inside it; 'end' for the end-of-stream mark. */
function findMessage(
  fd: number,
  offset: number,
  fileBytes: number,
): FoundMessage | 'end' | undefined {
  if (offset + PREFIX_BYTES > fileBytes) return undefined;
  const prefix = readAt(fd, offset, PREFIX_BYTES);
  const metadataBytes = prefix.getUint32(4, true);
  if (prefix.getUint32(0, true) !== CONTINUATION || metadataBytes > MAX_METADATA_BYTES)
    throw damaged(offset, 'no Arrow message');
  if (metadataBytes === 0) return 'end';
  const body = offset + PREFIX_BYTES + metadataBytes;
  if (body > fileBytes) return undefined;
  const metadata = readAt(fd, offset + PREFIX_BYTES, metadataBytes);
  const message = readMessage(metadata);
  if (message === undefined) throw damaged(offset, 'unreadable Arrow message');
  if (message.bodyBytes > MAX_BODY_BYTES)
    throw damaged(offset, 'Arrow message of impossible length');
  const end = body + message.bodyBytes;
  return end > fileBytes ? undefined : { metadata, message, end };
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

function readAt(fd: number, offset: number, bytes: number): DataView {
  const buffer = new Uint8Array(bytes);
  readFully(fd, buffer, offset);
  return new DataView(buffer.buffer);
}
