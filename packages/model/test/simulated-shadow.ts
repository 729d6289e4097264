/**
 * What the other design would have decided in the same world: the same rounds, ranges, pages and
 * ioctls, at the same instants. It leaves no trace; it is there to judge replays across designs.
 */
import { Area, PAGE, type Memory } from './simulated-objects.ts';

export class Shadow {
  private readonly isFixes: boolean;
  private readonly areas: readonly Area[] = [new Area(false), new Area(false), new Area(true)];
  private count = 0n;

  constructor(isFixes: boolean) {
    this.isFixes = isFixes;
  }

  /** Whether invalidate_count is that. */
  isCount(count: bigint): boolean {
    return this.count === count;
  }

  decide(index: number, iotlb: boolean): number {
    if (iotlb) return 2;
    return this.areas[index].map ? 1 : 0;
  }

  /** The range is half open for the memory manager; the area's test takes `end` as inclusive. */
  startEffect(index: number, start: bigint, end: bigint): void {
    const area = this.areas[index];
    if (!area.overlaps(start, end)) return;
    this.count += 1n;
    area.map = false;
  }

  endEffect(index: number, start: bigint, end: bigint): void {
    if (this.areas[index].overlaps(start, end)) this.count -= 1n;
  }

  attempt(index: number, memory: Memory, isOutOfMemory: boolean): void {
    const area = this.areas[index];
    if (area.map || this.count !== 0n || isOutOfMemory) return;
    const frames: bigint[] = [];
    for (let offset = 0n; offset < area.size; offset += PAGE) {
      const page = memory.page(area.address + offset);
      if (!page.present || (area.write && !page.writable)) return;
      frames.push(page.frame);
    }
    area.map = frames.every((frame, page) => frame === frames[0] + BigInt(page));
  }

  /** A map that needs nothing of the pages. */
  protected build(index: number): void {
    if (this.count === 0n) this.areas[index].map = true;
  }

  /** The begin of SET_VRING_NUM or SET_VRING_ADDR. */
  beginSetup(): void {
    for (const area of this.areas) area.map = false;
    if (this.isFixes) this.count = 0n;
  }

  recordRange(index: number, { address, size }: Area, failed: boolean): void {
    if (failed && this.isFixes) return;
    Object.assign(this.areas[index], { address, size });
  }

  beginReset(): void {
    this.count = 0n;
    for (const area of this.areas) area.map = false;
  }

  endReset(): void {
    for (const area of this.areas) area.size = 0n;
  }
}
