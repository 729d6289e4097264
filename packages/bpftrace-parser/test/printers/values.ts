import * as fc from 'fast-check';
import type { Value } from '../../src/index.js';
import { type Version, isSince } from './versions.js';

/**
 * The values inside `data` as the versions of bpftrace print them, after §3.3, §3.4 of the
 * reference: written from it alone, and from nothing of the parser.
 */
export type Said =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'pointer'; readonly value: bigint }
  | { readonly kind: 'string'; readonly bytes: Uint8Array }
  | { readonly kind: 'buffer'; readonly bytes: Uint8Array }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'tuple'; readonly of: readonly Said[] }
  | { readonly kind: 'array'; readonly of: readonly bigint[] }
  | { readonly kind: 'struct'; readonly of: readonly (readonly [string, Said])[] }
  /** What was printed without quotes before the release `quotedSince`. */
  | { readonly kind: 'bare'; readonly text: string; readonly quotedSince: string };

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** What a string of bytes reads as. */
export const decode = (bytes: Uint8Array): string => decoder.decode(bytes);

/** A string in quotes. From 0.17 on a signed char makes eight digits of a high byte, on x86. */
export function quote(version: Version, bytes: Uint8Array): string {
  const escaped = Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    const short = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
    if (short !== undefined) return short;
    if (byte < 0x20) return `\\u00${byte.toString(16).padStart(2, '0')}`;
    return byte >= 0x80 && isSince(version, '0.17') ? `\\uffffff${byte.toString(16)}` : char;
  });
  return `"${escaped.join('')}"`;
}

/** The same of printable ASCII. */
export function quoteText(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** 0.24 and later keep to what a double holds: other integers are printed as strings. */
export function printInteger(version: Version, value: bigint): string {
  const fits = BigInt(Number(value)) === value;
  return isSince(version, '0.24') && !fits ? `"${value}"` : String(value);
}

/** Prints a value. */
export function printValue(version: Version, said: Said): string {
  switch (said.kind) {
    case 'integer':
      return printInteger(version, said.value);
    case 'pointer':
      return isSince(version, '0.22')
        ? printInteger(version, said.value)
        : `0x${said.value.toString(16)}`;
    case 'string':
      return quote(version, said.bytes);
    case 'buffer':
      if (isSince(version, '0.24')) return `[${new Int8Array(said.bytes).join(',')}]`;
      return `"${Array.from(said.bytes, (byte) => bufferByte(byte, '\\\\x')).join('')}"`;
    case 'bool':
      return String(said.value);
    case 'unsupported':
      if (isSince(version, '0.24')) return 'null';
      return isSince(version, '0.23') ? '""' : '';
    case 'tuple':
      return `[${said.of.map((element) => printValue(version, element)).join(',')}]`;
    case 'array':
      return `[${said.of.map((element) => printInteger(version, element)).join(',')}]`;
    case 'struct': {
      const members = said.of.map(([name, value]) => `"${name}": ${printValue(version, value)}`);
      return isSince(version, '0.24') ? `{${members.join(', ')}}` : `{ ${members.join(', ')} }`;
    }
    case 'bare':
      return isSince(version, said.quotedSince) ? quoteText(said.text) : said.text;
  }
}

/** A byte of a buf(): letters and digits as they are, others escaped once more by JSON. */
function bufferByte(byte: number, escape: string): string {
  const char = String.fromCharCode(byte);
  return /[a-zA-Z0-9]/.test(char) ? char : `${escape}${byte.toString(16).padStart(2, '0')}`;
}

/** What the parser promises to make of a value. */
export function valueOf(version: Version, said: Said): Value {
  switch (said.kind) {
    case 'integer':
    case 'pointer':
      return integerOf(version, said);
    case 'string':
      return decode(said.bytes);
    case 'buffer':
      if (isSince(version, '0.24')) return [...new Int8Array(said.bytes)];
      return Array.from(said.bytes, (byte) => bufferByte(byte, '\\x')).join('');
    case 'bool':
      return said.value;
    case 'unsupported':
      return isSince(version, '0.23') && !isSince(version, '0.24') ? '' : null;
    case 'tuple':
      return said.of.map((element) => valueOf(version, element));
    case 'array':
      return said.of.map((value) => integerOf(version, { kind: 'integer', value }));
    case 'struct':
      return new Map(said.of.map(([name, value]) => [name, valueOf(version, value)]));
    case 'bare':
      return said.text;
  }
}

/** Exact; a string of digits from 0.24 on could be one that the program printed, and stays. */
function integerOf(
  version: Version,
  said: { readonly kind: 'integer' | 'pointer'; readonly value: bigint },
): Value {
  const { kind, value } = said;
  const magnitude = value < 0n ? -value : value;
  if (magnitude <= 9007199254740991n) return Number(value);
  const isText = isSince(version, '0.24') && BigInt(Number(value)) !== value;
  const isHex = kind === 'pointer' && !isSince(version, '0.22');
  return isText && !isHex ? String(value) : value;
}

const int64 = fc.oneof(
  fc.integer({ min: -300, max: 300 }).map(BigInt),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)),
);

/** A string of a BPF program: any bytes but NUL, which ends it there. */
export const strings = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0x20, max: 0x7f }) },
      { weight: 1, arbitrary: fc.constantFrom(0x22, 0x5c, 0x0a, 0x09, 0x0d, 0x7b, 0x7d, 0x5d) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 0xff }) },
    ),
    { maxLength: 24 },
  )
  .map((bytes) => Uint8Array.from(bytes));

