/**
 * Where the members of kernel structs lie, as the kernel itself tells in BTF (Documentation/bpf/btf.rst): that of
 * vmlinux, and of modules, which goes on where that of vmlinux ends.
 */

/** Types of the kernel, or of a module and the kernel. */
export interface KernelTypes {
  readonly view: DataView;
  /** Index of each type's record, from the first that this BTF adds. */
  readonly records: readonly number[];
  /** Index of the first string, and how many bytes of strings there are. */
  readonly strings: number;
  readonly stringBytes: number;
  /** The kernel's, where these are a module's. */
  readonly base: KernelTypes | undefined;
  /** Types and bytes of strings of the kernel, which come before these. */
  readonly typesBefore: number;
  readonly stringsBefore: number;
}

export interface Member {
  /** Bytes from the beginning of the struct. */
  readonly offset: number;
  readonly bytes: number;
}

/** What was read is no BTF as it is known here. */
export class KernelTypesError extends Error {
  override name = 'KernelTypesError';
}

const MAGIC = 0xeb9f;
const RECORD_BYTES = 12;
const MEMBER_BYTES = 12;
const POINTER_BYTES = 8;

const INT = 1;
const POINTER = 2;
const ARRAY = 3;
const STRUCT = 4;
const UNION = 5;
const ENUM = 6;
const TYPEDEF = 8;
const VOLATILE = 9;
const CONST = 10;
const RESTRICT = 11;
const FLOAT = 16;
const TYPE_TAG = 18;
const ENUM64 = 19;

/** Bytes behind a type's record: of all, and of each of its members. */
const BEHIND: Readonly<Record<number, readonly [all: number, each: number]>> = {
  [INT]: [4, 0],
  [ARRAY]: [12, 0],
  [STRUCT]: [0, MEMBER_BYTES],
  [UNION]: [0, MEMBER_BYTES],
  [ENUM]: [0, 8],
  // A function's prototype, a variable, a section, and a tag of a declaration.
  13: [0, 8],
  14: [4, 0],
  15: [0, 12],
  17: [4, 0],
  [ENUM64]: [0, 12],
};
const LAST_KIND = ENUM64;

/** @throws KernelTypesError */
export function readKernelTypes(bytes: Uint8Array, base?: KernelTypes): KernelTypes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24 || view.getUint16(0, true) !== MAGIC)
    throw new KernelTypesError('it is no BTF');
  const [headerBytes = 0, typesAt = 0, typeBytes = 0, stringsAt = 0, stringBytes = 0] = [
    4, 8, 12, 16, 20,
  ].map((at) => view.getUint32(at, true));
  const first = headerBytes + typesAt;
  const strings = headerBytes + stringsAt;
  if (first + typeBytes > bytes.length || strings + stringBytes > bytes.length)
    throw new KernelTypesError('it is cut off');
  return {
    view,
    records: findRecords(view, first, first + typeBytes),
    strings,
    stringBytes,
    base,
    // Type 0 is void and has no record.
    typesBefore: base === undefined ? 1 : base.typesBefore + base.records.length,
    stringsBefore: base === undefined ? 0 : base.stringsBefore + base.stringBytes,
  };
}

function findRecords(view: DataView, first: number, end: number): number[] {
  const records: number[] = [];
  let at = first;
  while (at < end) {
    if (at + RECORD_BYTES > end) throw new KernelTypesError('its last type is cut off');
    const kind = kindAt(view, at);
    if (kind === 0 || kind > LAST_KIND)
      throw new KernelTypesError(`it has types of a kind that is not known (${kind})`);
    const [all, each] = BEHIND[kind] ?? [0, 0];
    records.push(at);
    at += RECORD_BYTES + all + each * membersAt(view, at);
  }
  if (at !== end) throw new KernelTypesError('its last type is cut off');
  return records;
}

/**
 * Finds a member of a struct.
 *
 * @param path its name; of a member of a member both, with a point between
 * @returns undefined when there is none, or it is a bit field
 */
export function findMember(types: KernelTypes, struct: string, path: string): Member | undefined {
  const found = findStruct(types, struct);
  return found === undefined ? undefined : memberOf(found.types, found.at, path.split('.'));
}

interface Place {
  readonly types: KernelTypes;
  readonly at: number;
}

