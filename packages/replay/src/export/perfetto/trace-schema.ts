/**
 * Field numbers of Perfetto's trace format, as published in `protos/perfetto/trace/` of its sources:
 * those of the stable TrackEvent API that an export needs.
 */
export const TRACE = { packet: 1 } as const;

export const TRACE_PACKET = {
  timestamp: 8,
  trusted_packet_sequence_id: 10,
  track_event: 11,
  interned_data: 12,
  sequence_flags: 13,
  trace_packet_defaults: 59,
  track_descriptor: 60,
  first_packet_on_sequence: 87,
} as const;

export const TRACE_PACKET_DEFAULTS = { timestamp_clock_id: 58 } as const;

/** SequenceFlags. */
export const INCREMENTAL_STATE_CLEARED = 1;
export const NEEDS_INCREMENTAL_STATE = 2;

/** BuiltinClock: nanoseconds, CLOCK_BOOTTIME. */
export const CLOCK_BOOTTIME = 6;

export const TRACK_DESCRIPTOR = {
  uuid: 1,
  name: 2,
  process: 3,
  parent_uuid: 5,
  counter: 8,
  child_ordering: 11,
  sibling_order_rank: 12,
} as const;

/** ChildTracksOrdering: by sibling_order_rank. */
export const EXPLICIT_ORDER = 3;

export const PROCESS_DESCRIPTOR = { pid: 1 } as const;

export const TRACK_EVENT = {
  debug_annotations: 4,
  type: 9,
  name_iid: 10,
  track_uuid: 11,
  double_counter_value: 44,
} as const;

/** TrackEvent.Type. */
export const SLICE_BEGIN = 1;
export const SLICE_END = 2;
export const INSTANT = 3;
export const COUNTER = 4;

export const DEBUG_ANNOTATION = {
  name_iid: 1,
  bool_value: 2,
  uint_value: 3,
  int_value: 4,
  string_value: 6,
  pointer_value: 7,
  string_value_iid: 17,
} as const;

export const INTERNED_DATA = {
  event_names: 2,
  debug_annotation_names: 3,
  debug_annotation_string_values: 29,
} as const;

/** EventName, DebugAnnotationName and InternedString alike. */
export const INTERNED = { iid: 1, text: 2 } as const;
