/**
 * Writes sequences of Perfetto's packets. Within a sequence time does not go back and names are told once;
 * several stand in one file, so that what is known late (a round, a rate) has one of its own.
 */
import { printable } from '@vhostscope/terminal';
import { contentOf, createByteBuffer, type ByteBuffer } from '../byte-buffer.js';
import type { ExportOutput } from '../export-output.js';
import {
  appendBool,
  appendDouble,
  appendInteger,
  appendText,
  beginMessage,
  endMessage,
} from './protobuf.js';
import {
  CLOCK_BOOTTIME,
  COUNTER,
  DEBUG_ANNOTATION,
  EXPLICIT_ORDER,
  INCREMENTAL_STATE_CLEARED,
  INSTANT,
  INTERNED,
  INTERNED_DATA,
  NEEDS_INCREMENTAL_STATE,
  PROCESS_DESCRIPTOR,
  SLICE_BEGIN,
  SLICE_END,
  TRACE,
  TRACE_PACKET,
  TRACE_PACKET_DEFAULTS,
  TRACK_DESCRIPTOR,
  TRACK_EVENT,
} from './trace-schema.js';

/** ns, CLOCK_BOOTTIME: a number where that is exact. */
export type Time = number | bigint;

/** What stands beside an event, by name; bigints are addresses. */
export type Annotations = Readonly<Record<string, string | number | bigint | boolean>>;

export interface Track {
  readonly name: string;
  readonly parent?: number | undefined;
  /** Place among its siblings. */
  readonly rank?: number;
  /** Process that the track stands for. */
  readonly pid?: number;
  readonly isCounter?: boolean;
}

export interface PacketSequence {
  /** Declares a track; returns its uuid. */
  track(track: Track): number;
  begin(time: Time, track: number, name: string, annotations?: Annotations): void;
  end(time: Time, track: number, annotations?: Annotations): void;
  instant(time: Time, track: number, name: string, annotations?: Annotations): void;
  count(time: Time, track: number, value: number): void;
}

export interface PacketStream {
  sequence(): PacketSequence;
  flush(): void;
}

/**
 * Numbers of tracks and sequences begin here: above those of Perfetto's own service and below the hashes of
 * its client libraries, so that the file can be joined with another one of the same host, by cat.
 */
const FIRST_NUMBER = 1 << 20;

/** So many strings are told once and then by number; more of them, as a forger may make, stand where they are used. */
const MOST_TEXTS = 4096;

/** Bytes that are gathered before they go to the output. */
const PIECE = 1 << 16;

export function createPacketStream(output: ExportOutput): PacketStream {
  const buffer = createByteBuffer(2 * PIECE);
  let sequences = 0;
  let tracks = 0;
  const flush = (): void => {
    output.write(contentOf(buffer));
    buffer.length = 0;
  };
  const packetEnds = (start: number): void => {
    endMessage(buffer, start);
    if (buffer.length >= PIECE) flush();
  };
  return {
    sequence: () =>
      createSequence(buffer, FIRST_NUMBER + sequences++, () => FIRST_NUMBER + tracks++, packetEnds),
    flush,
  };
}

/** Strings by the field of InternedData that tells them, each with its number. */
type Interned = Map<string, number>;

