/** The memory manager's side: ranges, vhost's callbacks, and threads that change page tables. */
import type { SimulatedKernel } from './simulated-kernel.ts';
import { PAGE, Traversal, type Area, type Device, type Virtqueue } from './simulated-objects.ts';
import { PROCESS } from './simulated-stock-view.ts';
import type { Steps, Thread } from './simulated-scheduler.ts';

export interface Invalidation {
  /** Half open for the memory manager. */
  readonly start: bigint;
  readonly end: bigint;
  readonly cause: number;
  readonly blockable: boolean;
}

/** vhost's callback is entered: the event is logged before anything else. */
function logEntry(
  kernel: SimulatedKernel,
  thread: Thread,
  device: Device,
  range: Invalidation,
  event: 'range_start' | 'range_end',
): void {
  kernel.see('callback entered after unregister began', device.unregistering);
  kernel.see('two callbacks of one device under way at once', device.callbacks > 0);
  const areas = device.virtqueues.flatMap((vq) => vq.areas);
  kernel.see(
    'overlap by the inclusive end alone',
    areas.some((area) => area.size !== 0n && area.address === range.end),
  );
  kernel.log(thread, event, {
    dev: device.id,
    start: range.start,
    end: range.end,
    cause: range.cause,
    blockable: range.blockable ? 1 : 0,
    pid: thread.pid,
    comm: thread.comm,
  });
}

/** The memory manager calls the notifiers, whoever they are. */
function logCall(
  kernel: SimulatedKernel,
  thread: Thread,
  range: Invalidation,
  event: `core_range_${'start' | 'end'}${'' | '_return'}`,
): boolean {
  // Of memory of no device that was told of, none is.
  if (kernel.stock?.told.size === 0) return false;
  const logged = kernel.logStock(thread, event, {
    owner: PROCESS,
    start: range.start,
    end: range.end,
    cause: range.cause,
    blockable: range.blockable ? 1 : 0,
    pid: thread.pid,
    comm: thread.comm,
  });
  return logged !== undefined;
}

/** vhost_invalidate_range_start (§1.4). Returns true for -EAGAIN. */
function* startCallback(
  kernel: SimulatedKernel,
  thread: Thread,
  device: Device,
  range: Invalidation,
): Steps<boolean> {
  logEntry(kernel, thread, device, range, 'range_start');
  if (!range.blockable) {
    // merged: -EAGAIN before anything; fix 9: only where something overlaps. Never an effect.
    const areas = device.virtqueues.flatMap((vq) => vq.areas);
    const isOverlap = areas.some((area) => area.overlaps(range.start, range.end));
    forEachArea(device, (vq, index) => vq.others.nonBlockable(index, range.start, range.end));
    kernel.see(`non-blockable range overlaps${isOverlap ? '' : ' nothing'}`);
    return kernel.design === 'merged' || isOverlap;
  }
  device.callbacks += 1;
  yield 'step';
  for (const vq of device.virtqueues) {
    for (const [index, area] of vq.areas.entries()) {
      vq.others.startEffect(index, range.start, range.end);
      if (!area.overlaps(range.start, range.end)) continue;
      // Under vq->mmu_lock:
      vq.invalidateCount += 1n;
      kernel.counted.get(range)?.areas.push(area);
      const cleared = area.map;
      area.map = false;
      vq.round.started = true;
      kernel.log(thread, 'effect_start', {
        vq: vq.id,
        area: index,
        invalidateCount: Number(vq.invalidateCount),
        cleared: cleared ? 1 : 0,
      });
      // After the unlock: synchronize_rcu, only if there was a map.
      yield cleared ? kernel.sleep(kernel.longestRcu) : 'step';
    }
  }
  device.callbacks -= 1;
  return false;
}

