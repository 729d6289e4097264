import { type JsonMember, type JsonObject, type JsonValue, isObject } from './json-reader.js';
import type {
  Bucket,
  Entry,
  MessageBody,
  Sample,
  ScriptLocation,
  Stats,
  StructValue,
  Value,
} from './messages.js';

/** What the records so far say about the version that printed them. */
export interface JsonContext {
  /** bpftrace 0.24 and later print `count` beside `data` in attached_probes and lost_events. */
  modern: boolean;
  /** Whether a `\u` escape was printed before: see the quirk `sticky-hex`. */
  escaped: boolean;
  /** Set for good by the builders when a count had a letter: all later ones are hexadecimal. */
  hexadecimal: boolean;
  /** Set by the builders when a hexadecimal count was undone. */
  stickyHex: boolean;
}

type Builder = (record: JsonObject, context: JsonContext) => MessageBody | undefined;

/**
 * One row per `type`; the versions are those of the shapes it reads.
 * A record whose type has no row is delivered as `unknown`.
 */
const BUILDERS: Readonly<Record<string, Builder>> = {
  // 0.9.2: "msg"; 0.9.3 and later: "data".
  printf: (record) => {
    const data = payload(record);
    return data === undefined ? undefined : { type: 'printf', data };
  },
  time: (record) => output('time', record),
  cat: (record) => output('cat', record),
  join: (record) => output('join', record),
  syscall: (record) => output('syscall', record),
  attached_probes: attachedProbes,
  lost_events: lostEvents,
  // 0.9.2 and later.
  map: (record) => {
    const contents = readNamed(record, convert, (v) => isObject(v) && !v.padded);
    return contents && { type: 'map', ...contents };
  },
  hist: (record, context) => {
    const read = () => readNamed(record, (v) => buckets(v, context), isObject);
    const known = context.hexadecimal;
    let contents = read();
    // The first count with a letter tells of those before it in the record, too.
    if (context.hexadecimal !== known) contents = read();
    return contents && { type: 'hist', complete: true, ...contents, ...doubt(context) };
  },
  stats: (record) => {
    const contents = readNamed(record, stats, (v) => isObject(v) && stats(v) === undefined);
    return contents && { type: 'stats', ...contents };
  },
  // 0.24 and later.
  tseries: (record) => {
    const contents = readNamed(record, samples, isObject);
    return contents && { type: 'tseries', ...contents };
  },
  // 0.11 and later.
  value: (record) => {
    const value = field(record, 'data');
    return value === undefined ? undefined : { type: 'value', value: convert(value) };
  },
  // 0.16 and later; "msg" from 0.20, "filename" from 0.24.
  helper_error: helperError,
  // 0.24 and later; warnf from 0.25.
  runtime_error: (record) => scriptError('runtime_error', record),
  errorf: (record) => scriptError('errorf', record),
  warnf: (record) => scriptError('warnf', record),
};

/**
 * The message in a record of a known type; undefined when its contents do not fit the type; the
 * string 'unknown' when the type is not known.
 */
export function buildMessage(
  type: string,
  record: JsonObject,
  context: JsonContext,
): MessageBody | 'unknown' | undefined {
  return Object.hasOwn(BUILDERS, type) ? BUILDERS[type](record, context) : 'unknown';
}

/** The value of the first member of that name. */
export function field(record: JsonObject, name: string): JsonValue | undefined {
  return record.members.find((member) => member.name === name)?.value;
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/**
 * An integer. bpftrace 0.24 and later print one that a double cannot hold as a string of digits.
 */
function integer(value: JsonValue | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value === 'string' && /^-?\d{1,39}$/.test(value)) return BigInt(value);
  return undefined;
}

/**
 * A count, which 0.24 and later may have printed in hexadecimal: none of digits alone tells, and
 * one with a letter tells it of all that follow. Negative ones are none.
 */
function streamedCount(value: JsonValue | undefined, context: JsonContext): bigint | undefined {
  const decimal = integer(value);
  const printed = typeof value === 'string' ? value : String(decimal);
  const isHexadecimal = /^[0-9a-f]{1,16}$/.test(printed);
  if (context.escaped && decimal === undefined && isHexadecimal) context.hexadecimal = true;
  if (context.hexadecimal && isHexadecimal) {
    context.stickyHex = true;
    return BigInt(`0x${printed}`);
  }
  return decimal !== undefined && decimal >= 0n ? decimal : undefined;
}

/** Marks a message whose counts may be meant in hexadecimal. */
function doubt(context: JsonContext): { suspect?: true } {
  return (context.modern && context.escaped) || context.hexadecimal ? { suspect: true } : {};
}

