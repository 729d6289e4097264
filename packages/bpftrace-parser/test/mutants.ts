import * as fc from 'fast-check';
import { JSON_ROWS } from './printers/json.js';
import { TEXT_ROWS } from './printers/text.js';
import { VERSIONS, isSince } from './printers/versions.js';
import { LF, OUTPUTS, bytesOf, readFixture } from './support.js';

/** Random 32-bit integers below a bound; xorshift, so that a seed tells it all. */
export type Random = (bound: number) => number;

/** The numbers of a seed. */
export function createRandom(seed: number): Random {
  let state = seed | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

/** Lines to begin with, without their LF: of every recording, and of every shape of every version. */
export function seedLines(output: 'json' | 'text', seed: number): Uint8Array[] {
  const rows = output === 'json' ? JSON_ROWS : TEXT_ROWS;
  const printed = VERSIONS.flatMap((version) =>
    rows
      .filter(
        ({ since, until }) =>
          isSince(version, since) && (until === undefined || !isSince(version, until)),
      )
      .flatMap((row) => fc.sample(row.printed(version), { numRuns: 4, seed })),
  );
  const files = OUTPUTS.map((name) => readFixture(name)).filter(
    (file) => (file[0] === 0x7b) === (output === 'json'),
  );
  // No Buffer: its slice() would be a view, and the mutations would reach the pool.
  const outputs = printed.map(({ bytes }) => Uint8Array.from(Buffer.from(bytes, 'latin1')));
  return [...outputs, ...files].flatMap(splitLines);
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const lf = bytes.indexOf(LF, at);
    const end = lf < 0 ? bytes.length : lf;
    lines.push(bytes.slice(at, end));
    at = end + 1;
  }
  return lines;
}

type Mutation = (line: Uint8Array, random: Random, lines: readonly Uint8Array[]) => Uint8Array;

/**
 * Damaged lines without end, and every now and then a whole one: mostly in the order of the pool, so
 * that things of several lines are damaged as well. Most lines are damaged in one place.
 */
export function* mutants(
  lines: readonly Uint8Array[],
  random: Random,
): Generator<{ line: Uint8Array; isWhole: boolean }> {
  for (let at = 0; ; at++) {
    if (random(8) === 0) at = random(lines.length);
    let line = lines[at % lines.length];
    const isWhole = random(3) === 0;
    let left = isWhole ? 0 : 1;
    for (; left > 0; left -= random(3) === 0 ? 0 : 1) {
      line = MUTATIONS[random(MUTATIONS.length)](line, random, lines).subarray(0, LONGEST);
    }
    yield { line, isWhole };
  }
}

/** Bounds the work, not what is tried: splices of splices would only grow. */
const LONGEST = 20_000;

/** Bits of records, of blocks of text, and of their quirks, in places where they do not belong. */
const SPLINTERS = [
  '\\uffffffc3',
  '\\uffffff',
  '\\u12',
  '\\ud83d',
  '\\u0001',
  '\\',
  '"',
  '0xffff888012345678',
  'ff',
  '1e5',
  '-',
  'null',
  ', "x": ',
  '"data": {"@x": }',
  '04:41:59.279683',
  '}{',
  '}}}}',
  ']]',
  ',,',
  '{"type": "',
  '{"type": "hist", "data": {"@h": [',
  '"count": ',
  '@k[',
  ']: ',
  '@h: ',
  '[4, 8)   1 |@@|',
  ': WARNING: ',
  'stdin:1:1-5: ERROR: ',
  'Additional Info - helper: x, retcode: -1',
  '~~~~',
  'The verifier log: ',
  'Lost 3 events',
  '\u001b[31m',
  '\u001b[',
  '\r',
  '\n',
  '\n\n',
  '    f+1\n',
].map(bytesOf);

const CONTROLS = [0x00, 0x01, 0x08, 0x0b, 0x0c, 0x0d, 0x1b, 0x7f];
const NOT_UTF8 = [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xfe]];

const MUTATIONS: readonly Mutation[] = [
  // A bit flips.
  (line, random) => {
    const bytes = line.slice();
    if (bytes.length > 0) bytes[random(bytes.length)] ^= 1 << random(8);
    return bytes;
  },
  // Bytes are lost, in the middle or from somewhere on.
  (line, random) => replace(line, random(line.length + 1), random(6), new Uint8Array(0)),
  (line, random) => line.slice(0, random(line.length + 1)),
  // Two lines become one.
  (line, random, lines) => {
    const other = lines[random(lines.length)];
    return join(line.slice(0, random(line.length + 1)), other.slice(random(other.length + 1)));
  },
  // A part comes twice or thousands of times: fields, buckets, elements, brackets.
  (line, random) => {
    const from = cutAt(line, random);
    const part = line.slice(from, from + 1 + random(60));
    const times = random(20) === 0 ? 1 + random(300) : 1;
    return replace(line, from, 0, join(...Array.from({ length: times }, () => part)));
  },
  // A number is huge.
  (line, random) => {
    const at = line.findIndex((byte, i) => i >= random(line.length + 1) && isDigit(byte));
    const digits = random(10) === 0 ? 1 + random(5000) : 1 + random(45);
    const number = Uint8Array.from({ length: digits }, () => 0x30 + random(10));
    return replace(line, at < 0 ? random(line.length + 1) : at, 1, number);
  },
  // Containers within containers, closed or not.
  (line, random) => {
    const depth = random(8) === 0 ? 1 + random(3000) : 1 + random(80);
    const [open, close] = random(2) === 0 ? ['[', ']'] : ['{"a":', '}'];
    const nest = open.repeat(depth) + (random(2) === 0 ? `1${close.repeat(depth)}` : '');
    return replace(line, cutAt(line, random), random(2), bytesOf(nest));
  },
  // A string does not end, or ends too early.
  (line, random) => {
    const quotes = [...line.keys()].filter((i) => line[i] === 0x22);
    if (quotes.length === 0) return replace(line, random(line.length + 1), 0, bytesOf('"'));
    return replace(line, quotes[random(quotes.length)], 1, bytesOf(random(2) === 0 ? '' : '""'));
  },
  (line, random) => insert(line, random, SPLINTERS[random(SPLINTERS.length)]),
  (line, random) => insert(line, random, Uint8Array.of(CONTROLS[random(CONTROLS.length)])),
  (line, random) => insert(line, random, Uint8Array.from(NOT_UTF8[random(NOT_UTF8.length)])),
];

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** An index behind a comma, a blank or a bracket, where there is one. */
function cutAt(line: Uint8Array, random: Random): number {
  const from = random(line.length + 1);
  const at = line.findIndex((byte, i) => i >= from && bytesOf(', [{:').includes(byte));
  return at < 0 ? from : at + 1;
}

function insert(line: Uint8Array, random: Random, bytes: Uint8Array): Uint8Array {
  return replace(line, random(2) === 0 ? random(line.length + 1) : cutAt(line, random), 0, bytes);
}

function replace(line: Uint8Array, at: number, length: number, by: Uint8Array): Uint8Array {
  return join(line.subarray(0, at), by, line.subarray(at + length));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
