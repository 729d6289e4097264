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
  return [...devices.values()].flatMap((ofDevice) => {
    if (ofDevice.some((one) => (derived?.vsockRounds[one.id] ?? 0) > 0)) return [];
    return ofDevice
      .filter(({ place }, at) =>
        place === undefined
          ? ofDevice.length === VIRTQUEUES_OF_NET && at === TRANSMITS
          : place === TRANSMITS,
      )
      .map(({ id }) => id);
  });
}
