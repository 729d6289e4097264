/**
 * Watches the pages of rings at which the recording program does not look itself: looks at them when an
 * invalidation that touches them is over, or when a ring is new, and tells what was found. A stock kernel never
 * asks for the pages of its rings, so this is what there is to tell whether a design that does would have got them.
 */
import { KIND, pagesWanted, SLOT, type EventLine, type FieldName } from '@vhostscope/model';
import type { EventValues } from '@vhostscope/trace';
import { readAreaPages, type AreaPages } from './ring-pages.js';

export interface PageWatch {
  /** An event whose `vq` and `dev` are ids. */
  hear(line: EventLine): void;
  /** Looks at the pages that may have changed since it last did. */
  look(): void;
}

interface WatchedArea {
  readonly vq: number;
  readonly area: number;
  readonly address: bigint;
  readonly size: bigint;
}

function low({ words }: EventLine, field: FieldName): number {
  return words[2 * SLOT[field]];
}

function whole(line: EventLine, field: FieldName): bigint {
  return (BigInt(line.words[2 * SLOT[field] + 1]) << 32n) | BigInt(low(line, field));
}

const ABSENT = 0xffff_ffff;
const AREAS = 3;

/**
 * @param now the time; asked before pages are looked at, so that what happens to them while they are
 *   comes after it
 * @param tell gets what was found: the values of a `pages` event
 * @param leftOut by area: with so many pages, or fewer, it is not watched
 */
export function createPageWatch(
  now: () => bigint,
  tell: (time: bigint, values: EventValues) => void,
  leftOut: readonly number[] = [0, 0, 0],
  readPages: (pid: number, address: bigint, size: bigint) => AreaPages | undefined = readAreaPages,
): PageWatch {
  const areas = new Map<number, WatchedArea>();
  const ownerOfVq = new Map<number, number>();
  const ownerOfDevice = new Map<number, number>();
  const changed = new Set<WatchedArea>();

  function watch(vq: number, area: number, address: bigint, size: bigint): void {
    forget(vq, area);
    if (pagesWanted(Number(size)) <= leftOut[area]) return;
    const watched = { vq, area, address, size };
    areas.set(AREAS * vq + area, watched);
    changed.add(watched);
  }

  function forget(vq: number, area: number): void {
    const key = AREAS * vq + area;
    const watched = areas.get(key);
    if (watched === undefined) return;
    changed.delete(watched);
    areas.delete(key);
  }

  function own(vq: number, dev: number, owner: number): void {
    if (owner === ABSENT) return;
    if (dev !== ABSENT) ownerOfDevice.set(dev, owner);
    if (ownerOfVq.get(vq) === owner) return;
    ownerOfVq.set(vq, owner);
    for (let area = 0; area < AREAS; area++) {
      const watched = areas.get(AREAS * vq + area);
      if (watched !== undefined) changed.add(watched);
    }
  }

  function invalidate(owner: number | undefined, start: bigint, end: bigint): void {
    for (const watched of areas.values()) {
      if (watched.address >= end || watched.address + watched.size <= start) continue;
      if (ownerOfVq.get(watched.vq) === owner) changed.add(watched);
    }
  }

  return {
    hear: (line) => {
      switch (line.kind) {
        case KIND.virtqueue:
          return own(low(line, 'vq'), low(line, 'dev'), low(line, 'owner'));
        case KIND.addresses:
          return watch(
            low(line, 'vq'),
            low(line, 'area'),
            whole(line, 'address'),
            whole(line, 'size'),
          );
        case KIND.reset:
          for (let area = 0; area < AREAS; area++) forget(low(line, 'vq'), area);
          return;
        case KIND.range_end:
          return invalidate(
            ownerOfDevice.get(low(line, 'dev')),
            whole(line, 'start'),
            whole(line, 'end'),
          );
        case KIND.core_range_end:
        case KIND.tlb_flush:
          return invalidate(low(line, 'owner'), whole(line, 'start'), whole(line, 'end'));
        default:
          return;
      }
    },
    look: () => {
      for (const watched of changed) {
        const { vq, area, address, size } = watched;
        const owner = ownerOfVq.get(vq);
        if (owner === undefined) continue;
        changed.delete(watched);
        const time = now();
        const pages = readPages(owner, address, size);
        // The process is gone, and its rings with it.
        if (pages === undefined) continue;
        tell(time, {
          vq,
          area,
          pagesGot: pages.present,
          pagesWanted: pages.wanted,
          contiguous: pages.contiguous ? 1 : 0,
          hugePages: pages.huge,
        });
      }
    },
  };
}
