/** vhost's side: the workers with their rounds, and the ioctls. */
import { invalidate } from './simulated-invalidation.ts';
import type { SimulatedKernel } from './simulated-kernel.ts';
import { PAGE, type Area, type Device, type Virtqueue } from './simulated-objects.ts';
import type { Steps, Thread } from './simulated-scheduler.ts';

/** Accessors by number, with the area they touch and whether they write (§1.2). */
const ACCESSORS = [
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
type AccessorRow = (typeof ACCESSORS)[number];

const [, , , , GET_USED_IDX, , , , PUT_USED_FLAGS] = ACCESSORS;

/** One attempt to map an area, under vq->mmu_lock; the first failing test wins (§1.3). */
function attempt(kernel: SimulatedKernel, thread: Thread, vq: Virtqueue, area: Area): void {
  const pagesWanted = Number((area.size + PAGE - 1n) / PAGE);
  const report = (result: number, pagesGot: number): void => {
    const index = vq.areas.indexOf(area);
    kernel.log(thread, 'prefetch', { vq: vq.id, area: index, result, pagesGot, pagesWanted });
  };
  if (vq.invalidateCount !== 0n) return report(-14, -1000);
  if (kernel.random.chance(kernel.chances.noMemory)) return report(-12, -1000);
  const frames: bigint[] = [];
  for (let index = 0; index < pagesWanted; index++) {
    const page = kernel.memory.page(area.address + BigInt(index) * PAGE);
    if (!page.present || (area.write && !page.writable)) break;
    frames.push(page.frame);
  }
  if (frames.length !== pagesWanted) return report(14, frames.length);
  const contiguous = frames.every((frame, index) => frame === frames[0] + BigInt(index));
  if (!contiguous) return report(77, pagesWanted);
  area.map = true;
  report(0, pagesWanted);
}

/** One metadata access: the decision, and for a copy the fault that repairs the page. */
function* access(
  kernel: SimulatedKernel,
  thread: Thread,
  vq: Virtqueue,
  { accessor, area: name, write }: AccessorRow,
): Steps {
  const { memory, random } = kernel;
  const area = vq[name];
  const observed = vq.iotlb ? 2 : area.map ? 1 : 0;
  const entries = accessor === 8 ? random.between(1, 64) : 1;
  kernel.log(thread, 'access', { vq: vq.id, accessor, observed, n: 1, entries });
  if (observed === 0) {
    const address = area.address + BigInt(random.between(0, Number(area.size) - 1));
    const page = memory.page(address);
    if (!page.present) {
      if (random.chance(0.3)) yield kernel.sleep(500); // the fault reads the page in
      page.present = true;
      page.writable = write || random.chance(0.5);
      page.frame = memory.frameFor(address / PAGE);
    } else if (write && !page.writable) {
      if (random.chance(0.5)) {
        // Copy on write: the worker itself invalidates, in the middle of its round.
        const start = (address / PAGE) * PAGE;
        const range = { start, end: start + PAGE, cause: 1, blockable: true };
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
      yield 'step';
      if (!vq.iotlb) {
        for (const area of vq.areas) {
          if (!area.map) attempt(kernel, thread, vq, area);
          yield 'step';
        }
      }
      for (let accesses = kernel.random.between(0, 12); accesses > 0; accesses--) {
        yield* access(kernel, thread, vq, kernel.random.pick(ACCESSORS));
      }
      if (kernel.random.chance(0.1)) yield* busyPoll(kernel, thread, vq, device);
      thread.pinned = false;
    }
    vq.mutex = undefined;
  }
}

/** Logged when it begins; callbacks under way finish first, and are waited for. */
function* unregister(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  kernel.log(thread, 'notifier', { dev: device.id, registered: 0, error: 0 });
  yield 'step';
  device.registered = false;
  const underWay = [...kernel.traversals];
  yield { until: () => underWay.every((traversal) => traversal.done) };
}

function* register(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  device.registered = true;
  yield 'step';
  kernel.log(thread, 'notifier', { dev: device.id, registered: 1, error: 0 });
  yield 'step';
}

/** Maps dropped outside the notifier. */
function unmap(kernel: SimulatedKernel, thread: Thread, vq: Virtqueue): void {
  const { mask } = vq;
  vq.dropMaps();
  const invalidateCount = Number(vq.invalidateCount);
  kernel.log(thread, 'unmap', { vq: vq.id, mask, invalidateCount });
}

/** VHOST_SET_VRING_NUM or VHOST_SET_VRING_ADDR (§1.5, §3.3). */
function* setup(
  kernel: SimulatedKernel,
  thread: Thread,
  device: Device,
  vq: Virtqueue,
  fails: boolean,
): Steps {
  yield* kernel.lock(thread, vq);
  yield* unregister(kernel, thread, device);
  unmap(kernel, thread, vq);
  if (kernel.design === 'fixes-v5') vq.invalidateCount = 0n; // fix 4
  yield kernel.sleep(kernel.longestWindow);
  // Fix 1: a failed ioctl leaves the ranges as they are; merged records what the fields hold by then.
  if (!(fails && kernel.design === 'fixes-v5')) {
    const ring = kernel.chooseRing(vq);
    const isTraced = fails || kernel.random.chance(0.5);
    for (const [index, area] of vq.areas.entries()) {
      const isChanged = !fails || kernel.random.chance(0.4);
      if (isChanged) Object.assign(area, ring[index]);
      kernel.log(thread, 'addresses', {
        vq: vq.id,
        area: index,
        address: area.address,
        size: area.size,
        invalidateCount: Number(vq.invalidateCount),
        ...(isTraced ? { error: fails ? -22 : 0 } : {}),
      });
      yield 'step';
    }
  }
  yield* register(kernel, thread, device);
  vq.mutex = undefined;
}

/** SET_BACKEND: vhost_vq_init_access touches the ring outside any round (§4.5). */
function* attach(kernel: SimulatedKernel, thread: Thread, vq: Virtqueue): Steps {
  yield* kernel.lock(thread, vq);
  vq.backend = true;
  yield* access(kernel, thread, vq, PUT_USED_FLAGS);
  yield* access(kernel, thread, vq, GET_USED_IDX);
  vq.mutex = undefined;
}

/** vhost_vq_reset. Its steps are one instant here: see the note on the window in kernel-simulator. */
function resetVirtqueue(kernel: SimulatedKernel, thread: Thread, vq: Virtqueue): void {
  vq.invalidateCount = 0n;
  unmap(kernel, thread, vq);
  for (const area of vq.areas) area.size = 0n;
  vq.iotlb = false;
  kernel.log(thread, 'reset', { vq: vq.id });
}

/** VHOST_RESET_OWNER: backends off, virtqueues reset while the notifier is live, then cleanup. */
function* resetOwner(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  for (const vq of device.virtqueues) {
    yield* kernel.lock(thread, vq);
    vq.backend = false;
    vq.mutex = undefined;
  }
  for (const vq of device.virtqueues) {
    resetVirtqueue(kernel, thread, vq);
    yield 'step';
  }
  yield* unregister(kernel, thread, device);
  for (const vq of device.virtqueues) unmap(kernel, thread, vq);
  yield kernel.sleep(1_000);
}

function* bringUp(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  yield* register(kernel, thread, device); // SET_OWNER
  for (const vq of device.virtqueues) yield* setup(kernel, thread, device, vq, false);
  for (const vq of device.virtqueues) yield* attach(kernel, thread, vq);
}

/** vhost_init_device_iotlb: maps stay as they are and are bypassed (§1.5). */
function* switchIotlb(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  // Without `iotlb` events only a reset can be seen to switch it off.
  const isOff = kernel.iotlbTraced && kernel.random.chance(0.5);
  for (const vq of device.virtqueues) {
    yield* kernel.lock(thread, vq);
    vq.iotlb = !isOff;
    if (kernel.iotlbTraced) kernel.log(thread, 'iotlb', { vq: vq.id, enabled: isOff ? 0 : 1 });
    vq.mutex = undefined;
    yield 'step';
  }
}

/** The process that controls a device: sets it up, and meddles with it while it runs. */
export function* control(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  const { chances, random } = kernel;
  for (const vq of device.virtqueues) resetVirtqueue(kernel, thread, vq); // open
  yield* bringUp(kernel, thread, device);
  for (;;) {
    yield kernel.sleep(kernel.idle.control);
    if (random.chance(chances.reset)) {
      yield* resetOwner(kernel, thread, device);
      yield* bringUp(kernel, thread, device);
    } else if (random.chance(chances.iotlb)) {
      yield* switchIotlb(kernel, thread, device);
    } else {
      const vq = random.pick(device.virtqueues);
      yield* setup(kernel, thread, device, vq, random.chance(chances.failedSetup));
      if (random.chance(0.2)) yield* attach(kernel, thread, vq);
    }
  }
}
