/** Reads what `replay export --format perfetto` wrote, with another implementation of Protocol Buffers. */
import { readFileSync } from 'node:fs';
import { messageReader } from './protobuf-reader.ts';

/** The messages that an export uses, by the numbers that Perfetto publishes in protos/perfetto/trace/. */
const SCHEMA = `
  message Trace { repeated TracePacket packet = 1; }
  message TracePacket {
    optional uint64 timestamp = 8;
    optional uint32 timestamp_clock_id = 58;
    optional uint32 trusted_packet_sequence_id = 10;
    optional TrackEvent track_event = 11;
    optional InternedData interned_data = 12;
    optional uint32 sequence_flags = 13;
    optional uint32 previous_packet_dropped = 42;
    optional TracePacketDefaults trace_packet_defaults = 59;
    optional TrackDescriptor track_descriptor = 60;
    optional bool first_packet_on_sequence = 87;
  }
  message TracePacketDefaults { optional uint32 timestamp_clock_id = 58; }
  message TrackDescriptor {
    optional uint64 uuid = 1;
    optional string name = 2;
    optional ProcessDescriptor process = 3;
    optional uint64 parent_uuid = 5;
    optional CounterDescriptor counter = 8;
    optional int32 child_ordering = 11;
    optional int32 sibling_order_rank = 12;
  }
  message ProcessDescriptor { optional int32 pid = 1; optional string process_name = 6; }
  message CounterDescriptor { optional int32 type = 1; optional int32 unit = 3; }
  message TrackEvent {
    repeated DebugAnnotation debug_annotations = 4;
    enum Type {
      TYPE_UNSPECIFIED = 0;
      TYPE_SLICE_BEGIN = 1;
      TYPE_SLICE_END = 2;
      TYPE_INSTANT = 3;
      TYPE_COUNTER = 4;
    }
    optional Type type = 9;
    optional uint64 name_iid = 10;
    optional uint64 track_uuid = 11;
    optional double double_counter_value = 44;
  }
  message DebugAnnotation {
    optional uint64 name_iid = 1;
    optional bool bool_value = 2;
    optional uint64 uint_value = 3;
    optional int64 int_value = 4;
    optional string string_value = 6;
    optional uint64 pointer_value = 7;
    optional uint64 string_value_iid = 17;
  }
  message InternedData {
    repeated EventName event_names = 2;
    repeated DebugAnnotationName debug_annotation_names = 3;
    repeated InternedString debug_annotation_string_values = 29;
  }
  message EventName { optional uint64 iid = 1; optional string name = 2; }
  message DebugAnnotationName { optional uint64 iid = 1; optional string name = 2; }
  message InternedString { optional uint64 iid = 1; optional string str = 2; }
`;

interface Packet {
  readonly timestamp?: string;
  readonly trusted_packet_sequence_id?: number;
  readonly sequence_flags?: number;
  readonly first_packet_on_sequence?: boolean;
  readonly trace_packet_defaults?: { readonly timestamp_clock_id?: number };
  readonly track_descriptor?: Track;
  readonly interned_data?: Record<string, readonly { iid: string; name?: string; str?: string }[]>;
  readonly track_event?: {
    readonly type: string;
    readonly name_iid?: string;
    readonly track_uuid: string;
    readonly double_counter_value?: number;
    readonly debug_annotations?: readonly Record<string, string>[];
  };
}

const readTrace = messageReader(SCHEMA, 'Trace', { keepCase: true });

export interface Track {
  readonly uuid: string;
  readonly name?: string;
  readonly parent_uuid?: string;
  readonly process?: { readonly pid: number };
  readonly counter?: object;
}

export interface Slice {
  readonly name: string;
  readonly begin: bigint;
  end: bigint | undefined;
  readonly annotations: Readonly<Record<string, unknown>>;
}

export interface PerfettoTrace {
  readonly tracks: ReadonlyMap<string, Track>;
  /** By uuid of their tracks. */
  readonly slices: ReadonlyMap<string, readonly Slice[]>;
  readonly instants: ReadonlyMap<string, readonly Slice[]>;
  readonly counters: ReadonlyMap<string, readonly { at: bigint; value: number }[]>;
  /** Names from the root of the tree down, joined by /. */
  path(uuid: string): string;
}