function findStruct(types: KernelTypes, name: string): Place | undefined {
  const at = types.records.find(
    (record) => kindAt(types.view, record) === STRUCT && nameAt(types, record) === name,
  );
  if (at !== undefined) return { types, at };
  return types.base === undefined ? undefined : findStruct(types.base, name);
}

function memberOf(
  types: KernelTypes,
  struct: number,
  [name = '', ...rest]: readonly string[],
): Member | undefined {
  const { view } = types;
  const holdsBits = view.getUint32(struct + 4, true) >>> 31 === 1;
  for (let index = 0; index < membersAt(view, struct); index++) {
    const at = struct + RECORD_BYTES + index * MEMBER_BYTES;
    const own = nameAt(types, at);
    if (own !== name && own !== '') continue;
    const word = view.getUint32(at + 8, true);
    const bits = holdsBits ? word & 0xff_ffff : word;
    const isBitField = holdsBits && word >>> 24 !== 0;
    const type = placeOf(types, view.getUint32(at + 4, true));
    if (own === name && rest.length === 0) {
      const bytes = type === undefined ? undefined : bytesOf(type);
      return isBitField || bytes === undefined ? undefined : { offset: bits / 8, bytes };
    }
    // What has no name is a struct or a union whose members are the struct's own.
    const inner = type === undefined ? undefined : strip(type);
    if (inner === undefined || !isCompound(inner)) continue;
    const found = memberOf(inner.types, inner.at, own === name ? rest : [name, ...rest]);
    if (found !== undefined) return { ...found, offset: found.offset + bits / 8 };
  }
  return undefined;
}

function isCompound({ types, at }: Place): boolean {
  const kind = kindAt(types.view, at);
  return kind === STRUCT || kind === UNION;
}

/** Bounds chains of types, which a damaged BTF could make into rings. */
const MAX_DEPTH = 32;

/** What a type is called otherwise. */
function strip(place: Place): Place | undefined {
  let stripped: Place | undefined = place;
  for (let depth = 0; stripped !== undefined && depth < MAX_DEPTH; depth++) {
    const { types, at }: Place = stripped;
    const kind = kindAt(types.view, at);
    if (![TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG].includes(kind)) return stripped;
    stripped = placeOf(types, types.view.getUint32(at + 8, true));
  }
  return undefined;
}

function bytesOf(place: Place, depth = 0): number | undefined {
  const type = strip(place);
  if (type === undefined || depth > MAX_DEPTH) return undefined;
  const { view } = type.types;
  switch (kindAt(view, type.at)) {
    case POINTER:
      return POINTER_BYTES;
    case INT:
    case STRUCT:
    case UNION:
    case ENUM:
    case ENUM64:
    case FLOAT:
      return view.getUint32(type.at + 8, true);
    case ARRAY: {
      const element = placeOf(type.types, view.getUint32(type.at + RECORD_BYTES, true));
      const each = element === undefined ? undefined : bytesOf(element, depth + 1);
      const count = view.getUint32(type.at + RECORD_BYTES + 8, true);
      return each === undefined ? undefined : each * count;
    }
    default:
      return undefined;
  }
}

function placeOf(types: KernelTypes, id: number): Place | undefined {
  if (id < types.typesBefore) return types.base === undefined ? undefined : placeOf(types.base, id);
  const at = types.records[id - types.typesBefore];
  return at === undefined ? undefined : { types, at };
}

function kindAt(view: DataView, record: number): number {
  return (view.getUint32(record + 4, true) >>> 24) & 0x1f;
}

function membersAt(view: DataView, record: number): number {
  return view.getUint32(record + 4, true) & 0xffff;
}

const LONGEST_NAME = 128;

/** The name whose place stands first in a record. */
function nameAt(types: KernelTypes, record: number): string {
  return stringAt(types, types.view.getUint32(record, true));
}

function stringAt(types: KernelTypes, place: number): string {
  const { base, stringsBefore, strings, stringBytes, view } = types;
  if (place < stringsBefore) return base === undefined ? '' : stringAt(base, place);
  let text = '';
  const end = strings + stringBytes;
  for (let at = strings + place - stringsBefore; at < end && text.length < LONGEST_NAME; at++) {
    const byte = view.getUint8(at);
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
