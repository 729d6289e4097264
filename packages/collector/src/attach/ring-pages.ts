/** What the page table holds of a ring's memory, as /proc/PID/pagemap and /proc/kpageflags show it. */
import { closeSync, openSync, readSync } from 'node:fs';
import { PAGE_BYTES } from '@vhostscope/model';

/** State of the pages of an area at one moment. */
export interface AreaPages {
  /** Pages that it touches. */
  readonly wanted: number;
  /** Of those, the ones that are present. */
  readonly present: number;
  /** Whether all are present, and follow each other in physical memory. */
  readonly contiguous: boolean;
  /** Pages that are part of a huge page, transparent or not. */
  readonly huge: number;
}

/** Reads words of 8 bytes of a file from an index on; as many as there are. */
export type WordReader = (path: string, index: number, words: number) => BigUint64Array;

const PAGE = BigInt(PAGE_BYTES);
/** A ring of 32768 entries has 129 pages at most; what is larger is none. */
const MAX_PAGES = 4096;

// Documentation/admin-guide/mm/pagemap.rst
const PRESENT = 1n << 63n;
const FRAME_NUMBER = (1n << 55n) - 1n;
const FLAG_HUGETLB = 1n << 17n;
const FLAG_THP = 1n << 22n;

/**
 * Looks at the pages of an area.
 *
 * @param address of its first byte, in the process
 * @param size bytes
 * @returns undefined when the process is gone, or what is asked for is no area
 */
export function readAreaPages(
  pid: number,
  address: bigint,
  size: bigint,
  readWords: WordReader = readWordsOfFile,
): AreaPages | undefined {
  if (size === 0n) return undefined;
  const first = address / PAGE;
  const wanted = Number((address + size - 1n) / PAGE - first + 1n);
  if (wanted > MAX_PAGES || first > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  let entries: BigUint64Array;
  try {
    entries = readWords(`/proc/${pid}/pagemap`, Number(first), wanted);
  } catch {
    return undefined;
  }
  if (entries.length < wanted) return undefined;
  const frames = [...entries].map((entry) =>
    (entry & PRESENT) === 0n ? undefined : entry & FRAME_NUMBER,
  );
  return {
    wanted,
    present: frames.filter((frame) => frame !== undefined).length,
    contiguous: frames.every(
      (frame, index) => frame !== undefined && frame === (frames[0] ?? 0n) + BigInt(index),
    ),
    huge: frames.filter((frame) => frame !== undefined && isHuge(frame, readWords)).length,
  };
}

function isHuge(frame: bigint, readWords: WordReader): boolean {
  // Without the right to know, all frame numbers are 0.
  if (frame === 0n) return false;
  try {
    const [flags = 0n] = readWords('/proc/kpageflags', Number(frame), 1);
    return (flags & (FLAG_HUGETLB | FLAG_THP)) !== 0n;
  } catch {
    return false;
  }
}

function readWordsOfFile(path: string, index: number, words: number): BigUint64Array {
  const fd = openSync(path, 'r');
  try {
    return readWordsAt(fd, index, words);
  } finally {
    closeSync(fd);
  }
}

/** The same of an open file. */
export function readWordsAt(fd: number, index: number, words: number): BigUint64Array {
  const bytes = new Uint8Array(8 * words);
  const read = readSync(fd, bytes, 0, bytes.length, 8 * index);
  return new BigUint64Array(bytes.buffer, 0, read >> 3);
}
