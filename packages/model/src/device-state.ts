/** Which virtqueues a device has, and whether its MMU notifier is registered. */

export const NOTIFIER_ON = 1;
export const NOTIFIER_OFF = 2;

export const NO_RANK = -1;

export interface DeviceState {
  /** Virtqueue ids by device id, in address order: the order in which the kernel walks them. */
  virtqueues: number[][];
  /** By device id, nothing until seen; NOTIFIER_OFF from the moment when unregistration begins. */
  notifier: (number | undefined)[];
  /**
   * True once a registration was seen: none takes place while a range is under way (the memory manager
   * holds all locks), so from then on every end that is entered has a start that was.
   */
  paired: (boolean | undefined)[];
  /** Place in address order by virtqueue id; NO_RANK while that is not known. */
  rank: number[];
}

export function createDeviceState(): DeviceState {
  return { virtqueues: [], notifier: [], paired: [], rank: [] };
}

/** Gives a virtqueue to a device, taking it from the one that had it. */
export function assignVirtqueue(
  devices: DeviceState,
  vq: number,
  from: number,
  to: number,
  rank: number,
): void {
  const left = devices.virtqueues[from];
  const at = left?.indexOf(vq) ?? -1;
  if (at >= 0) left?.splice(at, 1);
  if (rank !== NO_RANK || devices.rank[vq] === undefined) devices.rank[vq] = rank;
  const list = devices.virtqueues[to] ?? [];
  devices.virtqueues[to] = list;
  const isAfter = (other: number): boolean =>
    (devices.rank[other] - devices.rank[vq] || other - vq) > 0;
  let place = list.length;
  while (place > 0 && isAfter(list[place - 1])) place--;
  list.splice(place, 0, vq);
}

/** Whether the place of every virtqueue of a device is known. */
export function isOrdered(devices: DeviceState, dev: number): boolean {
  for (const vq of devices.virtqueues[dev] ?? []) if (devices.rank[vq] === NO_RANK) return false;
  return true;
}
