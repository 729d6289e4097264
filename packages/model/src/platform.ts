/** The machine that a design runs on, and what of the design is left there (reference §6). */
import type { Architecture } from './architectures.js';
import { mechanismOf, type Design } from './designs.js';

/** Kinds of memory that a ring may lie in. */
export const RING_MEMORY = ['anonymous', 'hugetlb', 'shmem', 'file'] as const;
export type RingMemory = (typeof RING_MEMORY)[number];

/** What is not known is absent, and switches nothing off. */
export interface Platform {
  readonly architecture?: Architecture | undefined;
  /** Rings lie in high memory, which a 32-bit kernel does not map. */
  readonly highmem?: boolean | undefined;
  /** VIRTIO_F_ACCESS_PLATFORM: the device IOTLB is on. */
  readonly deviceIotlb?: boolean | undefined;
  readonly ringMemory?: RingMemory | undefined;
}

/**
 * A design as it is on a platform: the same, or without what it cannot tell there, or switched off with the
 * reason why, so that every access falls back, or goes through the device IOTLB as it would without a design.
 */
export function onPlatform(design: Design, platform: Platform): Design {
  if (platform.deviceIotlb === true) return throughDeviceIotlb(design);
  const switchedOff = reasonOff(design, platform);
  if (switchedOff !== undefined) return { ...design, callbackRules: 'none', switchedOff };
  if (!design.filtersMemory || platform.ringMemory === undefined) return design;
  return { ...design, filtersMemory: false };
}

function throughDeviceIotlb(design: Design): Design {
  const why = 'the device IOTLB is on, and every access goes through it';
  const switchedOff = design.maps === 'never' ? undefined : why;
  return { ...design, callbackRules: 'none', usesDeviceIotlb: true, switchedOff };
}

function reasonOff(design: Design, platform: Platform): string | undefined {
  if (design.maps === 'never') return undefined;
  const { architecture, highmem, ringMemory } = platform;
  if (design.needsPlainCaches && architecture?.implementsFlushDcachePage === true)
    return `${architecture.name} implements flush_dcache_page, for which the design is not compiled`;
  if (highmem === true && design.needsContiguousPages && mechanismOf(design) !== 'fixed')
    return 'rings lie in high memory, which the direct map does not hold';
  if (design.filtersMemory && ringMemory === 'file')
    return 'rings lie in a file, and the design maps only anonymous memory, hugetlb and shmem';
  return undefined;
}
