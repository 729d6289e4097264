/** A file system whose writes go wrong as told: for `vi.mock('node:fs')`. */
import type * as FileSystem from 'node:fs';

/** What becomes of one write. */
export interface Fault {
  /** So many of its bytes are taken. */
  readonly takes: number;
  /** And then it is refused; none were taken then. */
  readonly code?: string;
}

interface Writes {
  /** Writes so far. */
  calls: number;
  /** Asked at each write of so many bytes, which are counted from 1; undefined: nothing is wrong with it. */
  fault: (call: number, bytes: number) => Fault | undefined;
  /** How long a write takes that nobody waits for, ms. */
  delayMs: number;
}

export const writes: Writes = { calls: 0, fault: () => undefined, delayMs: 0 };

/** The module, with writes that go by `writes`. */
export function withFaultyWrites(real: typeof FileSystem): typeof FileSystem {
  const attempt = (fd: number, bytes: Uint8Array, position: number | null): number => {
    const fault = writes.fault(++writes.calls, bytes.length);
    if (fault?.code !== undefined) throw systemError(fault.code);
    const takes = fault?.takes ?? bytes.length;
    for (let done = 0; done < takes;)
      done += real.writeSync(
        fd,
        bytes,
        done,
        takes - done,
        position === null ? null : position + done,
      );
    return takes;
  };
  const writeSync = (
    fd: number,
    bytes: Uint8Array,
    offset = 0,
    length = bytes.length - offset,
    position: number | null = null,
  ): number => attempt(fd, bytes.subarray(offset, offset + length), position);
  const writevSync = (fd: number, parts: readonly Uint8Array[], position?: number): number =>
    attempt(fd, Buffer.concat(parts), position ?? null);
  const writev = (
    fd: number,
    parts: readonly Uint8Array[],
    position: number | null,
    done: (error: Error | null, written: number) => void,
  ): void => {
    setTimeout(() => {
      let written = 0;
      let error: Error | null = null;
      try {
        written = attempt(fd, Buffer.concat(parts), position);
      } catch (thrown) {
        error = thrown as Error;
      }
      done(error, written);
    }, writes.delayMs);
  };
  const faulty = { ...real, writeSync, writevSync, writev };
  return { ...faulty, default: faulty } as unknown as typeof FileSystem;
}

/** As Node throws what a write refuses. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it was told to, write`), { code, syscall: 'write' });
}
