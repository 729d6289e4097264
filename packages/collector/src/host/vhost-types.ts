/** The kernel's own description of vhost's structs. */
import type { HostSources } from './host-sources.js';
import { findMember, KernelTypesError, readKernelTypes, type KernelTypes } from './kernel-types.js';

const BTF = '/sys/kernel/btf';

/** @returns the reason, to end a sentence with, where it is not known */
export function readVhostTypes(sources: Pick<HostSources, 'readText'>): KernelTypes | string {
  try {
    const [kernel, vhost] = ['vmlinux', 'vhost'].map((name) => bytesOf(sources, name));
    if (kernel === undefined) return `${BTF}/vmlinux cannot be read`;
    const types = readKernelTypes(kernel);
    return vhost === undefined ? types : readKernelTypes(vhost, types);
  } catch (error) {
    if (error instanceof KernelTypesError) return `${BTF} cannot be understood: ${error.message}`;
    throw error;
  }
}

/**
 * Where in a vhost_virtqueue its three pointers to translations begin that the device IOTLB keeps (desc, avail, used),
 * in bytes; undefined when that is not known. bpftrace 0.17 has no type for an array of pointers.
 */
export function findMetaIotlb(sources: Pick<HostSources, 'readText'>): number | undefined {
  const types = readVhostTypes(sources);
  if (typeof types === 'string') return undefined;
  const member = findMember(types, 'vhost_virtqueue', 'meta_iotlb');
  return member?.bytes === META_IOTLB_BYTES ? member.offset : undefined;
}

const META_IOTLB_BYTES = 24;

function bytesOf(sources: Pick<HostSources, 'readText'>, name: string): Uint8Array | undefined {
  const text = sources.readText(`${BTF}/${name}`);
  return text === undefined ? undefined : Buffer.from(text, 'latin1');
}