/** Reads a file, and throws at whatever a reader of the format may not be given. */
export function readPerfettoTrace(file: string): PerfettoTrace {
  const { packet: packets = [] } = readTrace(readFileSync(file)) as {
    readonly packet?: readonly Packet[];
  };
  const tracks = new Map<string, Track>();
  const slices = new Map<string, Slice[]>();
  const instants = new Map<string, Slice[]>();
  const counters = new Map<string, { at: bigint; value: number }[]>();
  const sequences = new Map<number, Sequence>();
  for (const packet of packets) {
    const sequence = sequenceOf(sequences, packet);
    const { track_descriptor: track, track_event: event } = packet;
    if (track !== undefined) {
      if (tracks.has(track.uuid)) throw new Error(`track ${track.uuid} is declared twice`);
      if (track.parent_uuid !== undefined && !tracks.has(track.parent_uuid))
        throw new Error(`the parent of ${track.uuid} is not declared`);
      tracks.set(track.uuid, track);
    }
    if (event === undefined) continue;
    const at = BigInt(packet.timestamp ?? '-1');
    if (at < sequence.last) throw new Error(`time goes back to ${at}`);
    sequence.last = at;
    const uuid = event.track_uuid;
    const where = tracks.get(uuid);
    if (where === undefined) throw new Error(`track ${uuid} is not declared`);
    if ((event.type === 'TYPE_COUNTER') !== (where.counter !== undefined))
      throw new Error(`a ${event.type} on track ${where.name}`);
    const named = (): Slice => ({
      name: known(sequence.event_names, event.name_iid),
      begin: at,
      end: undefined,
      annotations: annotationsOf(sequence, event.debug_annotations ?? []),
    });
    switch (event.type) {
      case 'TYPE_SLICE_BEGIN':
        push(slices, uuid, named());
        break;
      case 'TYPE_SLICE_END': {
        const open = slices.get(uuid)?.findLast(({ end }) => end === undefined);
        if (open === undefined) throw new Error(`an end without a beginning on ${uuid}`);
        open.end = at;
        break;
      }
      case 'TYPE_INSTANT':
        push(instants, uuid, named());
        break;
      case 'TYPE_COUNTER':
        push(counters, uuid, { at, value: event.double_counter_value ?? NaN });
        break;
      default:
        throw new Error(`an event of type ${event.type}`);
    }
  }
  for (const [uuid, list] of slices)
    if (list.some(({ end }) => end === undefined)) throw new Error(`${uuid} does not end`);
  const path = (uuid: string): string => {
    const { name, process, parent_uuid: parent } = tracks.get(uuid) ?? {};
    const own = process === undefined ? (name ?? '') : `pid ${process.pid}`;
    return parent === undefined ? own : `${path(parent)}/${own}`;
  };
  return { tracks, slices, instants, counters, path };
}

/** What is on the tracks whose path ends so. */
export function on<Value>(
  perfetto: PerfettoTrace,
  lists: ReadonlyMap<string, readonly Value[]>,
  ending: string,
): Value[] {
  return [...lists].flatMap(([uuid, list]) => (perfetto.path(uuid).endsWith(ending) ? list : []));
}

interface Sequence {
  last: bigint;
  readonly event_names: Map<string, string>;
  readonly debug_annotation_names: Map<string, string>;
  readonly debug_annotation_string_values: Map<string, string>;
}

const CLEARED = 1;
const NEEDS_STATE = 2;
const BOOTTIME = 6;

function sequenceOf(sequences: Map<number, Sequence>, packet: Packet): Sequence {
  const id = packet.trusted_packet_sequence_id ?? 0;
  const flags = packet.sequence_flags ?? 0;
  let sequence = sequences.get(id);
  if (sequence === undefined) {
    if (id === 0 || (flags & CLEARED) === 0 || packet.first_packet_on_sequence !== true)
      throw new Error('a sequence that does not begin');
    if (packet.trace_packet_defaults?.timestamp_clock_id !== BOOTTIME) throw new Error('clock');
    sequence = {
      last: 0n,
      event_names: new Map(),
      debug_annotation_names: new Map(),
      debug_annotation_string_values: new Map(),
    };
    sequences.set(id, sequence);
  } else if (flags !== NEEDS_STATE) throw new Error(`flags ${flags}`);
  for (const key of [
    'event_names',
    'debug_annotation_names',
    'debug_annotation_string_values',
  ] as const) {
    for (const { iid, name, str } of packet.interned_data?.[key] ?? []) {
      if (sequence[key].has(iid)) throw new Error(`${key} ${iid} is told twice`);
      sequence[key].set(iid, name ?? str ?? '');
    }
  }
  return sequence;
}

function annotationsOf(
  sequence: Sequence,
  annotations: readonly Record<string, string>[],
): Record<string, unknown> {
  return Object.fromEntries(
    annotations.map(({ name_iid: name, string_value_iid: text, ...value }) => [
      known(sequence.debug_annotation_names, name),
      text === undefined
        ? Object.values(value)[0]
        : known(sequence.debug_annotation_string_values, text),
    ]),
  );
}

function known(names: ReadonlyMap<string, string>, iid: string | undefined): string {
  const name = names.get(iid ?? '');
  if (name === undefined) throw new Error(`number ${iid} was not told`);
  return name;
}

function push<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
