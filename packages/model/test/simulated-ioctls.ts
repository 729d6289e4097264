/** The ioctls of vhost: set-up, reset, device IOTLB, as the process that owns the device calls them. */
import type { SimulatedKernel } from './simulated-kernel.ts';
import type { Device, Virtqueue } from './simulated-objects.ts';
import type { Steps, Thread } from './simulated-scheduler.ts';
import { ACCESSORS, access } from './simulated-worker.ts';

const [, , , , GET_USED_IDX, , , , PUT_USED_FLAGS] = ACCESSORS;

/** Logged when it begins; callbacks under way finish first, and are waited for. */
function* unregister(
  kernel: SimulatedKernel,
  thread: Thread,
  device: Device,
  isForGood = false,
): Steps {
  kernel.log(thread, 'notifier', { dev: device.id, registered: 0, error: 0 });
  device.unregistering = true;
  yield 'step';
  device.unregistering = false;
  device.registered = false;
  if (isForGood) device.owned = false;
  kernel.see('callback under way while unregister waits', device.callbacks > 0);
  const underWay = [...kernel.traversals];
  yield { until: () => underWay.every((traversal) => traversal.done) };
}

function* register(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  if (kernel.exclusiveRegister && kernel.open.size > 0) {
    kernel.registering += 1;
    // A range may begin between the moment when there is none and the one when this goes on.
    while (kernel.open.size > 0) yield { until: () => kernel.open.size === 0 };
    kernel.registering -= 1;
  }
  device.registered = true;
  device.owned = true;
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
  kind: 'num' | 'addr' | 'fails',
): Steps {
  const fails = kind === 'fails';
  kernel.ioctls += 1;
  kernel.seeFirst(vq);
  kernel.logStock(thread, 'notifier', { dev: device.id, registered: 0, error: 0 });
  kernel.logStock(thread, 'unmap', { vq: vq.id });
  if (kernel.stock !== undefined) yield 'step';
  yield* kernel.lock(thread, vq);
  yield* unregister(kernel, thread, device);
  kernel.see('setup while the count is not 0', vq.invalidateCount !== 0n);
  kernel.see('setup fails', fails);
  unmap(kernel, thread, vq);
  if (kernel.design === 'fixes-v5') vq.invalidateCount = 0n; // fix 4
  vq.others.beginSetup(kind);
  yield kernel.sleep(kernel.longestWindow);
  // Fix 1: a failed ioctl leaves the ranges as they are; merged records what the fields hold by then.
  if (!(fails && kernel.design === 'fixes-v5')) {
    const ring = kernel.chooseRing(vq, kind === 'num');
    const isTraced = fails || kernel.random.chance(0.5);
    for (const [index, area] of vq.areas.entries()) {
      const isChanged = !fails || kernel.random.chance(0.4);
      kernel.see('setup fails and changes a range', fails && isChanged);
      if (isChanged) Object.assign(area, ring[index]);
      vq.others.recordRange(index, area, fails);
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
  if (kernel.stock !== undefined) yield* tellSetup(kernel, thread, device, vq);
  kernel.ioctls -= 1;
}

function* tellSetup(kernel: SimulatedKernel, thread: Thread, device: Device, vq: Virtqueue): Steps {
  yield 'step';
  kernel.tellVirtqueue(thread, vq, device);
  for (const [area, { address, size }] of vq.areas.entries())
    kernel.logStock(thread, 'addresses', { vq: vq.id, area, address, size });
  kernel.logStock(thread, 'iotlb', { vq: vq.id, enabled: vq.iotlb ? 1 : 0 });
  kernel.logStock(thread, 'notifier', { dev: device.id, registered: 1, error: 0 });
}

/** SET_BACKEND: vhost_vq_init_access touches the ring outside any round (§4.5). */
function* attach(kernel: SimulatedKernel, thread: Thread, vq: Virtqueue): Steps {
  yield* kernel.lock(thread, vq);
  vq.backend = true;
  yield* access(kernel, thread, vq, PUT_USED_FLAGS);
  yield* access(kernel, thread, vq, GET_USED_IDX);
  vq.mutex = undefined;
}

/** vhost_vq_reset, whose middle is one instant unless `resetWindow`. */
function* resetVirtqueue(kernel: SimulatedKernel, thread: Thread, vq: Virtqueue): Steps {
  vq.invalidateCount = 0n;
  vq.others.beginReset();
  unmap(kernel, thread, vq);
  if (kernel.resetWindow) yield kernel.sleep(kernel.longestRcu);
  kernel.see('callback takes effect inside a reset', vq.invalidateCount !== 0n);
  for (const area of vq.areas) area.size = 0n;
  vq.iotlb = false;
  vq.others.endReset();
  kernel.log(thread, 'reset', { vq: vq.id });
}

/** VHOST_RESET_OWNER: backends off, virtqueues reset while the notifier is live, then cleanup. */
function* resetOwner(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  for (const vq of device.virtqueues) {
    yield* kernel.lock(thread, vq);
    vq.backend = false;
    vq.mutex = undefined;
  }
  kernel.see('reset in operation');
  kernel.ioctls += 1;
  for (const vq of device.virtqueues) {
    kernel.logStock(thread, 'unmap', { vq: vq.id });
    kernel.logStock(thread, 'reset', { vq: vq.id });
  }
  kernel.logStock(thread, 'notifier', { dev: device.id, registered: 0, error: 0 });
  for (const vq of device.virtqueues) {
    kernel.see('reset while the count is not 0', vq.invalidateCount !== 0n);
    yield* resetVirtqueue(kernel, thread, vq);
    yield 'step';
  }
  yield* unregister(kernel, thread, device, true);
  for (const vq of device.virtqueues) unmap(kernel, thread, vq);
  kernel.ioctls -= 1;
  yield kernel.sleep(1_000);
}

function* bringUp(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  yield* register(kernel, thread, device); // SET_OWNER
  kernel.logStock(thread, 'notifier', { dev: device.id, registered: 1, error: 0 });
  const isNumFirst = kernel.random.chance(0.5);
  for (const vq of device.virtqueues) {
    // SET_VRING_NUM before any address: areas of some size at address 0.
    if (isNumFirst) yield* setup(kernel, thread, device, vq, 'num');
    yield* setup(kernel, thread, device, vq, 'addr');
  }
  for (const vq of device.virtqueues) yield* attach(kernel, thread, vq);
}

/** vhost_init_device_iotlb: maps stay as they are and are bypassed (§1.5). */
function* switchIotlb(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  // Without `iotlb` events only a reset can be seen to switch it off.
  const mayGo = kernel.iotlbTraced && !kernel.isLive;
  const isOff = mayGo && device.virtqueues[0].iotlb && kernel.random.chance(0.8);
  if (kernel.isLive) {
    for (const vq of device.virtqueues) kernel.log(thread, 'iotlb', { vq: vq.id, enabled: 1 });
    yield kernel.sleep(kernel.longestWindow);
  }
  kernel.ioctls += 1;
  for (const vq of device.virtqueues) kernel.logStock(thread, 'iotlb', { vq: vq.id, enabled: 1 });
  for (const vq of device.virtqueues) {
    yield* kernel.lock(thread, vq);
    kernel.see('IOTLB switched off while maps are there', isOff && vq.iotlb && vq.mask !== 0);
    vq.iotlb = !isOff;
    if (kernel.iotlbTraced && !kernel.isLive)
      kernel.log(thread, 'iotlb', { vq: vq.id, enabled: isOff ? 0 : 1 });
    vq.mutex = undefined;
    yield 'step';
  }
  kernel.ioctls -= 1;
}

/** The process that controls a device: sets it up, and meddles with it while it runs. */
export function* control(kernel: SimulatedKernel, thread: Thread, device: Device): Steps {
  const { chances, random } = kernel;
  for (const vq of device.virtqueues) yield* resetVirtqueue(kernel, thread, vq); // open
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
      yield* setup(
        kernel,
        thread,
        device,
        vq,
        random.chance(chances.failedSetup) ? 'fails' : 'addr',
      );
      if (random.chance(0.2)) yield* attach(kernel, thread, vq);
    }
  }
}
