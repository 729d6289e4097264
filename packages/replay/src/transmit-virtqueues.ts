/** Which virtqueues transmit for a guest: the cost model knows the rate of no others. */
import type { Tallies } from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { listVirtqueues, type VirtqueueDescription } from './recording-list.js';

/** vhost-net has two virtqueues a device, receive and transmit, in this order and in address order. */
const VIRTQUEUES_OF_NET = 2;
const TRANSMITS = 1;

/** Ids, of devices that may be vhost-net's: those of vhost-vsock send no packets of that kind. */
export function transmitVirtqueues(trace: OpenTrace, tallies: Tallies): number[] {
  return transmittingAmong(listVirtqueues(trace), tallies);
}

/** @param virtqueues in address order */
export function transmittingAmong(
  virtqueues: readonly VirtqueueDescription[],
  { derived }: Pick<Tallies, 'derived'>,
): number[] {
  const devices = new Map<string, VirtqueueDescription[]>();
  for (const one of virtqueues) {
    if (one.dev === undefined) continue;
    const key = `${one.recording} ${one.dev}`;
    const others = devices.get(key);
    if (others === undefined) devices.set(key, [one]);
    else others.push(one);
  }
  const transmitting = new Set<number>();
  for (const ofDevice of devices.values()) {
    if (ofDevice.some(({ id }) => (derived?.vsockRounds[id] ?? 0) > 0)) continue;
    for (const [at, { id, place }] of ofDevice.entries()) {
      if (place === undefined && ofDevice.length !== VIRTQUEUES_OF_NET) continue;
      if ((place ?? at) === TRANSMITS) transmitting.add(id);
    }
  }
  return virtqueues.flatMap(({ id }) => (transmitting.has(id) ? [id] : []));
}
