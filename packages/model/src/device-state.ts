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
  /** True where a range was entered since the notifier was last switched. */
  wasDisturbed: (boolean | undefined)[];
  /**
   * True where ranges were under way as the notifier went off, and nothing was known of the device: their starts may
   * have come to rings in places that nobody told.
   */
  mayHaveCounted: (boolean | undefined)[];
  /** Place in address order by virtqueue id; NO_RANK while that is not known. */
  rank: number[];
  /** Process whose memory a device uses, by device id; undefined while not known. */
  owner: (number | undefined)[];
  /** Device ids by owner. */
  owned: Map<number, number[]>;
}

export function createDeviceState(): DeviceState {
  return {
    virtqueues: [],
    notifier: [],
    paired: [],
    wasDisturbed: [],
    mayHaveCounted: [],
    rank: [],
    owner: [],
    owned: new Map(),
  };
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

/** A process owns a device from now on. */
export function assignOwner(devices: DeviceState, dev: number, owner: number): void {
  const before = devices.owner[dev];
  if (before === owner) return;
  if (before !== undefined) {
    const left = devices.owned.get(before)?.filter((other) => other !== dev) ?? [];
    devices.owned.set(before, left);
  }
  devices.owner[dev] = owner;
  const list = devices.owned.get(owner);
  if (list === undefined) devices.owned.set(owner, [dev]);
  else list.push(dev);
}

const NONE: readonly number[] = [];

/** Devices that use the memory of a process. */
export function devicesOfOwner(devices: DeviceState, owner: number): readonly number[] {
  return devices.owned.get(owner) ?? NONE;
}
