/**
 * Workers whose accesses go by the indices of their rings, so that the indices tell of them; and the
 * collector, which looks at pages now and then.
 */
import { HANDLERS } from '../src/event-fields.ts';
import { createRingWord, ringWord, type RingWord } from '../src/ring-word.ts';
import type { SimulatedKernel } from './simulated-kernel.ts';
import { PAGE, Round, type Device, type Virtqueue } from './simulated-objects.ts';
import type { Steps, Thread } from './simulated-scheduler.ts';
import { access, ACCESSORS, attempt } from './simulated-worker.ts';

const [GET_AVAIL_IDX, GET_AVAIL_HEAD, , , , GET_DESC, , PUT_USED, , PUT_USED_IDX] = ACCESSORS;

interface Ring {
  word: RingWord;
}

/** One copy that may lie across two pages. */
function* copy(
  kernel: SimulatedKernel,
  thread: Thread,
  vq: Virtqueue,
  row: (typeof ACCESSORS)[number],
  offset: bigint,
  bytes: bigint,
): Steps {
  const { address } = vq[row.area];
  yield* access(kernel, thread, vq, row, true, address + offset);
  if ((address + offset) / PAGE !== (address + offset + bytes - 1n) / PAGE)
    yield* access(kernel, thread, vq, row, true, address + offset + bytes - 1n);
}

function* serve(kernel: SimulatedKernel, thread: Thread, vq: Virtqueue, ring: Ring): Steps {
  const { random } = kernel;
  const num = Number(vq.desc.size / 16n);
  const before = ring.word;
  const heads = num === 0 ? 0 : random.pick([0, 1, 1, 2, 5, random.between(0, Math.min(num, 40))]);
  const isAhead = random.chance(0.1);
  const after: RingWord = {
    ...before,
    iotlb: vq.iotlb,
    lastAvailIdx: (before.lastAvailIdx + heads) & 0xffff,
  };
  after.availIdx = isAhead ? (after.lastAvailIdx + 1) & 0xffff : after.lastAvailIdx;
  if (after.availIdx !== before.availIdx) yield* copy(kernel, thread, vq, GET_AVAIL_IDX, 2n, 2n);
  for (let taken = 0; taken < heads; taken++) {
    const slot = BigInt((before.lastAvailIdx + taken) % num);
    yield* copy(kernel, thread, vq, GET_AVAIL_HEAD, 4n + 2n * slot, 2n);
    yield* copy(kernel, thread, vq, GET_DESC, 16n * BigInt(random.between(0, num - 1)), 16n);
  }
  const used = random.chance(0.8) ? heads : 0;
  for (let put = 0; put < used; put++) {
    const slot = BigInt((before.lastUsedIdx + put) % num);
    yield* copy(kernel, thread, vq, PUT_USED, 4n + 8n * slot, 8n);
  }
  if (used > 0) yield* copy(kernel, thread, vq, PUT_USED_IDX, 2n, 2n);
  after.lastUsedIdx = (before.lastUsedIdx + used) & 0xffff;
  ring.word = after;
}

export function* stockWorker(
  kernel: SimulatedKernel,
  thread: Thread,
  device: Device,
  vq: Virtqueue,
): Steps {
  const { random, stock, looks } = kernel;
  const base = random.between(0, 0xffff);
  const ring: Ring = {
    word: {
      ...createRingWord(),
      lastAvailIdx: base,
      availIdx: base,
      lastUsedIdx: random.between(0, 0xffff),
      noNotify: false,
      signalledUsedValid: true,
      callEventfd: true,
      eventIdx: true,
      notifyOnEmpty: false,
    },
  };
  // A device that is idle is told of late.
  const idle = kernel.idle.worker * (stock?.isBegun === false ? random.pick([1, 1, 40]) : 1);
  for (;;) {
    yield kernel.sleep(
      stock?.isBegun === true && stock.told.has(vq.id) ? kernel.idle.worker : idle,
    );
    yield* kernel.lock(thread, vq);
    if (vq.backend) {
      thread.pinned = kernel.preempt === 'voluntary';
      kernel.tellDevice(thread, device);
      if (looks !== undefined) yield* looks.look(kernel, thread, vq);
      kernel.log(thread, 'round', { vq: vq.id });
      // In one moment with what follows, even where the recording began since the last step.
      kernel.tellDevice(thread, device);
      kernel.logStock(thread, 'round', { vq: vq.id });
      stock?.begin(vq.id);
      vq.round = new Round();
      const before: RingWord = { ...ring.word, iotlb: vq.iotlb };
      yield 'step';
      if (!vq.iotlb) {
        for (const [index, area] of vq.areas.entries()) {
          if (stock !== undefined && looks?.holds(kernel, vq, index) === false) stock.isOver = true;
          if (!area.map) attempt(kernel, thread, vq, area);
          vq.others.attempt(index, kernel.memory, false);
          yield 'step';
        }
      }
      yield* serve(kernel, thread, vq, ring);
      vq.mutex = undefined;
      yield 'step';
      const ended = kernel.logStock(thread, 'round_end', {
        vq: vq.id,
        handler: HANDLERS.indexOf('net_tx'),
        num: Number(vq.desc.size / 16n),
        chain: 0,
        ringBefore: ringWord(before),
        ringAfter: ringWord({ ...ring.word, iotlb: vq.iotlb }),
      });
      stock?.end(vq.id, ended);
      thread.pinned = false;
    } else {
      vq.mutex = undefined;
    }
  }
}

/** Dates what it is about to look at, looks later, and tells. */
export function* pageWatcher(kernel: SimulatedKernel, thread: Thread): Steps {
  const { random, memory } = kernel;
  for (;;) {
    yield kernel.sleep(5_000);
    const vq = random.pick(random.pick(kernel.devices).virtqueues);
    const area = random.between(0, 2);
    const { address, size } = vq.areas[area];
    if (size === 0n || kernel.stock?.told.has(vq.id) !== true) continue;
    const event = kernel.logStock(thread, 'pages', { vq: vq.id, area, hugePages: 0 });
    yield random.chance(0.5) ? 'step' : kernel.sleep(300);
    // It was kept from it for too long: what it would find is of no use.
    if (kernel.scheduler.now - (event?.time ?? 0n) > 1_000n) continue;
    const first = address / PAGE;
    const pages = Number((address + size - 1n) / PAGE - first + 1n);
    const found = Array.from({ length: pages }, (_, at) =>
      memory.page((first + BigInt(at)) * PAGE),
    );
    const present = found.filter((page) => page.present).length;
    const follow = found.every((page, at) => page.frame === found[0].frame + BigInt(at));
    Object.assign(event ?? {}, {
      pagesGot: present,
      pagesWanted: pages,
      contiguous: present === pages && follow ? 1 : 0,
    });
  }
}