/** An integer that a double holds exactly. */
function small(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function payload(record: JsonObject): string | undefined {
  return text(field(record, 'data') ?? field(record, 'msg'));
}

function output(
  type: 'time' | 'cat' | 'join' | 'syscall',
  record: JsonObject,
): MessageBody | undefined {
  const data = payload(record);
  return data === undefined ? undefined : { type, data };
}

/** 0.9.2: beside the type; 0.9.3 and later: in `data`; 0.24 and later: as `count` too. */
function tally(record: JsonObject, name: string, context: JsonContext): bigint | undefined {
  if (field(record, 'count') !== undefined) context.modern = true;
  const data = field(record, 'data');
  const inData = isObject(data) ? field(data, name) : undefined;
  const value = inData ?? field(record, name) ?? field(record, 'count');
  return streamedCount(value, context);
}

function attachedProbes(record: JsonObject, context: JsonContext): MessageBody | undefined {
  const probes = tally(record, 'probes', context);
  if (probes === undefined || probes > Number.MAX_SAFE_INTEGER) return undefined;
  return { type: 'attached_probes', probes: Number(probes), ...doubt(context) };
}

function lostEvents(record: JsonObject, context: JsonContext): MessageBody | undefined {
  const note = text(field(record, 'data'));
  // Versions with watchpoints, up to 0.23, print an error text under this type.
  if (note !== undefined) return { type: 'lost_events', events: 0n, text: note };
  const events = tally(record, 'events', context);
  if (events === undefined) return undefined;
  return { type: 'lost_events', events, ...doubt(context) };
}

type NamedContents<V> = { readonly name: string } & (
  | { readonly keyed: false; readonly value: V }
  | { readonly keyed: true; readonly entries: readonly Entry<V>[] }
);

/**
 * `{"type": T, "data": {NAME: VALUE}}`, or with an object of values by key for VALUE.
 *
 * @param read - Reads one value; undefined when it does not fit.
 * @param isKeyed - Tells the two forms apart.
 */
function readNamed<V>(
  record: JsonObject,
  read: (value: JsonValue) => V | undefined,
  isKeyed: (value: JsonValue) => boolean,
): NamedContents<V> | undefined {
  const data = field(record, 'data');
  if (!isObject(data) || data.members.length !== 1) return undefined;
  const { name, value } = data.members[0];
  if (!isKeyed(value) || !isObject(value)) {
    const single = read(value);
    if (single !== undefined) return { name, keyed: false, value: single };
    // 0.9 prints nothing for a keyed map without elements; a single value is never nothing.
    return value === null ? { name, keyed: true, entries: [] } : undefined;
  }
  const entries: Entry<V>[] = [];
  for (const member of value.members) {
    const element = read(member.value);
    if (element === undefined) return undefined;
    entries.push({ key: member.name, value: element });
  }
  return { name, keyed: true, entries };
}

/** bpftrace up to 0.15 prints nothing for an empty histogram; 0.16 and later print `[]`. */
function buckets(value: JsonValue, context: JsonContext): readonly Bucket[] | undefined {
  if (value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const result: Bucket[] = [];
  for (const element of value) {
    if (!isObject(element)) return undefined;
    const min = field(element, 'min');
    const max = field(element, 'max');
    const count = streamedCount(field(element, 'count'), context);
    const bucket = { min: bound(min), max: bound(max), count };
    if (bucket.min === undefined || bucket.max === undefined || count === undefined) {
      return undefined;
    }
    result.push({ min: bucket.min, max: bucket.max, count });
  }
  return result;
}

function bound(value: JsonValue | undefined): bigint | null | undefined {
  return value === undefined ? null : integer(value);
}

const STATS_MEMBERS = ['count', 'average', 'total'];

/** An avg() prints its average alone; stats() prints exactly these members in this order. */
function stats(value: JsonValue): Stats | undefined {
  if (!isObject(value)) {
    const average = integer(value);
    return average === undefined ? undefined : { count: null, average, total: null };
  }
  const { members } = value;
  if (members.length !== 3 || members.some((m, i) => m.name !== STATS_MEMBERS[i])) return undefined;
  const [count, average, total] = members.map((member) => integer(member.value));
  if (count === undefined || average === undefined || total === undefined) return undefined;
  return { count, average, total };
}

function samples(value: JsonValue): readonly Sample[] | undefined {
  if (value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const result: Sample[] = [];
  for (const element of value) {
    if (!isObject(element)) return undefined;
    const intervalStart = text(field(element, 'interval_start'));
    const sample = field(element, 'value');
    if (intervalStart === undefined || sample === undefined) return undefined;
    result.push({ intervalStart, value: convert(sample) });
  }
  return result;
}

function location(record: JsonObject): { at?: ScriptLocation } {
  const line = small(field(record, 'line'));
  if (line === undefined) return {};
  const column = small(field(record, 'col'));
  const file = text(field(record, 'filename'));
  return {
    at: { line, ...(column !== undefined && { column }), ...(file !== undefined && { file }) },
  };
}

function helperError(record: JsonObject): MessageBody | undefined {
  const helper = text(field(record, 'helper'));
  const retcode = small(field(record, 'retcode'));
  if (helper === undefined || retcode === undefined) return undefined;
  const message = text(field(record, 'msg'));
  return {
    type: 'helper_error',
    helper,
    retcode,
    ...(message !== undefined && { message }),
    ...location(record),
  };
}

function scriptError(
  type: 'runtime_error' | 'errorf' | 'warnf',
  record: JsonObject,
): MessageBody | undefined {
  const message = text(field(record, 'msg'));
  return message === undefined ? undefined : { type, message, ...location(record) };
}

function convert(value: JsonValue): Value {
  if (Array.isArray(value)) return value.map((element) => convert(element));
  return isObject(value) ? struct(value.members) : (value as Exclude<JsonValue, object>);
}

function struct(members: readonly JsonMember[]): StructValue {
  return new Map(members.map(({ name, value }) => [name, convert(value)]));
}
