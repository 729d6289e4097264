/**
 * The kernel's types and those of a module as one BTF (Documentation/bpf/btf.rst). bpftrace asks the kernel for those
 * of modules, which takes CAP_SYS_ADMIN (BPF_BTF_GET_FD_BY_ID); the files in /sys/kernel/btf anybody may read.
 */
import { KernelTypesError } from './kernel-types.js';

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;

/** A module's types go on with the numbers of the kernel's types, and with the places of its strings. */
export function wholeTypes(kernel: Uint8Array, module: Uint8Array): Buffer {
  const [ours, added] = [partsOf(kernel), partsOf(module)];
  const typeBytes = ours.types.length + added.types.length;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16LE(MAGIC, 0);
  header.writeUInt8(VERSION, 2);
  // Types come right behind the header, and strings behind the types.
  for (const [at, value] of [
    HEADER_BYTES,
    0,
    typeBytes,
    typeBytes,
    ours.strings.length + added.strings.length,
  ].entries())
    header.writeUInt32LE(value, 4 + 4 * at);
  return Buffer.concat([header, ours.types, added.types, ours.strings, added.strings]);
}

const VERSION = 1;

interface Parts {
  readonly types: Uint8Array;
  readonly strings: Uint8Array;
}

/** @throws KernelTypesError */
function partsOf(bytes: Uint8Array): Parts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint16(0, true) !== MAGIC)
    throw new KernelTypesError('it is no BTF');
  const [header = 0, typesAt = 0, typeBytes = 0, stringsAt = 0, stringBytes = 0] = [
    4, 8, 12, 16, 20,
  ].map((at) => view.getUint32(at, true));
  const part = (from: number, length: number): Uint8Array => {
    if (header + from + length > bytes.length) throw new KernelTypesError('it is cut off');
    return bytes.subarray(header + from, header + from + length);
  };
  return { types: part(typesAt, typeBytes), strings: part(stringsAt, stringBytes) };
}
