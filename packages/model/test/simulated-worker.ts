/** A vhost worker: its rounds, the attempts to map, and the metadata accesses. */
import { invalidate } from './simulated-invalidation.ts';
import type { SimulatedKernel } from './simulated-kernel.ts';
import { PAGE, Round, type Area, type Device, type Virtqueue } from './simulated-objects.ts';
import type { Steps, Thread } from './simulated-scheduler.ts';

/** Accessors by number, with the area they touch and whether they write (§1.2). */
export const ACCESSORS = [
  { accessor: 1, area: 'avail', write: false }, // get_avail_idx
  { accessor: 2, area: 'avail', write: false }, // get_avail_head
  { accessor: 3, area: 'avail', write: false }, // get_avail_flags
  { accessor: 4, area: 'avail', write: false }, // get_used_event
  { accessor: 5, area: 'used', write: false }, // get_used_idx
  { accessor: 6, area: 'desc', write: false }, // get_desc
  { accessor: 7, area: 'used', write: true }, // put_avail_event
  { accessor: 8, area: 'used', write: true }, // put_used
  { accessor: 9, area: 'used', write: true }, // put_used_flags
  { accessor: 10, area: 'used', write: true }, // put_used_idx
] as const;
export type AccessorRow = (typeof ACCESSORS)[number];

/** One attempt to map an area, under vq->mmu_lock; the first failing test wins (§1.3). */
export function attempt(
  kernel: SimulatedKernel,
  thread: Thread,
  vq: Virtqueue,
  area: Area,
): number {
  const pagesWanted = Number((area.size + PAGE - 1n) / PAGE);
  const report = (result: number, pagesGot: number): number => {
    const index = vq.areas.indexOf(area);
    kernel.log(thread, 'prefetch', { vq: vq.id, area: index, result, pagesGot, pagesWanted });
    return result;
  };
  if (vq.invalidateCount !== 0n) {
    kernel.see(
      'attempt refused by an invalidation since its round began',
      vq.round.started && vq.round.countAtBegin === 0n,
    );
    return report(-14, -1000);
  }
  if (kernel.random.chance(kernel.chances.noMemory)) {
    kernel.see('no memory');
    return report(-12, -1000);
  }
  const frames: bigint[] = [];
  for (let index = 0; index < pagesWanted; index++) {
    const page = kernel.memory.page(area.address + BigInt(index) * PAGE);
    if (!page.present || (area.write && !page.writable)) break;
    frames.push(page.frame);
  }
  if (frames.length !== pagesWanted) {
    kernel.see('too few pages');
    return report(14, frames.length);
  }
  const contiguous = frames.every((frame, index) => frame === frames[0] + BigInt(index));
  if (!contiguous) {
    kernel.see('pages not contiguous');
    return report(77, pagesWanted);
  }
  area.map = true;
  kernel.see(
    'late attempt builds after a whole invalidation since its round began',
    vq.round.whole,
  );
  for (const [{ start, end }, phase] of kernel.open) {
    const isInside = phase === 'inside' && area.overlaps(start, end);
    kernel.see('built while a range over the area is open', isInside);
  }
  return report(0, pagesWanted);
}

/** One metadata access: the decision, and for a copy the fault that repairs the page. */
export function* access(
  kernel: SimulatedKernel,
  thread: Thread,
  vq: Virtqueue,
  { accessor, area: name, write }: AccessorRow,
  isInRound = false,
  place?: bigint,
): Steps {
  const { memory, random } = kernel;
  const area = vq[name];
  const observed = vq.iotlb ? 2 : area.map ? 1 : 0;
  const index = vq.areas.indexOf(area);
  const other = vq.others.decideOther(index, vq.iotlb);
  const designs = new Map<string, number>();
  kernel.otherDecisions.push(other);
  for (const [design, decisions] of kernel.counterfactuals) {
    const decision = vq.others.decide(design, index, vq.iotlb);
    decisions.push(decision);
    designs.set(design, decision);
  }
  kernel.stock?.note(index, { own: observed, other, designs }, isInRound ? vq.id : undefined);
  if (!isInRound || kernel.tellsAccesses)
    kernel.logStock(thread, 'access', { vq: vq.id, accessor, n: 1, entries: 1 });
  if (isInRound) vq.round.decisions.add(`${name} ${observed}`);
  else kernel.see('access outside any round hits', observed === 1);
  kernel.see(
    'one area both hit and copied in one round',
    vq.round.decisions.has(`${name} 0`) && vq.round.decisions.has(`${name} 1`),
  );
  kernel.see('access through the IOTLB', observed === 2);
  const entries = accessor === 8 ? random.between(1, 64) : 1;
  kernel.log(thread, 'access', { vq: vq.id, accessor, observed, n: 1, entries });
  if (observed === 0) {
    const address = place ?? area.address + BigInt(random.between(0, Number(area.size) - 1));
    const page = memory.page(address);
    if (!page.present && random.chance(0.3)) yield kernel.sleep(500); // the fault reads the page in
    // Another fault may have been faster: the kernel looks again before it changes the page table.
    if (!page.present) {
      page.present = true;
      page.writable = write || random.chance(0.5);
      page.frame = memory.frameFor(address / PAGE);
    } else if (write && !page.writable) {
      if (random.chance(0.5)) {
        // Copy on write: the worker itself invalidates, in the middle of its round.
        const start = (address / PAGE) * PAGE;
        const range = { start, end: start + PAGE, cause: 1, blockable: true };
        kernel.see('worker invalidates in its own round', isInRound);
        yield* invalidate(kernel, thread, range, () => {
          page.frame = memory.frameFor(address / PAGE);
        });
      }
      page.writable = true;
    }
  }
  yield 'step';
}

/** vhost_net_busy_poll: accesses to another virtqueue, without a round of its own (§4.6). */
function* busyPoll(kernel: SimulatedKernel, thread: Thread, own: Virtqueue, device: Device): Steps {
  const vq = kernel.random.pick(device.virtqueues);
  if (vq === own || vq.mutex !== undefined || !vq.backend) return; // trylock
  vq.mutex = thread;
  for (let turns = kernel.random.between(1, 4); turns > 0; turns--) {
    yield* access(kernel, thread, vq, ACCESSORS[0]);
  }
  vq.mutex = undefined;
}

/** The worker of a virtqueue: rounds, as in handle_tx and handle_rx (§4.6, §1.3). */
export function* worker(
  kernel: SimulatedKernel,
  thread: Thread,
  device: Device,
  vq: Virtqueue,
): Steps {
  for (;;) {
    yield kernel.sleep(kernel.idle.worker);
    yield* kernel.lock(thread, vq);
    if (vq.backend) {
      thread.pinned = kernel.preempt === 'voluntary';
      kernel.log(thread, 'round', { vq: vq.id });
      vq.round = new Round();
      vq.round.countAtBegin = vq.invalidateCount;
      yield 'step';
      if (!vq.iotlb) {
        for (const [index, area] of vq.areas.entries()) {
          const result = area.map ? 0 : attempt(kernel, thread, vq, area);
          vq.others.attempt(index, kernel.memory, result === -12);
          yield 'step';
        }
      }
      for (let accesses = kernel.random.between(0, 12); accesses > 0; accesses--) {
        yield* access(kernel, thread, vq, kernel.random.pick(ACCESSORS), true);
      }
      if (kernel.random.chance(0.1)) yield* busyPoll(kernel, thread, vq, device);
      thread.pinned = false;
    }
    vq.mutex = undefined;
  }
}
