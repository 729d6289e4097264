/**
 * The merged design in a few lines, for traces of one CPU that tell every access, and the truth of the page
 * tables: what each access would have met. Slow and plain, and it shares nothing with the model.
 */
import { ACCESSORS, KIND, type EventBatch } from '@vhostscope/model';
import { wouldMap, type PageTableTruth, type RoundTruth } from './page-table-truth.js';

interface Ring {
  dev: number;
  owner: number;
  readonly pointer: bigint;
  readonly start: bigint[];
  readonly size: bigint[];
  readonly maps: boolean[];
  count: number;
  nextTruth: number;
}

/** Of one accessor of a virtqueue. */
export interface Decided {
  hits: number;
  fallbacks: number;
}

export interface MergedDesign {
  /** The rings that it has seen set up, by id. */
  readonly rings: ReadonlyMap<number, Ring>;
  /** Rounds whose page tables were not seen. */
  readonly unseen: number;
  readonly rounds: number;
  feed(batch: EventBatch, row: number): void;
  /** So far. */
  decided(vq: number, accessor: number): Decided;
}

/** Between the two programs' probes of one call, ns: emulation is slow, rounds are far apart. */
const SAME_ROUND_NS = 20_000_000n;

/** Areas by accessor, reference §1.2. */
const AREA_OF: Readonly<Record<string, number>> = {
  get_desc: 0,
  get_avail_idx: 1,
  get_avail_head: 1,
  get_avail_flags: 1,
  get_used_event: 1,
  put_used_flags: 2,
  put_used_idx: 2,
  put_avail_event: 2,
  get_used_idx: 2,
  put_used: 2,
};

export function createMergedDesign(truth: PageTableTruth): MergedDesign {
  const rings = new Map<number, Ring>();
  const unregistered = new Set<number>();
  const sums = new Map<string, Decided>();
  let unseen = 0;
  let rounds = 0;

  const sumOf = (vq: number, accessor: number): Decided => {
    const key = `${vq} ${accessor}`;
    const sum = sums.get(key) ?? { hits: 0, fallbacks: 0 };
    sums.set(key, sum);
    return sum;
  };

  function truthOf(ring: Ring, time: bigint): RoundTruth | undefined {
    const all = truth.get(ring.pointer) ?? [];
    while ((all[ring.nextTruth]?.time ?? time) < time - SAME_ROUND_NS) ring.nextTruth++;
    const next = all[ring.nextTruth];
    if (next === undefined || next.time > time + SAME_ROUND_NS) return undefined;
    ring.nextTruth++;
    return next;
  }

  function invalidate(batch: EventBatch, row: number, by: 1 | -1): void {
    const { details } = batch;
    const detail = batch.detail[row] ?? 0;
    if (details.blockable[detail] === 0) return;
    const start = wide(details.start, detail);
    const end = wide(details.end, detail);
    for (const ring of rings.values()) {
      if (ring.owner !== details.owner[detail] || unregistered.has(ring.dev)) continue;
      for (const [area, size] of ring.size.entries()) {
        const first = ring.start[area] ?? 0n;
        if (size === 0n || end < first || start > first + size - 1n) continue;
        ring.count += by;
        if (by === 1) ring.maps[area] = false;
      }
    }
  }

  return {
    rings,
    get unseen() {
      return unseen;
    },
    get rounds() {
      return rounds;
    },
    decided: sumOf,
    feed: (batch, row) => {
      const { details } = batch;
      const detail = batch.detail[row] ?? 0;
      const vq = batch.vq[row] ?? 0;
      const ring = rings.get(vq);
      switch (batch.kind[row]) {
        case KIND.virtqueue:
          if (ring === undefined)
            rings.set(vq, {
              dev: details.dev[detail] ?? 0,
              owner: details.owner[detail] ?? 0,
              pointer: wide(details.pointer, detail),
              start: [0n, 0n, 0n],
              size: [0n, 0n, 0n],
              maps: [false, false, false],
              count: 0,
              nextTruth: 0,
            });
          else if (detail !== batch.detail[row + 1]) {
            // The kernel gives the memory of one device to the next: the same virtqueue, of somebody else.
            if (details.owner[detail] !== 0) ring.owner = details.owner[detail] ?? 0;
            ring.dev = details.dev[detail] ?? 0;
          }
          return;
        case KIND.addresses: {
          const area = details.area[detail] ?? 0;
          if (ring === undefined) return;
          ring.start[area] = wide(details.address, detail);
          ring.size[area] = wide(details.size, detail);
          return;
        }
        case KIND.notifier:
          if (details.registered[detail] === 1) unregistered.delete(details.dev[detail] ?? 0);
          else unregistered.add(details.dev[detail] ?? 0);
          return;
        case KIND.unmap:
          ring?.maps.fill(false);
          return;
        case KIND.reset:
          if (ring === undefined) return;
          ring.maps.fill(false);
          ring.size.fill(0n);
          ring.count = 0;
          return;
        case KIND.core_range_start:
          return invalidate(batch, row, 1);
        case KIND.core_range_end:
          return invalidate(batch, row, -1);
        case KIND.round: {
          if (ring === undefined) return;
          rounds++;
          const pages = truthOf(ring, wide(batch.time, row));
          if (pages === undefined) {
            unseen++;
            return;
          }
          for (const [area, size] of ring.size.entries())
            if (!(ring.maps[area] ?? true) && ring.count === 0)
              ring.maps[area] = wouldMap(pages, area, size);
          return;
        }
        case KIND.access: {
          const accessor = batch.accessor[row] ?? 0;
          const sum = sumOf(vq, accessor);
          const n = batch.n[row] ?? 0;
          if (ring?.maps[AREA_OF[ACCESSORS[accessor] ?? ''] ?? 0] === true) sum.hits += n;
          else sum.fallbacks += n;
          return;
        }
        default:
      }
    },
  };
}

function wide(words: Uint32Array, at: number): bigint {
  return (BigInt(words[2 * at + 1] ?? 0) << 32n) | BigInt(words[2 * at] ?? 0);
}
