/** Where facts about a host are read from; tests give a folder that looks like one. */
import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { machine } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { childEnvironment } from '../child-environment.js';

export interface HostSources {
  /** Text of a file; undefined when it is not there or may not be read. A name that ends in .gz is unpacked. */
  readText(path: string): string | undefined;
  /** Bytes of a file from a place on, as many as there are; undefined when they may not be read. */
  readBytes(path: string, from: bigint, bytes: number): Uint8Array | undefined;
  /** Names in a folder; none when it is not there or may not be read. */
  list(path: string): readonly string[];
  /** Where a link leads. */
  readLink(path: string): string | undefined;
  /** First bytes that a program prints; undefined when it cannot be run. */
  run(program: string, args: readonly string[]): Promise<string | undefined>;
  readonly user: { readonly uid: number };
  readonly architecture: string;
}

/** This machine, or a folder in its place. */
export function hostSources(root = '/'): HostSources {
  const at = (path: string): string => join(root, path);
  return {
    readText: (path) =>
      unlessUnreadable(() => {
        const bytes = readFileSync(at(path));
        return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
      }),
    readBytes: (path, from, bytes) => unlessUnreadable(() => readPart(at(path), from, bytes)),
    list: (path) => unlessUnreadable(() => readdirSync(at(path))) ?? [],
    readLink: (path) => unlessUnreadable(() => readlinkSync(at(path))),
    run: async (program, args) =>
      new Promise((resolve) => {
        execFile(
          program,
          args,
          { timeout: RUN_MS, maxBuffer: 1 << 20, env: childEnvironment() },
          (error, stdout) => resolve(error === null ? stdout : undefined),
        );
      }),
    user: { uid: process.getuid?.() ?? -1 },
    architecture: machine(),
  };
}

/** A program that only says its version has that long. */
const RUN_MS = 10_000;

function readPart(path: string, from: bigint, bytes: number): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const room = new Uint8Array(bytes);
    let length = 0;
    for (let read = 1; read > 0 && length < bytes; length += read)
      read = readSync(fd, room, length, bytes - length, from + BigInt(length));
    return room.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

function unlessUnreadable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