function createSequence(
  buffer: ByteBuffer,
  id: number,
  nextTrack: () => number,
  packetEnds: (start: number) => void,
): PacketSequence {
  const eventNames: Interned = new Map();
  const annotationNames: Interned = new Map();
  const texts: Interned = new Map();
  let last: Time = 0;
  let isBegun = false;

  const beginPacket = (): number => {
    const start = beginMessage(buffer, TRACE.packet);
    appendInteger(buffer, TRACE_PACKET.trusted_packet_sequence_id, id);
    const flags = isBegun
      ? NEEDS_INCREMENTAL_STATE
      : INCREMENTAL_STATE_CLEARED | NEEDS_INCREMENTAL_STATE;
    appendInteger(buffer, TRACE_PACKET.sequence_flags, flags);
    if (isBegun) return start;
    isBegun = true;
    appendBool(buffer, TRACE_PACKET.first_packet_on_sequence, true);
    const defaults = beginMessage(buffer, TRACE_PACKET.trace_packet_defaults);
    appendInteger(buffer, TRACE_PACKET_DEFAULTS.timestamp_clock_id, CLOCK_BOOTTIME);
    endMessage(buffer, defaults);
    return start;
  };

  /** Tells the strings that are new, in the packet that refers to them. */
  const intern = (name: string | undefined, annotations: Annotations | undefined): void => {
    let start: number | undefined;
    const tell = (known: Interned, field: number, text: string): void => {
      if (known.has(text)) return;
      known.set(text, known.size + 1);
      start ??= beginMessage(buffer, TRACE_PACKET.interned_data);
      const entry = beginMessage(buffer, field);
      appendInteger(buffer, INTERNED.iid, known.size);
      appendText(buffer, INTERNED.text, text);
      endMessage(buffer, entry);
    };
    if (name !== undefined) tell(eventNames, INTERNED_DATA.event_names, name);
    for (const key in annotations) {
      tell(annotationNames, INTERNED_DATA.debug_annotation_names, key);
      const value = annotations[key];
      if (typeof value === 'string' && texts.size < MOST_TEXTS)
        tell(texts, INTERNED_DATA.debug_annotation_string_values, value);
    }
    if (start !== undefined) endMessage(buffer, start);
  };

  const annotate = (annotations: Annotations | undefined): void => {
    for (const key in annotations) {
      const value = annotations[key] ?? 0;
      const start = beginMessage(buffer, TRACK_EVENT.debug_annotations);
      appendInteger(buffer, DEBUG_ANNOTATION.name_iid, annotationNames.get(key) ?? 0);
      if (typeof value === 'string') {
        const known = texts.get(value);
        if (known === undefined) appendText(buffer, DEBUG_ANNOTATION.string_value, value);
        else appendInteger(buffer, DEBUG_ANNOTATION.string_value_iid, known);
      } else if (typeof value === 'boolean') appendBool(buffer, DEBUG_ANNOTATION.bool_value, value);
      else if (typeof value === 'bigint')
        appendInteger(buffer, DEBUG_ANNOTATION.pointer_value, value);
      else if (value < 0) appendInteger(buffer, DEBUG_ANNOTATION.int_value, value);
      else appendInteger(buffer, DEBUG_ANNOTATION.uint_value, value);
      endMessage(buffer, start);
    }
  };

  const event = (
    time: Time,
    type: number,
    track: number,
    name: string | undefined,
    annotations: Annotations | undefined,
    value: number | undefined,
  ): void => {
    // A CPU's clock may go back by little; readers take times of a sequence to rise.
    if (time > last) last = time;
    const start = beginPacket();
    appendInteger(buffer, TRACE_PACKET.timestamp, last);
    intern(name, annotations);
    const body = beginMessage(buffer, TRACE_PACKET.track_event);
    appendInteger(buffer, TRACK_EVENT.type, type);
    appendInteger(buffer, TRACK_EVENT.track_uuid, track);
    if (name !== undefined) appendInteger(buffer, TRACK_EVENT.name_iid, eventNames.get(name) ?? 0);
    if (value !== undefined) appendDouble(buffer, TRACK_EVENT.double_counter_value, value);
    annotate(annotations);
    endMessage(buffer, body);
    packetEnds(start);
  };

  return {
    track: ({ name, parent, rank, pid, isCounter = false }) => {
      const uuid = nextTrack();
      const start = beginPacket();
      const body = beginMessage(buffer, TRACE_PACKET.track_descriptor);
      appendInteger(buffer, TRACK_DESCRIPTOR.uuid, uuid);
      if (parent !== undefined) appendInteger(buffer, TRACK_DESCRIPTOR.parent_uuid, parent);
      if (pid === undefined) {
        appendText(buffer, TRACK_DESCRIPTOR.name, printable(name));
      } else {
        const process = beginMessage(buffer, TRACK_DESCRIPTOR.process);
        appendInteger(buffer, PROCESS_DESCRIPTOR.pid, pid);
        endMessage(buffer, process);
      }
      if (isCounter) endMessage(buffer, beginMessage(buffer, TRACK_DESCRIPTOR.counter));
      else appendInteger(buffer, TRACK_DESCRIPTOR.child_ordering, EXPLICIT_ORDER);
      if (rank !== undefined) appendInteger(buffer, TRACK_DESCRIPTOR.sibling_order_rank, rank);
      endMessage(buffer, body);
      packetEnds(start);
      return uuid;
    },
    begin: (time, track, name, annotations) =>
      event(time, SLICE_BEGIN, track, name, annotations, undefined),
    end: (time, track, annotations) =>
      event(time, SLICE_END, track, undefined, annotations, undefined),
    instant: (time, track, name, annotations) =>
      event(time, INSTANT, track, name, annotations, undefined),
    count: (time, track, value) => event(time, COUNTER, track, undefined, undefined, value),
  };
}
