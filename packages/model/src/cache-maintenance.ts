/**
 * flush_dcache_page calls that a design with maps of its own (vmap, kmap) needs where caches alias: one before
 * each read of what the driver wrote, one after each write that the driver is to see. Derived from the
 * discussion of the vmap series (reference §2.2); nobody has measured it. An access is taken to lie in one page.
 */
import type { CacheMaintenance } from './architectures.js';
import { HIT } from './outcome.js';
import { ACCESSORS } from './ring.js';
import { accessOutcomes, type Tallies } from './tallies.js';

export interface CacheFlushes {
  readonly beforeReads: number;
  readonly afterWrites: number;
  /** Of those after writes: a second flush, where each access is a kmap whose kunmap flushes. */
  readonly doubledByKunmap: number;
  /** ... and where each write goes by copy_to_user_page, which flushes. */
  readonly doubledByCopyToUserPage: number;
}

/** For accesses that surely hit; those that are ambiguous would come to it. */
export function countCacheFlushes(tallies: Tallies, caches: CacheMaintenance): CacheFlushes {
  let [reads, writes] = [0, 0];
  for (let vq = 0; vq < tallies.rounds.length; vq++) {
    for (const [accessor, name] of ACCESSORS.entries()) {
      const hits = accessOutcomes(tallies, vq, accessor)[HIT];
      if (name.startsWith('put_')) writes += hits;
      else reads += hits;
    }
  }
  const isNeeded = caches.aliases ? 1 : 0;
  return {
    beforeReads: isNeeded * reads,
    afterWrites: isNeeded * writes,
    doubledByKunmap: caches.kunmapFlushes ? isNeeded * writes : 0,
    doubledByCopyToUserPage: caches.copyToUserPageFlushes ? isNeeded * writes : 0,
  };
}
