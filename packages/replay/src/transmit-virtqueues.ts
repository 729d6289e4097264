/** Which virtqueues transmit for a guest: the cost model knows the rate of no others. */
import type { Tallies } from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { listVirtqueues } from './recording-list.js';

/** vhost-net has two virtqueues a device, receive and transmit, in this order and in address order. */
const VIRTQUEUES_OF_NET = 2;
const TRANSMITS = 1;

/** Ids, of devices that may be vhost-net's: those of vhost-vsock send no packets of that kind. */
export function transmitVirtqueues(trace: OpenTrace, { derived }: Tallies): number[] {
  const virtqueues = listVirtqueues(trace);
  return virtqueues
    .filter(({ recording, dev, place, id }) => {
      if (dev === undefined) return false;
      const ofDevice = virtqueues.filter(
        (other) => other.recording === recording && other.dev === dev,
      );
      if (ofDevice.some((one) => (derived?.vsockRounds[one.id] ?? 0) > 0)) return false;
      if (place !== undefined) return place === TRANSMITS;
      return ofDevice.length === VIRTQUEUES_OF_NET && ofDevice[TRANSMITS]?.id === id;
    })
    .map(({ id }) => id);
}