/** vhost_invalidate_range_end (§1.4). */
function* endCallback(
  kernel: SimulatedKernel,
  thread: Thread,
  device: Device,
  range: Invalidation,
): Steps {
  logEntry(kernel, thread, device, range, 'range_end');
  // Non-blockable: nothing overlapped at its start (fix 9), and no time has passed since.
  if (!range.blockable) return;
  device.callbacks += 1;
  yield 'step';
  for (const vq of device.virtqueues) {
    for (const [index, area] of vq.areas.entries()) {
      vq.others.endEffect(index, range.start, range.end);
      if (!area.overlaps(range.start, range.end)) continue;
      vq.invalidateCount -= 1n;
      uncount(kernel, range, area);
      if (vq.invalidateCount === 0n && vq.round.started) vq.round.whole = true;
      kernel.see('negative count', vq.invalidateCount < 0n);
      const invalidateCount = Number(vq.invalidateCount);
      kernel.log(thread, 'effect_end', { vq: vq.id, area: index, invalidateCount });
      yield 'step';
    }
  }
  device.callbacks -= 1;
}

/** The end of a range has come to an area, whether or not its start had. */
function uncount(kernel: SimulatedKernel, range: Invalidation, area: Area): void {
  const areas = kernel.counted.get(range)?.areas;
  const at = areas?.indexOf(area) ?? -1;
  if (at >= 0) areas?.splice(at, 1);
}

function forEachArea(device: Device, visit: (vq: Virtqueue, index: number) => void): void {
  for (const vq of device.virtqueues) for (const index of vq.areas.keys()) visit(vq, index);
}

/** The areas of a device that a range overlaps, for comparison. */
function overlapped(device: Device, { start, end }: Invalidation): string {
  return device.virtqueues
    .flatMap((vq) => vq.areas)
    .map((area) => (area.overlaps(start, end) ? 1 : 0))
    .join('');
}

/** Notes what the end of an invalidation does not undo of its start. */
function compareWithStart(
  kernel: SimulatedKernel,
  device: Device,
  range: Invalidation,
  atStart: string | undefined,
): void {
  const atEnd = overlapped(device, range);
  if (device.registered) {
    kernel.see('end seen, start swallowed', atStart === undefined && atEnd.includes('1'));
    kernel.see('ranges differ between start and end', atStart !== undefined && atStart !== atEnd);
  } else {
    kernel.see('start seen, end swallowed', atStart !== undefined && atStart.includes('1'));
  }
}

/** One invalidation: start callbacks, the change of page tables, end callbacks. */
export function* invalidate(
  kernel: SimulatedKernel,
  thread: Thread,
  range: Invalidation,
  change: () => void,
  inside?: () => Steps,
  isNested = false,
): Steps {
  if (kernel.registering > 0 && !isNested) {
    if (!range.blockable) return; // it does not wait for locks
    while (kernel.registering > 0) yield { until: () => kernel.registering === 0 };
  }
  const atStart = new Map<Device, string>();
  kernel.open.set(range, 'starting');
  const isTold = logCall(kernel, thread, range, 'core_range_start');
  kernel.counted.set(range, { isTold, areas: [] });
  if (kernel.stock !== undefined && range.blockable) yield 'step';
  const before = new Traversal();
  kernel.traversals.add(before);
  let refused = false;
  for (const device of kernel.devices) {
    if (!device.registered) {
      if (range.blockable && device.owned) forEachArea(device, (vq) => vq.others.unheardStart());
      continue;
    }
    atStart.set(device, overlapped(device, range));
    if (yield* startCallback(kernel, thread, device, range)) refused = true;
  }
  before.done = true;
  kernel.traversals.delete(before);
  if (isTold) logCall(kernel, thread, range, 'core_range_start_return');
  if (refused) {
    const isEndTold = logCall(kernel, thread, range, 'core_range_end');
    if (isEndTold) logCall(kernel, thread, range, 'core_range_end_return');
    kernel.open.delete(range);
    kernel.counted.delete(range);
    return; // the caller of the memory manager gives up: no change, no end
  }
  kernel.open.set(range, 'inside');
  if (range.blockable) yield 'step';
  change();
  for (const device of kernel.devices)
    if (device.registered)
      forEachArea(device, (vq, index) => vq.others.changed(index, range.start, range.end));
  const virtqueues = kernel.devices.flatMap((device) => device.virtqueues);
  const mapped = virtqueues.flatMap((vq) => vq.areas.filter((area) => area.map));
  kernel.see(
    'page tables change under a map',
    mapped.some((area) => area.overlaps(range.start, range.end - 1n)),
  );
  if (range.blockable) yield kernel.random.chance(0.3) ? kernel.sleep(1_000) : 'step';
  if (inside !== undefined) yield* inside();
  const isEndTold = logCall(kernel, thread, range, 'core_range_end');
  if (kernel.stock !== undefined && range.blockable) yield 'step';
  const after = new Traversal();
  kernel.traversals.add(after);
  for (const device of kernel.devices) {
    compareWithStart(kernel, device, range, atStart.get(device));
    if (device.registered) yield* endCallback(kernel, thread, device, range);
    else if (range.blockable && device.owned) forEachArea(device, (vq) => vq.others.unheardEnd());
  }
  after.done = true;
  kernel.traversals.delete(after);
  if (isEndTold) logCall(kernel, thread, range, 'core_range_end_return');
  kernel.open.delete(range);
  kernel.counted.delete(range);
  kernel.see(
    'count not 0 while no range is open',
    kernel.open.size === 0 && virtqueues.some((vq) => vq.invalidateCount !== 0n),
  );
  if (range.blockable) yield 'step';
}

