/** Code of the running kernel, as /proc/kcore shows it: an ELF core file of its memory. */
import type { HostSources } from './host-sources.js';

const KCORE = '/proc/kcore';

const ELF_HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const MOST_SEGMENTS = 4096;
const LOAD = 1;

/** @returns undefined where it cannot be read */
export function readKernelCode(
  sources: Pick<HostSources, 'readBytes'>,
  address: bigint,
  bytes: number,
): Uint8Array | undefined {
  const header = sources.readBytes(KCORE, 0n, ELF_HEADER_BYTES);
  if (header === undefined || header.length < ELF_HEADER_BYTES || !isElf64(header))
    return undefined;
  const view = viewOf(header);
  const count = Math.min(MOST_SEGMENTS, view.getUint16(56, true));
  const table = sources.readBytes(KCORE, view.getBigUint64(32, true), count * SEGMENT_BYTES);
  if (table === undefined) return undefined;
  const segments = viewOf(table);
  for (let at = 0; at + SEGMENT_BYTES <= table.length; at += SEGMENT_BYTES) {
    const [offset, first, , length] = [8, 16, 24, 32].map((field) =>
      segments.getBigUint64(at + field, true),
    );
    const isThere = address >= first && address + BigInt(bytes) <= first + length;
    if (segments.getUint32(at, true) !== LOAD || !isThere) continue;
    const code = sources.readBytes(KCORE, offset + address - first, bytes);
    return code?.length === bytes ? code : undefined;
  }
  return undefined;
}

function isElf64(header: Uint8Array): boolean {
  // 0x7f, "ELF", 64 bits, little endian.
  return [0x7f, 0x45, 0x4c, 0x46, 2, 1].every((byte, at) => header[at] === byte);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const CALL = 0xe8;
const JUMP = 0xe9;
/** What the first byte of such an instruction is while it is probed, by another recorder: only that one changes. */
const BREAKPOINT = 0xcc;
const TRANSFER_BYTES = 5;

/**
 * Finds where code of x86-64 calls a function, or leaves for it by a jump, which is how a compiler ends a function
 * with a call. Four bytes that lead from here to there are hardly ever anything else, and where they are, the
 * kernel refuses a probe: it is within an instruction.
 *
 * @param address of the first byte
 * @returns places of the instructions, in bytes from the first
 */
export function findTransfers(code: Uint8Array, address: bigint, target: bigint): number[] {
  const view = viewOf(code);
  const found: number[] = [];
  for (let at = 0; at + TRANSFER_BYTES <= code.length; at++) {
    if (code[at] !== CALL && code[at] !== JUMP && code[at] !== BREAKPOINT) continue;
    const next = address + BigInt(at + TRANSFER_BYTES);
    if (next + BigInt(view.getInt32(at + 1, true)) === target) found.push(at);
  }
  return found;
}
