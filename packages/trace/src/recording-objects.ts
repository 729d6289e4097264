/** The virtqueues and devices of one recording: their ids, and which virtqueue belongs to which device. */
import { EVENTS, eventDefinition, SLOT, type EventLine, type EventName } from '@vhostscope/model';
import { createObjectIds, idOf, type ObjectIds } from './object-ids.js';

/**
 * Virtqueues, and devices, of one trace. The model keeps about 2 KB for each; input that names more is
 * not a trace of one host.
 */
export const MAX_OBJECTS = 4096;

const NO_DEV = -1;

export interface RecordingObjects {
  readonly virtqueues: ObjectIds;
  readonly devices: ObjectIds;
  /** Device id by virtqueue (less the first id), NO_DEV while none lies below it. */
  readonly deviceOf: number[];
  /** Virtqueues and devices that placeVirtqueues has seen. */
  placedVirtqueues: number;
  placedDevices: number;
}

/** Objects of the next recording. Ids go on from those of the last, so that an id is one object. */
export function createRecordingObjects(previous: RecordingObjects | undefined): RecordingObjects {
  const next = (table: ObjectIds | undefined): ObjectIds =>
    createObjectIds(table === undefined ? 0 : table.firstId + table.size, MAX_OBJECTS);
  return {
    virtqueues: next(previous?.virtqueues),
    devices: next(previous?.devices),
    deviceOf: [],
    placedVirtqueues: 0,
    placedDevices: 0,
  };
}

/** Per kind: 1 when a line of it names a device and no virtqueue. */
const HAS_DEV: Uint8Array = (() => {
  const has = new Uint8Array(256);
  for (const name of Object.keys(EVENTS) as EventName[]) {
    const { code, text } = eventDefinition(name);
    if (text?.columns.includes('dev') === true) has[code] = 1;
  }
  return has;
})();
const VQ = 2 * SLOT.vq;
const DEV = 2 * SLOT.dev;

/**
 * Puts ids in the place of the kernel addresses of `vq` and `dev` in a line. HOT.
 *
 * @returns whether the line was resolved; false when the trace has MAX_OBJECTS already
 */
export function resolveObjects(objects: RecordingObjects, line: EventLine): boolean {
  const { words } = line;
  const hasDev = HAS_DEV[line.kind] === 1;
  const table = hasDev ? objects.devices : objects.virtqueues;
  const word = hasDev ? DEV : VQ;
  const id = idOf(table, words[word], words[word + 1]);
  if (id >= MAX_OBJECTS) return false;
  words[word] = id;
  words[word + 1] = 0;
  return true;
}

/** Whether objects have turned up since placeVirtqueues was last called. */
export function hasUnplaced(objects: RecordingObjects): boolean {
  return (
    objects.virtqueues.size !== objects.placedVirtqueues ||
    objects.devices.size !== objects.placedDevices
  );
}

/**
 * Gives virtqueues their devices: each belongs to the device with the greatest address below its own.
 * A new device may take virtqueues from others; a new virtqueue takes nothing.
 *
 * @returns ids of the virtqueues whose device is new
 */
export function placeVirtqueues(objects: RecordingObjects): number[] {
  const { virtqueues, devices, deviceOf } = objects;
  const deviceOrder = indexesByAddress(devices);
  const changed: number[] = [];
  let below = 0;
  for (const index of indexesByAddress(virtqueues)) {
    const address = virtqueues.addresses[index];
    while (below < deviceOrder.length && devices.addresses[deviceOrder[below]] < address) below++;
    const dev = below === 0 ? NO_DEV : devices.firstId + deviceOrder[below - 1];
    if (deviceOf[index] === dev) continue;
    deviceOf[index] = dev;
    changed.push(virtqueues.firstId + index);
  }
  objects.placedVirtqueues = virtqueues.size;
  objects.placedDevices = devices.size;
  return changed;
}

function indexesByAddress({ addresses }: ObjectIds): number[] {
  return [...addresses.keys()].toSorted((a, b) => (addresses[a] < addresses[b] ? -1 : 1));
}

/** Device id of a virtqueue, or undefined while none is known. */
export function deviceOfVirtqueue(objects: RecordingObjects, vq: number): number | undefined {
  const dev = objects.deviceOf[vq - objects.virtqueues.firstId];
  return dev === undefined || dev === NO_DEV ? undefined : dev;
}

/** Virtqueue ids of the recording in the order of their addresses. */
export function virtqueuesByAddress({ virtqueues }: RecordingObjects): number[] {
  return indexesByAddress(virtqueues).map((index) => virtqueues.firstId + index);
}

/** Kernel address of a virtqueue. */
export function addressOfVirtqueue({ virtqueues }: RecordingObjects, vq: number): bigint {
  return virtqueues.addresses[vq - virtqueues.firstId] ?? 0n;
}
