/** Which virtqueues a device has, and whether its MMU notifier is registered. */

export const NOTIFIER_ON = 1;
export const NOTIFIER_OFF = 2;

export interface DeviceState {
  /** Virtqueue ids by device id, in address order: the order in which the kernel walks them. */
  virtqueues: number[][];
  /** By device id, nothing until seen; NOTIFIER_OFF from the moment when unregistration begins. */
  notifier: (number | undefined)[];
  /** Place in address order by virtqueue id. */
  rank: number[];
}

export function createDeviceState(): DeviceState {
  return { virtqueues: [], notifier: [], rank: [] };
}

/** Gives a virtqueue to a device (-1: to none), taking it from the one that had it. */
export function assignVirtqueue(
  devices: DeviceState,
  vq: number,
  from: number,
  to: number,
  rank: number,
): void {
  const left = devices.virtqueues[from];
  if (left !== undefined) devices.virtqueues[from] = left.filter((other) => other !== vq);
  devices.rank[vq] = rank;
  if (to < 0) return;
  const list = [...(devices.virtqueues[to] ?? []), vq];
  devices.virtqueues[to] = list.toSorted((a, b) => devices.rank[a] - devices.rank[b]);
}
