/** enum mmu_notifier_event of Linux 6.1: the causes that something follows from (reference §5.3). */
export const UNMAP = 0;
export const CLEAR = 1;
/** mprotect and NUMA balancing. */
export const PROTECTION_VMA = 2;
/** fork and page_mkclean. */
export const PROTECTION_PAGE = 3;
/** clear_refs. */
export const SOFT_DIRTY = 4;
export const MIGRATE = 6;

const HUGE_PAGE = 0x20_0000n;

/**
 * Whether a range of that cause takes pages away. Write protection leaves a map of a ring that is read as it is, and
 * __split_huge_pmd, which reports that a huge page is cleared, changes no page (reference §5.3, 3).
 */
export function takesPages(cause: number, start: bigint, end: bigint): boolean {
  if (cause === UNMAP || cause === MIGRATE) return true;
  return cause === CLEAR && !(end - start === HUGE_PAGE && start % HUGE_PAGE === 0n);
}
