/**
 * How a plan sees what the memory manager does to the memory of a device's owner. It asks nothing of vhost, so
 * it is known before vhost is loaded.
 */
import type { KernelFacts } from '../host/kernel-facts.js';
import type { PlannedView } from './probe-plan.js';

export interface PlannedMemory {
  readonly coreRanges: { readonly start: string; readonly end: string } | undefined;
  /** Flushes the TLB of a range of an address space, on x86. */
  readonly flush: string | undefined;
  /** Ends an address space, when no device uses it any more. */
  readonly endOfMemory: string | undefined;
  /** Member of struct mm_struct that is not 0 where an address space has notifiers. */
  readonly notifierField: string | undefined;
}

// Of their arguments only the first is read, the range: the end's other one (only_end) went between 6.1 and 6.12.
const START = '__mmu_notifier_invalidate_range_start';
const END = '__mmu_notifier_invalidate_range_end';
const END_OF_MEMORY = 'exit_mmap';
const FLUSH = 'flush_tlb_mm_range';

export const MEMORY_FUNCTIONS: readonly string[] = [START, END, END_OF_MEMORY, FLUSH];

export function planMemory(
  has: (name: string) => boolean,
  { architecture, release }: KernelFacts,
): PlannedMemory {
  const found = (name: string): string | undefined => (has(name) ? name : undefined);
  return {
    coreRanges: has(START) && has(END) ? { start: START, end: END } : undefined,
    endOfMemory: found(END_OF_MEMORY),
    flush: architecture === 'x86_64' ? found(FLUSH) : undefined,
    notifierField: notifierField(release),
  };
}

/** It was renamed for Linux 5.6; of that one it is not asked, as its release candidates have either. */
function notifierField(release: string): string | undefined {
  const [, major = 0, minor = 0] = /^(\d+)\.(\d+)/.exec(release)?.map(Number) ?? [];
  if (major === 0) return undefined;
  if (major < 5 || (major === 5 && minor < 6)) return 'mmu_notifier_mm';
  return major === 5 && minor === 6 ? undefined : 'notifier_subscriptions';
}

export function memoryViews({
  coreRanges,
  flush: found,
  notifierField: field,
}: PlannedMemory): PlannedView[] {
  const flush = field === undefined ? undefined : found;
  return [
    coreRanges === undefined
      ? {
          what: 'invalidations',
          certainty: 'invisible',
          by: [],
          note: 'the calls of the notifiers cannot be probed',
        }
      : {
          what: 'invalidations',
          certainty: 'exact',
          by: [coreRanges.start, coreRanges.end],
          note: 'of address spaces that have a notifier, as every process with a KVM VM does; of others they are invisible. Each virtqueue tells whether its process has one',
        },
    ...(coreRanges === undefined
      ? []
      : [
          {
            what: 'who invalidates',
            certainty: 'by rule' as const,
            by: [coreRanges.start],
            note: 'a class, such as ksm or compaction, from the names of the functions on the kernel stack; the process, when the range was its own',
          },
        ]),
    {
      what: 'changes where no notifier listens',
      certainty: flush === undefined ? 'invisible' : 'estimated',
      by: flush === undefined ? [] : [flush],
      note:
        flush === undefined
          ? 'nothing tells when the pages of such an address space change'
          : 'when the TLB is flushed: the range is as wide as the change or wider, and the change was a little earlier. Reclaim may flush the pages of many at once, and that is not told',
    },
  ];
}
