/** Settings of the memory manager that make it change the pages of rings. */
import type { HostSources } from './host-sources.js';

export interface MemoryFacts {
  /** Transparent huge pages: always, madvise or never. */
  readonly thp: string | undefined;
  /** Whether khugepaged merges pages by itself. */
  readonly khugepagedDefrag: boolean | undefined;
  /** Whether ksmd runs. */
  readonly ksm: boolean | undefined;
  /** Whether NUMA balancing makes pages inaccessible to see who uses them. */
  readonly numaBalancing: boolean | undefined;
  /** NUMA nodes with memory. */
  readonly numaNodes: number;
  /** Bytes of swap space. */
  readonly swapBytes: number | undefined;
}

export function readMemoryFacts(sources: HostSources): MemoryFacts {
  const thp = '/sys/kernel/mm/transparent_hugepage';
  const swap = /^SwapTotal:\s+(\d+) kB$/m.exec(sources.readText('/proc/meminfo') ?? '')?.[1];
  return {
    thp: /\[(\w+)\]/.exec(sources.readText(`${thp}/enabled`) ?? '')?.[1],
    khugepagedDefrag: isOn(sources.readText(`${thp}/khugepaged/defrag`)),
    ksm: isOn(sources.readText('/sys/kernel/mm/ksm/run')),
    numaBalancing: isOn(sources.readText('/proc/sys/kernel/numa_balancing')),
    numaNodes: sources.list('/sys/devices/system/node').filter((name) => /^node\d+$/.test(name))
      .length,
    swapBytes: swap === undefined ? undefined : 1024 * Number(swap),
  };
}

function isOn(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text.trim() !== '0';
}
