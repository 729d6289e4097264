/**
 * handle_rx and handle_tx_copy of vhost-net (reference §4.6), written down as loops over exported
 * functions, with a driver and a socket that do as they please. What they access comes from
 * `deriveAccesses` alone: nothing here knows the acceptor.
 */
import {
  createRingState,
  type Answer,
  type ExportedCall,
  type RingState,
} from '../src/accessor-rules/exported-calls.ts';
import { deriveAccesses } from '../src/accessor-rules/derive-accesses.ts';
import type { AccessorRules } from '../src/accessor-rules/rule-sets.ts';
import type { Item } from './access-stream.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface World {
  readonly rules: AccessorRules;
  readonly random: SeededRandom;
  readonly ring: RingState;
  /** The index that the driver has written to the avail ring. */
  avail: number;
  /** Descriptors of a chain, at most. */
  readonly mostDescriptors: number;
  /** The device IOTLB is on: rounds and chains may end at a miss. */
  iotlb?: boolean;
  readonly items: Item[];
}

const BATCH = 64;
const WEIGHT = 256;

/** A device just set up: reset, areas recorded, backend attached. */
export function createWorld(
  rules: AccessorRules,
  random: SeededRandom,
  num: number,
  mostDescriptors: number,
): World {
  const eventIdx = random.chance(0.5);
  const base = random.between(0, 0xffff);
  const ring: RingState = {
    ...createRingState(num),
    eventIdx,
    notifyOnEmpty: random.chance(0.2),
    callEventfd: random.chance(0.9),
    backend: true,
    lastAvailIdx: base,
    availIdx: base,
  };
  const event = eventIdx ? 2 : 0;
  const items: Item[] = [
    { kind: 'reset' },
    { kind: 'addresses', area: 0, size: 16 * num },
    { kind: 'addresses', area: 1, size: 4 + 2 * num + event },
    { kind: 'addresses', area: 2, size: 4 + 8 * num + event },
  ];
  const world: World = { rules, random, ring, avail: base, mostDescriptors, items };
  call(world, { function: 'vhost_vq_init_access', usedInMemory: random.between(0, 0xffff) });
  return world;
}

/** The driver makes some buffers available, never more than the ring holds. */
export function driverAdds(world: World, most: number, outstanding = 0): void {
  const { ring, random } = world;
  const ahead = (world.avail - ring.lastAvailIdx) & 0xffff;
  const room = Math.max(0, ring.num - ahead - outstanding);
  world.avail = (world.avail + random.between(0, Math.min(most, room))) & 0xffff;
}

/** One call; its accesses are put down. */
export function call(world: World, made: ExportedCall): Answer {
  const { accesses, answer } = deriveAccesses(world.rules, world.ring, made);
  for (const { accessor, entries, least } of accesses) {
    for (let i = 0; i < least; i++) world.items.push({ kind: 'access', accessor, entries });
  }
  return answer;
}

function getDescriptor(world: World, held: number): Answer {
  if (world.random.chance(0.3)) driverAdds(world, 8, held);
  const chain = world.random.between(1, world.mostDescriptors);
  const made = { function: 'vhost_get_vq_desc', inMemory: world.avail, chain } as const;
  const { iotlb = false, random, ring } = world;
  if (!iotlb || !random.chance(0.05)) return call(world, made);
  // A buffer that the device IOTLB does not know ends the call after its descriptor (reference §4.1).
  const before = ring.availIdx === ring.lastAvailIdx ? 2 : 1;
  return call(world, { ...made, failsAt: before + random.between(1, chain) });
}

/** vhost_net_signal_used. */
function flush(world: World, count: number): number {
  if (count > 0) call(world, { function: 'vhost_add_used_and_signal_n', count });
  return 0;
}

/** vhost_enable_notify and, when it found more, vhost_disable_notify. */
function foundMore(world: World, held: number): boolean {
  if (world.random.chance(0.3)) driverAdds(world, 4, held);
  if (call(world, { function: 'vhost_enable_notify', inMemory: world.avail }) !== 'true') {
    return false;
  }
  call(world, { function: 'vhost_disable_notify' });
  return true;
}

/** get_rx_bufs: heads for one packet; the number of them, 0 when the ring has too few, -1 on failure. */
function rxBuffers(world: World, done: number, wanted: number): number {
  for (let heads = 0; heads < wanted; heads++) {
    const answer = getDescriptor(world, done + heads);
    if (answer === 'head') continue;
    call(world, { function: 'vhost_discard_vq_desc', count: heads });
    return answer === 'failed' ? -1 : 0;
  }
  return wanted;
}

function handleRx(world: World, packets: number, mostHeads: number): void {
  const { random } = world;
  let done = 0;
  let left = packets;
  // The livelock of 5.18 (reference §4.4) is real: the simulated driver ends it by adding buffers.
  for (let taken = 0; left > 0 && taken < WEIGHT; taken++) {
    const heads = rxBuffers(world, done, random.between(1, mostHeads));
    if (heads < 0) break;
    if (heads === 0) {
      if (!foundMore(world, done)) break;
      continue;
    }
    left--;
    done += heads;
    if (done > BATCH) done = flush(world, done);
  }
  flush(world, done);
}

function handleTx(world: World, unlimited: boolean): void {
  const { random } = world;
  const large = random.chance(0.3) ? 0.3 : 0;
  const heavy = random.chance(0.3) ? random.between(8, WEIGHT) : WEIGHT;
  let done = 0;
  for (let sent = 0; sent < heavy;) {
    if (done === BATCH) done = flush(world, done);
    const answer = getDescriptor(world, done);
    if (answer === 'failed') break;
    if (answer !== 'head') {
      if (!foundMore(world, done)) break;
      continue;
    }
    if (unlimited && random.chance(large)) done = flush(world, done);
    if (!unlimited) {
      if (random.chance(0.2)) driverAdds(world, 4, done + 1);
      call(world, { function: 'vhost_vq_avail_empty', inMemory: world.avail });
    }
    if (random.chance(0.005)) {
      call(world, { function: 'vhost_discard_vq_desc', count: 1 });
      break;
    }
    done++;
    sent++;
  }
  flush(world, done);
}

/** Rounds of one handler on a virtqueue. */
export function simulateRounds(
  world: World,
  handler: 'rx' | 'tx',
  rounds: number,
  mostHeads: number,
): Item[] {
  const { random, ring } = world;
  const unlimited = random.chance(0.5);
  for (let i = 0; i < rounds; i++) {
    if (random.chance(0.8)) driverAdds(world, random.chance(0.1) ? ring.num : 20);
    world.items.push({ kind: 'round' });
    // vq_meta_prefetch misses (reference §5.1).
    if (world.iotlb === true && random.chance(0.2)) continue;
    call(world, { function: 'vhost_disable_notify' });
    if (handler === 'rx')
      handleRx(world, random.between(0, random.chance(0.2) ? 90 : 9), mostHeads);
    else handleTx(world, unlimited);
    if (random.chance(0.02)) {
      world.items.push({ kind: 'unmap' });
      call(world, { function: 'vhost_vq_init_access', usedInMemory: ring.lastUsedIdx });
    }
  }
  return world.items;
}
