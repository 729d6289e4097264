/**
 * What the recording program does where a round begins: it walks the page tables of the ring, and tells what it
 * finds where that is news, or something has happened since it was told last.
 */
import type { EventRecord } from './event-record.ts';
import type { SimulatedKernel } from './simulated-kernel.ts';
import { PAGE, type Area, type Memory, type Virtqueue } from './simulated-objects.ts';
import type { Steps, Thread } from './simulated-scheduler.ts';

/** After these, what was told of pages says nothing any more. */
const FORGETS: ReadonlySet<EventRecord['event']> = new Set([
  'core_range_end',
  'addresses',
  'unmap',
  'reset',
]);

interface Found {
  readonly pagesGot: number;
  readonly pagesWritable: number;
  readonly pagesWanted: number;
  readonly contiguous: number;
}

export class Looks {
  /** By virtqueue and area. */
  private readonly told: Map<string, { readonly found: string; readonly at: number }> = new Map();
  private readonly events: readonly EventRecord[];

  constructor(events: readonly EventRecord[]) {
    this.events = events;
  }

  /** At the beginning of a round. */
  *look(kernel: SimulatedKernel, thread: Thread, vq: Virtqueue): Steps {
    if (vq.iotlb) return;
    for (const [index, area] of vq.areas.entries()) {
      if (area.size === 0n) continue;
      const found = lookAt(area, kernel.memory);
      if (this.isNews(vq, index, found)) {
        const fields = { vq: vq.id, area: index, hugePages: 0, ...found };
        if (kernel.logStock(thread, 'pages', fields) === undefined) continue;
        const at = this.events.length;
        this.told.set(`${vq.id} ${index}`, { found: JSON.stringify(found), at });
      }
    }
    yield 'step';
  }

  /**
   * The area is about to be tried. What is taken for granted does not hold where pages have come since the look:
   * then nothing of the execution counts any more.
   */
  holds(kernel: SimulatedKernel, vq: Virtqueue, index: number): boolean {
    const told = this.told.get(`${vq.id} ${index}`);
    if (told === undefined || !this.isCurrent(told.at)) return true;
    const then = JSON.parse(told.found) as Found;
    const now = lookAt(vq.areas[index], kernel.memory);
    return now.pagesGot <= then.pagesGot && now.pagesWritable <= then.pagesWritable;
  }

  private isNews(vq: Virtqueue, index: number, found: Found): boolean {
    const told = this.told.get(`${vq.id} ${index}`);
    return told === undefined || !this.isCurrent(told.at) || told.found !== JSON.stringify(found);
  }

  private isCurrent(from: number): boolean {
    for (let i = from; i < this.events.length; i++)
      if (FORGETS.has(this.events[i].event)) return false;
    return true;
  }
}

function lookAt({ address, size }: Area, memory: Memory): Found {
  const pagesWanted = Number((size + PAGE - 1n) / PAGE);
  const pages = Array.from({ length: pagesWanted }, (_, at) =>
    memory.page(address + BigInt(at) * PAGE),
  );
  const present = pages.filter((page) => page.present);
  const follow = pages.every((page, at) => page.frame === pages[0].frame + BigInt(at));
  return {
    pagesGot: present.length,
    pagesWritable: present.filter((page) => page.writable).length,
    pagesWanted,
    contiguous: present.length === pagesWanted && follow ? 1 : 0,
  };
}
