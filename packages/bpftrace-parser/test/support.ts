import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createParser } from '../src/index.js';
import type { Message, ParserCounts, ParserOptions } from '../src/index.js';

export const LF = 0x0a;

/** Directory of the fixtures. */
export const FIXTURES: string = fileURLToPath(new URL('fixtures/', import.meta.url));

/** Names of the recorded outputs. */
export const OUTPUTS: readonly string[] = readdirSync(FIXTURES)
  .filter((name) => /\.(?:stdout|stderr|txt)$/.test(name))
  .toSorted();

export function readFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(`${FIXTURES}${name}`));
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export interface Run {
  readonly messages: readonly Message[];
  readonly counts: ParserCounts;
}

/** Pushes the chunks and ends the input. */
export function run(
  chunks: Iterable<Uint8Array>,
  options: Omit<ParserOptions, 'onMessage'> = {},
): Run {
  const messages: Message[] = [];
  const parser = createParser({ ...options, onMessage: (message) => messages.push(message) });
  for (const chunk of chunks) parser.push(chunk);
  parser.end();
  return { messages, counts: parser.counts };
}

/** One message per line, bigints and structs made visible. */
export function dump(messages: readonly Message[]): string {
  return messages.map((message) => `${JSON.stringify(message, visible)}\n`).join('');
}

function visible(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return value instanceof Map ? { $struct: [...value] } : value;
}

/** How bpftrace 0.17 escapes the bytes of a string on x86-64. */
export function escape017(bytes: Uint8Array): string {
  let escaped = '';
  for (const byte of bytes) {
    if (byte === 0x22) escaped += '\\"';
    else if (byte === 0x5c) escaped += '\\\\';
    else if (byte === 0x0a) escaped += '\\n';
    else if (byte === 0x0d) escaped += '\\r';
    else if (byte === 0x09) escaped += '\\t';
    else if (byte < 0x20) escaped += `\\u${byte.toString(16).padStart(4, '0')}`;
    else if (byte >= 0x80) escaped += `\\uffffff${byte.toString(16)}`;
    else escaped += String.fromCharCode(byte);
  }
  return escaped;
}

/** A printf record as bpftrace 0.17 prints it. */
export function printfRecord(payload: Uint8Array): string {
  return `{"type": "printf", "data": "${escape017(payload)}"}\n`;
}
