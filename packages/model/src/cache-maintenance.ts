/**
 * flush_dcache_page calls that a design with maps of its own (vmap, kmap) needs where caches alias: one before
 * each read of what the driver wrote, one after each write that the driver is to see. Derived from the
 * discussion of the vmap series (reference §2.2); nobody has measured it. An access is taken to lie in one page.
 */
import type { CacheMaintenance } from './architectures.js';
import { AMBIGUOUS, HIT } from './outcome.js';
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

/** Of accesses that surely hit, and of those with all that are ambiguous. */
export function countCacheFlushes(
  tallies: Tallies,
  caches: CacheMaintenance,
): { readonly least: CacheFlushes; readonly most: CacheFlushes } {
  const [least, most] = [hitsBy(), hitsBy()];
  for (let vq = 0; vq < tallies.rounds.length; vq++) {
    for (const [accessor, name] of ACCESSORS.entries()) {
      const outcomes = accessOutcomes(tallies, vq, accessor);
      const by = name.startsWith('put_') ? 'writes' : 'reads';
      least[by] += outcomes[HIT];
      most[by] += outcomes[HIT] + outcomes[AMBIGUOUS];
    }
  }
  return { least: flushesOf(least, caches), most: flushesOf(most, caches) };
}

interface HitsBy {
  reads: number;
  writes: number;
}

const hitsBy = (): HitsBy => ({ reads: 0, writes: 0 });

function flushesOf({ reads, writes }: HitsBy, caches: CacheMaintenance): CacheFlushes {
  const isNeeded = caches.aliases ? 1 : 0;
  return {
    beforeReads: isNeeded * reads,
    afterWrites: isNeeded * writes,
    doubledByKunmap: caches.kunmapFlushes ? isNeeded * writes : 0,
    doubledByCopyToUserPage: caches.copyToUserPageFlushes ? isNeeded * writes : 0,
  };
}
