/** Whatever goes wrong at whichever write of a spool, or where its next file is opened: what was whole is there, and how it ended. */
import type * as FileSystem from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { endOfStream, OutputError } from '@vhostscope/trace';
import { spooledTrace } from '../test/spooled-trace.js';
import { createSpoolBudget } from './spool-budget.js';
import { makeRunFolder, writeRunNote } from './spool-folder.js';
import { createSpoolWriter } from './spool-writer.js';
import { openLeftRun } from './spooled-run.js';

/** Calls that write a spool's pieces or open a file for them, from 1; what the call named is refused with. */
const calls = vi.hoisted(() => ({
  count: 0,
  /** Bytes that are taken before; undefined: all is well. */
  fault: (_call: number): { takesHalf: boolean; code: string | undefined } | undefined => undefined,
}));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof FileSystem>();
  const refuse = (code: string, syscall: string): Error =>
    Object.assign(new Error(`${code}: it was told to`), { code, syscall });
  const openSync: typeof real.openSync = (path, flags, mode) => {
    if (flags === 'wx' && String(path).endsWith('.pieces')) {
      const fault = calls.fault(++calls.count);
      if (fault?.code !== undefined) throw refuse(fault.code, 'open');
    }
    return real.openSync(path, flags, mode);
  };
  const attempt = (fd: number, bytes: Uint8Array, position: number | null): number => {
    const fault = calls.fault(++calls.count);
    if (fault?.code !== undefined) throw refuse(fault.code, 'write');
    const length = fault?.takesHalf === true ? bytes.length >> 1 : bytes.length;
    return length === 0 ? 0 : real.writeSync(fd, bytes, 0, length, position);
  };
  const writeSync = (
    fd: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): number => attempt(fd, bytes.subarray(offset, offset + length), position);
  const writev = (
    fd: number,
    parts: readonly Uint8Array[],
    position: number,
    done: (error: unknown, written: number) => void,
  ): void => {
    setImmediate(() => {
      let written: number;
      try {
        written = attempt(fd, Buffer.concat(parts), position);
      } catch (error) {
        return done(error, 0);
      }
      done(null, written);
    });
  };
  const faulty = { ...real, openSync, writeSync, writev };
  return { ...faulty, default: faulty };
});

const NAME = { host: 'host', run: 'run' };
let spool: string;
beforeEach(() => {
  spool = mkdtempSync(join(tmpdir(), 'vhostscope-spool-'));
});
afterEach(() => {
  calls.fault = () => undefined;
  rmSync(spool, { recursive: true, force: true });
});

const BLOCKS = Array.from({ length: 12 }, (_, at) => new Uint8Array(30_000).fill(at + 1));
const END = [new Uint8Array(5000).fill(99), endOfStream()];

/** Records as `collector attach` does. @returns what was refused, and what is to be there */
async function record(): Promise<{
  errors: Error[];
  whole: Uint8Array[];
  isEnded: boolean;
  folder: string;
}> {
  calls.count = 0;
  const { folder, ownership } = makeRunFolder(spool, NAME);
  const budget = createSpoolBudget(spool, folder, 2 ** 30, 1000);
  const errors: Error[] = [];
  const whole: Uint8Array[] = [];
  let isEnded = false;
  try {
    const writer = createSpoolWriter({
      folder,
      name: NAME,
      budget,
      segmentBytes: 100_000,
      reserveBytes: 1000,
    });
    writeRunNote(folder, { ...NAME, server: 'nats://h:4222' });
    const append = async (all: readonly Uint8Array[]): Promise<void> => {
      for (const bytes of all) {
        writer.output.append([bytes], bytes.length, { onWritten: () => whole.push(bytes) });
        await writer.output.settle();
      }
    };
    try {
      await append([...BLOCKS, ...END]);
    } catch (error) {
      errors.push(error as Error);
      await writer.output.abandon();
      writer.output.cutBack(0);
      await append(END.slice(Math.max(0, whole.length - BLOCKS.length))).catch((again: Error) =>
        errors.push(again),
      );
    }
    try {
      writer.end();
      isEnded = true;
    } catch (error) {
      errors.push(error as Error);
    }
    writer.close();
  } catch (error) {
    errors.push(error as Error);
  }
  ownership.release();
  return { errors, whole, isEnded, folder };
}

/** What is sent of it later. */
function leftOf(folder: string): { bytes: Buffer; end: string | undefined } | string {
  const left = openLeftRun(folder);
  if (typeof left === 'string') return left;
  const { bytes, end } = spooledTrace(left);
  left.close();
  return { bytes, end };
}

const refused = (code: string): { takesHalf: boolean; code: string } => ({
  takesHalf: false,
  code,
});
const HALF = { takesHalf: true, code: undefined };

test.each<[string, (at: number) => typeof calls.fault]>([
  ['EIO once', (at) => (call) => (call === at ? refused('EIO') : undefined)],
  ['EMFILE once', (at) => (call) => (call === at ? refused('EMFILE') : undefined)],
  ['ENOSPC from then on', (at) => (call) => (call >= at ? refused('ENOSPC') : undefined)],
  [
    'half of it, then ENOSPC once',
    (at) => (call) => (call === at ? HALF : call === at + 1 ? refused('ENOSPC') : undefined),
  ],
])('%s, at any call', async (name, faultAt) => {
  const all = await record();
  expect(all.errors).toEqual([]);
  expect(leftOf(all.folder)).toEqual({ bytes: Buffer.concat(all.whole), end: 'closed' });
  const howMany = calls.count;
  expect(howMany).toBeGreaterThan(16);
  for (let at = 1; at <= howMany; at++) {
    rmSync(all.folder, { recursive: true, force: true });
    calls.fault = faultAt(at);
    const { errors, whole, isEnded, folder } = await record();
    calls.fault = () => undefined;
    // A file that is opened takes no bytes, of which half could be taken.
    if (errors.length === 0) expect(name).toContain('half');
    for (const error of errors) {
      expect(error).toBeInstanceOf(OutputError);
      expect(error.message).toMatch(
        /^cannot write the spool .*: (input\/output error|too many open files|no space left on the device)$/,
      );
    }
    const left = leftOf(folder);
    if (typeof left === 'string') expect(at).toBe(1);
    else {
      expect(left.bytes.equals(Buffer.concat(whole))).toBe(true);
      // Without the last piece nobody says that its writer closed it.
      const isClosed = isEnded && whole.at(-1) === END[1];
      expect(left.end).toBe(isClosed ? 'closed' : 'cut');
    }
  }
});
