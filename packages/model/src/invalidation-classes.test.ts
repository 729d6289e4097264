import { expect, test } from 'vitest';
import { classOfStack, INVALIDATION_CLASSES } from './invalidation-classes.js';

// Recorded on Debian's 6.1, innermost first, without what every stack begins and system calls end with.
test.each([
  ['khugepaged', 'collapse_huge_page hpage_collapse_scan_pmd khugepaged kthread ret_from_fork'],
  ['khugepaged', 'collapse_huge_page hpage_collapse_scan_pmd madvise_collapse do_madvise'],
  ['madvise', 'zap_page_range_single do_madvise __x64_sys_madvise do_syscall_64'],
  [
    'madvise',
    'try_to_unmap_one rmap_walk_anon try_to_unmap shrink_folio_list reclaim_folio_list reclaim_pages madvise_cold_or_pageout_pte_range walk_pgd_range madvise_pageout do_madvise',
  ],
  ['soft-dirty', 'clear_refs_write vfs_write ksys_write do_syscall_64'],
  ['mprotect', '__split_huge_pmd vma_adjust_trans_huge __vma_adjust __split_vma mprotect_fixup'],
  ['mprotect', 'change_protection mprotect_fixup do_mprotect_pkey __x64_sys_mprotect'],
  ['fork', 'copy_page_range dup_mmap copy_process kernel_clone __do_sys_clone'],
  [
    'fault',
    'wp_page_copy __handle_mm_fault handle_mm_fault do_user_addr_fault exc_page_fault asm_exc_page_fault __put_user_nocheck_2 vhost_update_used_flags vhost_disable_notify handle_tx vhost_worker',
  ],
  [
    'compaction',
    'try_to_migrate_one rmap_walk_anon try_to_migrate migrate_pages_batch migrate_pages compact_zone compact_node sysctl_compaction_handler',
  ],
  [
    'ksm',
    '__split_huge_pmd try_to_migrate_one rmap_walk_anon try_to_migrate split_huge_page_to_list try_to_merge_one_page try_to_merge_with_ksm_page ksm_scan_thread kthread',
  ],
  ['ksm', 'wp_page_copy __handle_mm_fault handle_mm_fault break_ksm unmerge_ksm_pages ksm_madvise'],
  // Not recorded.
  [
    'compaction',
    'try_to_migrate_one rmap_walk_anon try_to_migrate migrate_pages compact_zone_order try_to_compact_pages __alloc_pages_slowpath do_huge_pmd_anonymous_page handle_mm_fault',
  ],
  [
    'reclaim',
    'try_to_unmap_one rmap_walk_anon try_to_unmap shrink_folio_list shrink_inactive_list shrink_lruvec shrink_node balance_pgdat kswapd',
  ],
  ['numa-balancing', 'change_protection change_prot_numa task_numa_work task_work_run'],
  ['migration', 'try_to_migrate_one rmap_walk_anon try_to_migrate migrate_pages some_new_caller'],
  ['munmap', 'unmap_vmas unmap_region.constprop.0 do_mas_align_munmap'],
  ['unknown', 'frobnicate kthread ret_from_fork'],
  ['unknown', ''],
])('%s: %s', (name, stack) => {
  expect(classOfStack(['__mmu_notifier_invalidate_range_start', ...stack.split(' ')])).toBe(name);
});

test('a class keeps its number', () => {
  expect(INVALIDATION_CLASSES.slice(0, 18)).toEqual([
    'unknown',
    'ksm',
    'numa-balancing',
    'khugepaged',
    'compaction',
    'reclaim',
    'fork',
    'mprotect',
    'munmap',
    'mremap',
    'madvise',
    'migration',
    'soft-dirty',
    'userfaultfd',
    'truncate',
    'write-back',
    'exit',
    'fault',
  ]);
});
