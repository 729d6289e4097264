/** Whether the recording program can walk the page tables of a host itself, and what it needs for that. */
import { areaBytes, pagesWanted } from '@vhostscope/model';
import type { KernelFacts } from '../host/kernel-facts.js';
import type { PlannedView } from './probe-plan.js';

/** Kernel symbols whose values a walk needs. */
export interface PlannedLooks {
  /** Where physical memory begins in the kernel's own map of it. */
  readonly memoryBase: string;
  /** Bits of an entry that say that its page is encrypted; undefined where the kernel knows none. */
  readonly encryption: string | undefined;
}

/** Symbols that a plan may ask for; nothing else is looked up on the host. */
export const PLANNED_SYMBOLS: readonly string[] = ['page_offset_base', 'sme_me_mask'];

/** Entries of the largest ring whose pages are looked at; areas of more pages than it has are left to the collector. */
const LOOKED_AT_ENTRIES = 2048;

/** Pages of an area that are looked at, at most. */
export const LOOKED_AT_PAGES = {
  desc: pagesWanted(areaBytes('desc', LOOKED_AT_ENTRIES, true)),
  avail: pagesWanted(areaBytes('avail', LOOKED_AT_ENTRIES, true)),
  used: pagesWanted(areaBytes('used', LOOKED_AT_ENTRIES, true)),
} as const;

/** What is known, or the reason why the program cannot look, to end a sentence with. */
export function planLooks(kernel: KernelFacts): PlannedLooks | string {
  const { architecture, symbols } = kernel;
  if (architecture !== 'x86_64') return `page tables of ${architecture} are not walked`;
  if (kernel.hasFiveLevels) return 'page tables of five levels are not walked';
  if (kernel.isXenPv) return 'under Xen (PV) page tables tell other numbers of pages';
  const [memoryBase, encryption] = PLANNED_SYMBOLS.map((name) =>
    symbols.includes(name) ? name : undefined,
  );
  if (memoryBase === undefined)
    return 'where this kernel maps physical memory is not known (page_offset_base is not in /proc/kallsyms)';
  return { memoryBase, encryption };
}

/** @param round the function that begins a round, if it is known */
export function pagesView(
  round: string | undefined,
  looks: PlannedLooks | string | undefined,
): PlannedView {
  const pagemap = '/proc/PID/pagemap';
  if (typeof looks !== 'object')
    return {
      what: 'pages',
      certainty: 'estimated',
      by: [pagemap],
      note: `whether pages are there and follow each other, from time to time; whether they may be written is not visible${looks === undefined ? '' : `: ${looks}`}`,
    };
  return {
    what: 'pages',
    certainty: 'exact',
    by: [...(round === undefined ? [] : [round]), pagemap],
    note: `whether pages are there, may be written and follow each other: the page tables are walked where a round begins, after an invalidation and some times a second. Those of rings of more than 2,048 entries are estimated from ${pagemap}`,
  };
}
