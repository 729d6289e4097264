/**
 * Finds the batches of a trace file without reading them: the plan for merging the CPUs with one
 * cursor each. Only the messages' metadata is read.
 */
import { readSync } from 'node:fs';
import { Message, type RecordBatch as BatchHeader } from 'apache-arrow/ipc/metadata/message';
import { decodeBatchMetadata, type BatchMetadata } from './batch-metadata.js';
import { BUFFER_COUNT, NODE_COUNT } from './arrow-layout.js';
import { parseHeader, TraceFormatError, type TraceHeader } from './trace-header.js';

/** Where a batch lies in the file, and where its columns lie in it. */
export interface BatchPlace extends BatchMetadata {
  /** File offset of the body, and its bytes. */
  readonly offset: number;
  readonly bytes: number;
  readonly rows: number;
  readonly details: number;
  /** Offset in the body and length of every buffer, in the order of the schema. */
  readonly buffers: Float64Array;
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
  readonly header: TraceHeader;
  readonly recordings: readonly RecordingIndex[];
  /** File offset just past the last whole batch. */
  readonly goodBytes: number;
  /** Bytes in the file, goodBytes or more: the rest is a torn tail. */
  readonly fileBytes: number;
  /** Whether the end-of-stream mark was found. */
  readonly closed: boolean;
}

const CONTINUATION = 0xffff_ffff;
/** Far above what our batches need; a longer one is damage. */
const MAX_METADATA_BYTES = 1 << 24;

/**
 * Indexes an open, seekable file.
 *
 * @throws TraceFormatError when the file is no trace, or is damaged before its end
 */
export function indexTrace(fd: number, fileBytes: number): TraceIndex {
  const schema = readMessage(fd, 0, fileBytes);
  if (schema === undefined || schema === 'end' || !schema.message.isSchema()) {
    throw new TraceFormatError('no Arrow stream with a schema at its start');
  }
  const header = parseHeader(schema.message.header().metadata);
  const recordings = new Map<number, MutableRecording>();
  let offset = schema.end;
  let closed = false;
  while (offset < fileBytes) {
    const found = readMessage(fd, offset, fileBytes);
    if (found === undefined) break;
    if (found === 'end') {
      closed = true;
      offset += 8;
      break;
    }
    const place = placeOf(found.message, found.body, offset);
    addBatch(recordings, place);
    offset = found.end;
  }
  return { header, recordings: [...recordings.values()], goodBytes: offset, fileBytes, closed };
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
      recording.begin = place;
      return;
    case 'table':
      recording.tables.push(place);
      return;
    case 'end':
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
  readonly message: Message;
  readonly body: number;
  readonly end: number;
}

/** The message at an offset; undefined when the file ends inside it; 'end' for the end-of-stream mark. */
function readMessage(
  fd: number,
  offset: number,
  fileBytes: number,
): FoundMessage | 'end' | undefined {
  if (offset + 8 > fileBytes) return undefined;
  const prefix = readAt(fd, offset, 8);
  const metadataBytes = prefix.getInt32(4, true);
  if (
    prefix.getUint32(0, true) !== CONTINUATION ||
    metadataBytes < 0 ||
    metadataBytes > MAX_METADATA_BYTES
  ) {
    throw new TraceFormatError(`no Arrow message at byte ${offset}: the file is damaged there`);
  }
  if (metadataBytes === 0) return 'end';
  if (offset + 8 + metadataBytes > fileBytes) return undefined;
  const bytes = readAt(fd, offset + 8, metadataBytes);
  let message: Message;
  try {
    message = Message.decode(new Uint8Array(bytes.buffer));
  } catch {
    throw new TraceFormatError(
      `unreadable Arrow message at byte ${offset}: the file is damaged there`,
    );
  }
  const body = offset + 8 + metadataBytes;
  const end = body + message.bodyLength;
  if (!(message.bodyLength >= 0)) {
    throw new TraceFormatError(
      `Arrow message at byte ${offset} has no length: the file is damaged there`,
    );
  }
  return end > fileBytes ? undefined : { message, body, end };
}

function placeOf(message: Message, body: number, offset: number): BatchPlace {
  const damaged = (what: string): TraceFormatError =>
    new TraceFormatError(`batch at byte ${offset} ${what}: the file is damaged there`);
  const metadata = decodeBatchMetadata(message.metadata);
  if (!message.isRecordBatch() || metadata === undefined) throw damaged('is not one of a trace');
  const header: BatchHeader = message.header();
  if (header.nodes.length !== NODE_COUNT || header.buffers.length !== BUFFER_COUNT) {
    throw damaged('has other columns than the format');
  }
  const buffers = new Float64Array(2 * BUFFER_COUNT);
  for (const [i, region] of header.buffers.entries()) {
    if (
      region.offset < 0 ||
      region.length < 0 ||
      region.offset + region.length > message.bodyLength ||
      region.offset % 8 !== 0
    ) {
      throw damaged('has a column outside its body');
    }
    buffers[2 * i] = region.offset;
    buffers[2 * i + 1] = region.length;
  }
  return {
    ...metadata,
    offset: body,
    bytes: message.bodyLength,
    rows: header.length,
    details: header.nodes[DETAILS_NODE].length,
    buffers,
  };
}

/** Node of the struct inside the list of details: after the eight row columns and the list. */
const DETAILS_NODE = 9;

function readAt(fd: number, offset: number, bytes: number): DataView {
  const buffer = new ArrayBuffer(bytes);
  const view = new Uint8Array(buffer);
  let done = 0;
  while (done < bytes) {
    const got = readSync(fd, view, done, bytes - done, offset + done);
    if (got === 0)
      throw new TraceFormatError(`the file was cut at byte ${offset + done} while it was read`);
    done += got;
  }
  return new DataView(buffer);
}
