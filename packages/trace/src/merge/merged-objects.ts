/**
 * The virtqueues and devices of a merged trace. Of one host, what lies at one kernel address is one object, whichever
 * source names it; of different hosts, and where a source does not tell addresses, each source has its own.
 */
import { InputError } from '../file-errors.js';
import { createObjectIds } from '../object-ids.js';
import { MAX_OBJECTS, type RecordingObjects, type ToldOfVirtqueue } from '../recording-objects.js';
import type { SourceVirtqueue, SurveyedSource } from './source-survey.js';

export interface MergedObjects {
  /** As the trace's writer wants them. */
  readonly objects: RecordingObjects;
  /** Of each source: ids in the merged trace by ids of the source. */
  readonly vqs: readonly Uint32Array[];
  readonly devs: readonly Uint32Array[];
}

/** Places of sources whose addresses are not known, or mean another host's memory, lie behind each other. */
const APART = 64n;

/**
 * @param firstProcess by source, what is added to the numbers of its processes
 * @throws InputError where it cannot be told which objects are the same
 */
export function mergeObjects(
  sources: readonly SurveyedSource[],
  isOneHost: boolean,
  firstProcess: readonly number[],
): MergedObjects {
  if (isOneHost) for (const source of sources) checkIdentity(source, sources);
  const vqs = sources.map(() => new Uint32Array(MAX_OBJECTS));
  const devs = sources.map(() => new Uint32Array(MAX_OBJECTS));
  const virtqueues = new Map<string, number>();
  const devices = new Map<string, number>();
  /** By id in the merged trace. */
  const places: bigint[] = [];
  const told: (ToldOfVirtqueue | undefined)[] = [];
  const deviceOf = new Map<number, number>();

  const idIn = (table: Map<string, number>, key: string): number => {
    const id = table.get(key) ?? table.size;
    table.set(key, id);
    return id;
  };
  const keyOf = (number: number, id: number, address: bigint | undefined): string =>
    isOneHost && address !== undefined ? `at ${address}` : `${number}: ${id}`;

  for (const [number, source] of sources.entries())
    for (const { id, rank, address } of source.virtqueues.values()) {
      const merged = idIn(virtqueues, keyOf(number, id, address));
      vqs[number][id] = merged;
      places[merged] ??=
        isOneHost && address !== undefined
          ? address
          : (BigInt(number + 1) << APART) + (address ?? BigInt(rank));
    }

  // Devices whose addresses are known first: those of the others may be the same ones.
  for (const [number, { devices: named }] of sources.entries())
    for (const [id, address] of named)
      if (address !== undefined) devs[number][id] = idIn(devices, keyOf(number, id, address));
  const byAddress = [...devices]
    .flatMap(([key, id]) => (key.startsWith('at ') ? [{ id, address: BigInt(key.slice(3)) }] : []))
    .toSorted((a, b) => (a.address < b.address ? -1 : 1));
  const deviceAt = (
    number: number,
    { dev, address, isDeviceTold }: SourceVirtqueue,
  ): number | undefined => {
    if (isOneHost && !isDeviceTold && address !== undefined)
      return byAddress.findLast((device) => device.address < address)?.id;
    const isPlaced = dev !== undefined && sources[number].devices.get(dev) !== undefined;
    return isPlaced ? devs[number][dev] : undefined;
  };
  for (const [number, source] of sources.entries())
    for (const one of source.virtqueues.values()) {
      const dev = deviceAt(number, one);
      const merged = vqs[number][one.id];
      if (dev !== undefined && (one.isDeviceTold || !deviceOf.has(merged)))
        deviceOf.set(merged, dev);
    }
  for (const [number, source] of sources.entries()) {
    for (const [id, address] of source.devices) {
      if (address !== undefined) continue;
      const own = [...source.virtqueues.values()].filter(({ dev }) => dev === id);
      const same = own.map((one) => deviceOf.get(vqs[number][one.id]));
      const dev = same.find((one) => one !== undefined) ?? idIn(devices, `${number}: ${id}`);
      devs[number][id] = dev;
      for (const one of own) deviceOf.set(vqs[number][one.id], dev);
    }
  }
  for (const [number, source] of sources.entries())
    for (const { id, owner, place, notified } of source.virtqueues.values()) {
      const merged = vqs[number][id];
      const dev = deviceOf.get(merged);
      if (dev === undefined) continue;
      const before = told[merged];
      told[merged] = {
        dev,
        owner: before?.owner ?? (owner === undefined ? undefined : owner + firstProcess[number]),
        place: before?.place ?? place,
        notified: before?.notified ?? notified,
      };
    }
  if (virtqueues.size > MAX_OBJECTS || devices.size > MAX_OBJECTS)
    throw new InputError(
      `together they name more than ${MAX_OBJECTS} virtqueues or devices, which is more than a trace can have`,
    );
  const objects: RecordingObjects = {
    virtqueues: { ...createObjectIds(0, MAX_OBJECTS), size: virtqueues.size, addresses: places },
    devices: createObjectIds(0, MAX_OBJECTS),
    deviceOf: [],
    told,
    placedVirtqueues: 0,
    placedDevices: 0,
  };
  return { objects, vqs, devs };
}

/** Whether it can be told which objects of a source are those of another. */
function checkIdentity(source: SurveyedSource, sources: readonly SurveyedSource[]): void {
  const { name, virtqueues, devices } = source;
  if (!knowsAddresses(source)) {
    if (sources.every((other) => other === source || areOfOtherProcesses(source, other))) return;
    throw new InputError(
      `${name} does not tell where its virtqueues lie in the kernel's memory, so that nobody knows whether they are ` +
        'those of the other files, unless every file tells of which processes its devices are, as recordings of ' +
        'collector attach do, and these are others: record or import it with --keep-pointers, or merge the texts',
    );
  }
  const other = sources.find((one) => one !== source && mayBeOf(source, one));
  if (other !== undefined)
    throw new InputError(
      `${other.name} tells of a device of which it has no virtqueue, and ${name} does not tell where its devices lie in ` +
        "the kernel's memory, as trace files do not: merge the text that it was made of",
    );
  const placed = new Set([...virtqueues.values()].map(({ dev }) => dev));
  if ([...devices].some(([dev, address]) => address === undefined && !placed.has(dev)))
    throw new InputError(
      `${name} tells of a device of which it has no virtqueue, and a trace file keeps no addresses of devices: merge ` +
        'the text that it was made of',
    );
}

/** Whether a device without an address may be one that another source names by its address alone. */
function mayBeOf(source: SurveyedSource, other: SurveyedSource): boolean {
  const hasUnknown = [...source.devices.values()].some((address) => address === undefined);
  const placed = new Set([...other.virtqueues.values()].map(({ dev }) => dev));
  return (
    hasUnknown &&
    [...other.devices].some(([dev, address]) => address !== undefined && !placed.has(dev))
  );
}

/** Whether a source tells where each of its virtqueues lies in the kernel's memory. */
export function knowsAddresses({ virtqueues }: SurveyedSource): boolean {
  return [...virtqueues.values()].every(({ address }) => address !== undefined);
}

/** A device works on the memory of one process. */
function areOfOtherProcesses(one: SurveyedSource, other: SurveyedSource): boolean {
  const isKnown = ({ virtqueues }: SurveyedSource): boolean =>
    [...virtqueues.values()].every(({ owner }) => owner !== undefined);
  return (
    isKnown(one) && isKnown(other) && [...other.owners].every((owner) => !one.owners.has(owner))
  );
}
