/**
 * Who invalidates: a class, from the functions on the kernel stack of the call.
 *
 * The memory manager's own word, enum mmu_notifier_event (`INVALIDATION_CAUSES`), says what happens to
 * the pages and not why: reclaim, compaction and a collapse are all `clear`. The stack says why.
 */

/** By number. Numbers are in trace files: new ones are added at the end, none is reused. */
export const INVALIDATION_CLASSES = [
  /** No function on the stack is known, or the stack is not. */
  'unknown',
  'ksm',
  'numa-balancing',
  /** A collapse into a huge page, by khugepaged or MADV_COLLAPSE. */
  'khugepaged',
  'compaction',
  /** By kswapd or whoever needs memory; MADV_PAGEOUT is `madvise`. */
  'reclaim',
  'fork',
  'mprotect',
  'munmap',
  'mremap',
  'madvise',
  /** mbind, move_pages, migrate_pages, or a migration for a reason that is not known. */
  'migration',
  'soft-dirty',
  'userfaultfd',
  /** The file behind a mapping is cut, or gets a hole. */
  'truncate',
  'write-back',
  /** The process ends, or replaces its memory. */
  'exit',
  /** A page fault: a copy on write, mostly. */
  'fault',
] as const;

export type InvalidationClass = (typeof INVALIDATION_CLASSES)[number];

type Rules = readonly (readonly [InvalidationClass, readonly string[]])[];

/**
 * Functions that do nothing else, in Linux 5.3 to 6.12; a name that ends in `*` stands for all that begin
 * so. Of several on a stack the innermost counts: a fault that compacts is `compaction`.
 */
const SPECIFIC: Rules = [
  [
    'ksm',
    ['ksm_*', 'try_to_merge_*', 'cmp_and_merge_page', 'break_ksm', 'unmerge_*', 'replace_page'],
  ],
  [
    'numa-balancing',
    [
      'task_numa_work',
      'change_prot_numa',
      'do_numa_page',
      'do_huge_pmd_numa_page',
      'migrate_misplaced_*',
    ],
  ],
  ['khugepaged', ['khugepaged*', 'collapse_*', 'madvise_collapse', 'hpage_collapse_*']],
  ['compaction', ['compact_*', 'kcompactd*', 'try_to_compact_pages', 'sysctl_compaction_handler']],
  [
    'reclaim',
    [
      'shrink_lruvec',
      'shrink_node*',
      'shrink_one',
      'evict_folios',
      'try_to_free_*',
      'balance_pgdat',
      'kswapd',
    ],
  ],
  ['fork', ['dup_mm', 'dup_mm.*', 'dup_mmap', 'copy_page_range', 'copy_hugetlb_page_range']],
  ['mprotect', ['mprotect_fixup', 'do_mprotect_pkey']],
  ['mremap', ['move_page_tables', 'move_vma', '__do_sys_mremap', '__x64_sys_mremap']],
  ['exit', ['exit_mmap', 'exec_mmap', '__mmu_notifier_release']],
  [
    'munmap',
    [
      'unmap_region',
      'vms_*',
      'do_munmap',
      '__do_munmap',
      'do_mas_*',
      'do_vmi_*',
      '__vm_munmap',
      '__x64_sys_munmap',
      'do_brk_munmap',
    ],
  ],
  [
    'madvise',
    [
      'do_madvise',
      'madvise_*',
      '__x64_sys_madvise',
      '__x64_sys_process_madvise',
      '__do_sys_process_madvise',
    ],
  ],
  [
    'migration',
    [
      'do_mbind',
      'kernel_mbind',
      'do_migrate_pages',
      'kernel_migrate_pages',
      'do_pages_move',
      'kernel_move_pages',
      'migrate_to_node',
      'migrate_vma_*',
      'soft_offline_page',
      'alloc_contig_*',
      '__alloc_contig_*',
      'offline_pages',
      'do_migrate_range',
    ],
  ],
  ['soft-dirty', ['clear_refs_write']],
  ['userfaultfd', ['userfaultfd_*', 'mwriteprotect_range', 'uffd_wp_range']],
  ['truncate', ['unmap_mapping_*', 'truncate_*', 'hugetlb_vmdelete_list', 'hugetlb_vmtruncate']],
  [
    'write-back',
    [
      'folio_mkclean',
      'page_mkclean',
      'folio_clear_dirty_for_io',
      'clear_page_dirty_for_io',
      'pfn_mkclean_range',
    ],
  ],
];

/** Functions that others use too: they count only where no other does. */
const GENERAL: Rules = [
  ['reclaim', ['shrink_folio_list', 'shrink_page_list', 'reclaim_pages', 'reclaim_folio_list']],
  ['migration', ['migrate_pages*', 'unmap_and_move', 'migrate_folio_unmap']],
  ['fault', ['handle_mm_fault', '__handle_mm_fault', 'do_wp_page', 'wp_page_copy', 'faultin_page']],
];

interface NameTable {
  readonly whole: ReadonlyMap<string, InvalidationClass>;
  readonly beginnings: readonly (readonly [string, InvalidationClass])[];
}

function nameTable(rules: Rules): NameTable {
  const whole = new Map<string, InvalidationClass>();
  const beginnings: [string, InvalidationClass][] = [];
  for (const [name, functions] of rules) {
    for (const pattern of functions) {
      if (pattern.endsWith('*')) beginnings.push([pattern.slice(0, -1), name]);
      else whole.set(pattern, name);
    }
  }
  return { whole, beginnings };
}

const TABLES = [nameTable(SPECIFIC), nameTable(GENERAL)];

/** What a compiler adds to the name of a function that it has changed. */
const COMPILED = /\.(?:isra|constprop|part|cold|llvm)\b.*$/;

/**
 * The class of a stack.
 *
 * @param functions names as the kernel has them, innermost first
 */
export function classOfStack(functions: readonly string[]): InvalidationClass {
  const names = functions.map((name) => name.replace(COMPILED, ''));
  for (const { whole, beginnings } of TABLES) {
    for (const name of names) {
      const found =
        whole.get(name) ?? beginnings.find(([beginning]) => name.startsWith(beginning))?.[1];
      if (found !== undefined) return found;
    }
  }
  return 'unknown';
}