/** What happens to the pages that lie wholly inside the range. */
function changePages(kernel: SimulatedKernel, range: Invalidation): void {
  const { memory, random } = kernel;
  const kind = random.pick(['absent', 'read-only', 'moved', 'nothing'] as const);
  for (const [number, page] of memory.pages) {
    if (number * PAGE < range.start || (number + 1n) * PAGE > range.end) continue;
    if (!random.chance(0.7)) continue;
    if (kind === 'absent') page.present = false;
    if (kind === 'read-only') page.writable = false;
    if (kind === 'moved') page.frame = memory.frameFor(number);
  }
}

function chooseArea(kernel: SimulatedKernel): Area {
  const device = kernel.random.pick(kernel.devices);
  return kernel.random.pick(kernel.random.pick(device.virtqueues).areas);
}

function chooseRange(kernel: SimulatedKernel): Invalidation {
  const { random } = kernel;
  const area = chooseArea(kernel);
  const first = (area.address / PAGE) * PAGE;
  const past = ((area.address + (area.size || 1n) - 1n) / PAGE + 1n) * PAGE;
  const pages = BigInt(random.between(1, 4)) * PAGE;
  const places = {
    whole: () => [first, past],
    page: () => {
      const at = first + BigInt(random.between(0, Number((past - first) / PAGE) - 1)) * PAGE;
      return [at, at + PAGE];
    },
    // Ends where the area's first page begins: overlaps only because `end` counts as inclusive.
    before: () => [first - pages, first],
    after: () => [past, past + pages],
    // To the byte: the last byte before, the first, the last, and the first one behind the area.
    edges: () => {
      const edge = random.pick([-1n, 0n, area.size - 1n, area.size]) + area.address;
      return random.chance(0.5) ? [edge - PAGE, edge] : [edge, edge + PAGE];
    },
    around: () => [first - pages, past + pages],
    rings: () => [kernel.base, kernel.base + 0x100_0000n],
    everything: () => [0n, 0xffff_ffff_ffff_ffffn],
    elsewhere: () => [0x1000_0000n, 0x1000_0000n + pages],
  };
  const weights = [
    'whole',
    'whole',
    'page',
    'page',
    'page',
    'before',
    'after',
    'edges',
    'around',
  ] as const;
  const place = random.chance(0.15)
    ? random.pick(['rings', 'rings', 'everything', 'elsewhere', 'elsewhere'] as const)
    : random.pick(weights);
  const [start, end] = places[place]().map((address) => (address < 0n ? 0n : address));
  const blockable = !random.chance(kernel.chances.nonBlockable);
  return { start, end, cause: random.between(0, 7), blockable };
}

function* nest(kernel: SimulatedKernel, thread: Thread, depth: number): Steps {
  const range = chooseRange(kernel);
  kernel.see('ranges of one thread nest', depth > 0);
  const goesDeeper = depth < 3 && range.blockable && kernel.random.chance(kernel.chances.nested);
  const inside = goesDeeper ? () => nest(kernel, thread, depth + 1) : undefined;
  yield* invalidate(kernel, thread, range, () => changePages(kernel, range), inside, depth > 0);
}

/** A thread that invalidates now and then, or all the time. */
export function* invalidator(kernel: SimulatedKernel, thread: Thread): Steps {
  for (;;) {
    yield kernel.sleep(kernel.idle.invalidator);
    yield* nest(kernel, thread, 0);
  }
}
