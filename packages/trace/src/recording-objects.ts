/** The virtqueues and devices of one recording: their ids, and which virtqueue belongs to which device. */
import {
  EVENTS,
  eventDefinition,
  KIND,
  SLOT,
  type EventLine,
  type EventName,
} from '@vhostscope/model';
import { createObjectIds, idOf, type ObjectIds } from './object-ids.js';

/**
 * Virtqueues, and devices, of one trace. The model keeps about 2 KB for each; input that names more is
 * not a trace of one host.
 */
export const MAX_OBJECTS = 4096;

const NO_DEV = -1;

/** What the recording itself says of a virtqueue. */
export interface ToldOfVirtqueue {
  readonly dev: number;
  readonly owner: number | undefined;
  readonly place: number | undefined;
  readonly notified: number | undefined;
}

export interface RecordingObjects {
  readonly virtqueues: ObjectIds;
  readonly devices: ObjectIds;
  /** Device id by virtqueue (less the first id), NO_DEV while none lies below it. */
  readonly deviceOf: number[];
  /** What a line said of a virtqueue (less the first id); undefined where none did. */
  readonly told: (ToldOfVirtqueue | undefined)[];
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
    told: [],
    placedVirtqueues: 0,
    placedDevices: 0,
  };
}

const NAMES_VQ = 1;
const NAMES_DEV = 2;

/** Per kind: what its lines name. */
const NAMES: Uint8Array = (() => {
  const names = new Uint8Array(256);
  for (const name of Object.keys(EVENTS) as EventName[]) {
    const { code, text } = eventDefinition(name);
    if (text?.columns.includes('vq') === true) names[code] |= NAMES_VQ;
    if (text?.columns.includes('dev') === true) names[code] |= NAMES_DEV;
  }
  return names;
})();
const VQ = 2 * SLOT.vq;
const DEV = 2 * SLOT.dev;

/**
 * Puts ids in the place of the kernel addresses of `vq` and `dev` in a line. HOT.
 *
 * @returns whether the line was resolved; false when the trace has MAX_OBJECTS already
 */
export function resolveObjects(objects: RecordingObjects, line: EventLine): boolean {
  const names = NAMES[line.kind];
  if ((names & NAMES_VQ) !== 0 && !resolve(objects.virtqueues, line, VQ)) return false;
  if ((names & NAMES_DEV) !== 0 && !resolve(objects.devices, line, DEV)) return false;
  if (line.kind === KIND.virtqueue) tellDevice(objects, line);
  return true;
}

function resolve(table: ObjectIds, { words }: EventLine, word: number): boolean {
  const id = idOf(table, words[word], words[word + 1]);
  if (id >= MAX_OBJECTS) return false;
  words[word] = id;
  words[word + 1] = 0;
  return true;
}

/** A line says to which device a virtqueue belongs: nothing needs to be concluded from addresses. */
function tellDevice({ told, virtqueues }: RecordingObjects, { words }: EventLine): void {
  told[words[VQ] - virtqueues.firstId] = {
    dev: words[DEV],
    owner: present(words[2 * SLOT.owner]),
    place: present(words[2 * SLOT.place]),
    notified: present(words[2 * SLOT.notified]),
  };
}

function present(value: number): number | undefined {
  return value === 0xffff_ffff ? undefined : value;
}

/** Whether objects have turned up since placeVirtqueues was last called. */
export function hasUnplaced(objects: RecordingObjects): boolean {
  return (
    objects.virtqueues.size !== objects.placedVirtqueues ||
    objects.devices.size !== objects.placedDevices
  );
}

/**
 * Gives virtqueues their devices. Unless a line has told: each belongs to the device with the greatest
 * address below its own. A new device may take virtqueues from others; a new virtqueue takes nothing.
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
    const nearest = below === 0 ? NO_DEV : devices.firstId + deviceOrder[below - 1];
    const dev = objects.told[index]?.dev ?? nearest;
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
  const index = vq - objects.virtqueues.firstId;
  const dev = objects.told[index]?.dev ?? objects.deviceOf[index];
  return dev === undefined || dev === NO_DEV ? undefined : dev;
}

/** What is known of a virtqueue, as a `virtqueue` event has it. */
export function describedVirtqueue(
  objects: RecordingObjects,
  vq: number,
): { vq: number; dev?: number; owner?: number; place?: number; notified?: number } {
  const dev = deviceOfVirtqueue(objects, vq);
  const { owner, place, notified } = objects.told[vq - objects.virtqueues.firstId] ?? {};
  return {
    vq,
    ...(dev !== undefined && { dev }),
    ...(owner !== undefined && { owner }),
    ...(place !== undefined && { place }),
    ...(notified !== undefined && { notified }),
  };
}

/** Virtqueue ids of the recording in the order of their addresses. */
export function virtqueuesByAddress({ virtqueues }: RecordingObjects): number[] {
  return indexesByAddress(virtqueues).map((index) => virtqueues.firstId + index);
}

/** Kernel address of a virtqueue. */
export function addressOfVirtqueue({ virtqueues }: RecordingObjects, vq: number): bigint {
  return virtqueues.addresses[vq - virtqueues.firstId] ?? 0n;
}