/** A string that needs no `\u` escape: what follows one is a matter of its own from 0.24 on. */
export const plainStrings = strings.map((bytes) =>
  bytes.filter((byte) => (byte >= 0x20 && byte < 0x80) || byte === 0x0a),
);

const ksyms = fc
  .array(fc.constantFrom('vfs_read+1', '__x64_sys_read+25', '0x7ffc84122898', 'a.b[c]+0'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((frames) => new TextEncoder().encode(`\n${frames.map((f) => `        ${f}\n`).join('')}`));

const two = (value: number): string => String(value).padStart(2, '0');
const clock = fc
  .tuple(fc.nat({ max: 23 }), fc.nat({ max: 59 }), fc.nat({ max: 60 }), fc.nat({ max: 999_999 }))
  .chain(([h, m, s, us]) => {
    const micros = String(us).padStart(6, '0');
    const time = `${two(h)}:${two(m)}:${two(s)}`;
    return fc.constantFrom(time, `${time}.${micros}`, `2026-11-27 ${time}`, `${two(s)}.${micros}`);
  });
const macs = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((mac) => Array.from(mac, (byte) => byte.toString(16).padStart(2, '0').toUpperCase()))
  .map((digits) => digits.join(':'));
const errors = fc.constantFrom('Success', 'Bad address', 'No such file or directory');
const cgroups = fc.constantFrom('unified:/', '/sys/fs/cgroup/a b', 'unified:/x.slice/a[1].scope');
/** Commas and braces, which only a member of an object can have unquoted. */
const awkward = fc.constantFrom('Fri, 27 Nov 2026', '27, Nov', 'unified:/a}b', 'unified:/a, b/{}}');

const bareWithin = (inArray: boolean): fc.Arbitrary<Said> =>
  fc
    .oneof(
      fc.record({ text: clock, quotedSince: fc.constant('0.22') }),
      fc.record({ text: macs, quotedSince: fc.constant('0.24') }),
      fc.record({ text: errors, quotedSince: fc.constant('0.20') }),
      fc.record({
        text: inArray ? cgroups : fc.oneof(cgroups, awkward),
        quotedSince: fc.constant('0.20'),
      }),
    )
    .map((bare) => ({ kind: 'bare', ...bare }));

/** The strings of a version that a program may print, see {@link plainStrings}. */
export function stringsOf(version: Version): fc.Arbitrary<Uint8Array> {
  return isSince(version, '0.24') ? plainStrings : strings;
}

const integers = int64.map((value): Said => ({ kind: 'integer', value }));
const small = fc.integer({ min: -9, max: 9 }).map((value) => BigInt(value));

function leaves(version: Version, inArray: boolean): fc.Arbitrary<Said> {
  const text = stringsOf(version);
  const kinds: fc.Arbitrary<Said>[] = [
    integers,
    fc.oneof(text, ksyms).map((bytes) => ({ kind: 'string', bytes })),
    bareWithin(inArray),
  ];
  if (isSince(version, '0.11')) kinds.push(text.map((bytes) => ({ kind: 'buffer', bytes })));
  if (isSince(version, '0.12')) kinds.push(fc.constant({ kind: 'unsupported' }));
  if (isSince(version, '0.18')) kinds.push(fc.bigInt(0n, 2n ** 64n - 1n).map(pointer));
  if (isSince(version, '0.24')) kinds.push(fc.boolean().map((value) => ({ kind: 'bool', value })));
  return fc.oneof(...kinds);
}

const pointer = (value: bigint): Said => ({ kind: 'pointer', value });

const fieldNames = fc.uniqueArray(fc.constantFrom('a', 'n', 'in', 'arr', 'count', '__pad'), {
  minLength: 1,
});

function structs(version: Version): fc.Arbitrary<Said> {
  const member = fc.oneof(
    integers,
    stringsOf(version).map((bytes): Said => ({ kind: 'string', bytes })),
    fc.array(small, { maxLength: 3 }).map((of): Said => ({ kind: 'array', of })),
    fc.record({ kind: fc.constant('struct' as const), of: fc.constant([['z', zero]] as const) }),
  );
  return fieldNames.chain((names) =>
    fc
      .tuple(...names.map((name) => member.map((value) => [name, value] as const)))
      .map((of) => ({ kind: 'struct', of })),
  );
}

const zero: Said = { kind: 'integer', value: 0n };

/** The values that a version can print; a struct where the shape of it cannot be mistaken. */
export function values(version: Version, place: 'value' | 'element' | 'map'): fc.Arbitrary<Said> {
  const kinds = [leaves(version, false)];
  if (isSince(version, '0.11')) {
    const element = leaves(version, true);
    const inner = fc.array(element, { minLength: 2, maxLength: 3 }).map(tuple);
    kinds.push(fc.array(fc.oneof(element, inner), { minLength: 2, maxLength: 4 }).map(tuple));
  }
  const isAmbiguous = place === 'map' && isSince(version, '0.24');
  if (isSince(version, '0.12') && !isAmbiguous) kinds.push(structs(version));
  return fc.oneof(...kinds);
}

const tuple = (of: readonly Said[]): Said => ({ kind: 'tuple', of });
