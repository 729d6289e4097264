/** Where the rings of devices lie, and which ranges come over them; for what needs no engine. */
import { hasDetail, wordsAt, type EventBatch } from '../event-batch.js';
import { KIND } from '../events.js';
import { AREA_COUNT } from '../ring.js';

/** First and last byte of an area. */
interface Place {
  readonly first: bigint;
  readonly last: bigint;
}

export interface RingPlaces {
  /** By virtqueue and area; undefined while there is none. */
  readonly places: Map<number, (Place | undefined)[]>;
  readonly deviceOf: Map<number, number>;
  readonly virtqueuesOf: Map<number, Set<number>>;
  readonly ownerOf: Map<number, number>;
  readonly devicesOfOwner: Map<number, Set<number>>;
}

export function createRingPlaces(): RingPlaces {
  return {
    places: new Map(),
    deviceOf: new Map(),
    virtqueuesOf: new Map(),
    ownerOf: new Map(),
    devicesOfOwner: new Map(),
  };
}

/** Notes what an event tells of where rings are. */
export function notePlaces(rings: RingPlaces, batch: EventBatch, i: number): void {
  const { kind, vq: vqs, detail: rows, details } = batch;
  const vq = vqs[i];
  const row = rows[i];
  if (kind[i] === KIND.virtqueue) {
    if (!hasDetail(details, row, 'dev')) return;
    const dev = details.dev[row];
    const before = rings.deviceOf.get(vq);
    if (before !== undefined && before !== dev) rings.virtqueuesOf.get(before)?.delete(vq);
    rings.deviceOf.set(vq, dev);
    memberOf(rings.virtqueuesOf, dev, vq);
    if (!hasDetail(details, row, 'owner')) return;
    const owner = details.owner[row];
    const owned = rings.ownerOf.get(dev);
    if (owned !== undefined && owned !== owner) rings.devicesOfOwner.get(owned)?.delete(dev);
    rings.ownerOf.set(dev, owner);
    memberOf(rings.devicesOfOwner, owner, dev);
  } else if (kind[i] === KIND.reset) {
    rings.places.delete(vq);
  } else if (kind[i] === KIND.addresses) {
    const first = wordsAt(details.address, row);
    const size = wordsAt(details.size, row);
    const areas = rings.places.get(vq) ?? Array.from({ length: AREA_COUNT }, () => undefined);
    areas[details.area[row]] = size === 0n ? undefined : { first, last: first + size - 1n };
    rings.places.set(vq, areas);
  }
}

function memberOf(sets: Map<number, Set<number>>, key: number, member: number): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([member]));
  else set.add(member);
}

/**
 * Virtqueues of a device of which an area touches [start, end]: the drivers take the end as inclusive
 * (reference §1.4, 2).
 */
export function ringsUnder(
  { places, virtqueuesOf }: RingPlaces,
  dev: number,
  start: bigint,
  end: bigint,
): number[] {
  const found: number[] = [];
  for (const vq of virtqueuesOf.get(dev) ?? []) {
    const areas = places.get(vq);
    if (areas?.some((area) => area !== undefined && end >= area.first && start <= area.last))
      found.push(vq);
  }
  return found;
}

/** Whether [start, end] touches any ring of a device, likewise; allocates nothing. */
export function isOverRing(
  { places, virtqueuesOf }: RingPlaces,
  dev: number,
  start: bigint,
  end: bigint,
): boolean {
  const virtqueues = virtqueuesOf.get(dev);
  if (virtqueues === undefined) return false;
  for (const vq of virtqueues) {
    const areas = places.get(vq);
    if (areas === undefined) continue;
    for (const area of areas)
      if (area !== undefined && end >= area.first && start <= area.last) return true;
  }
  return false;
}

/** Areas of a virtqueue that touch [start, end], likewise. */
export function areasUnder(
  { places }: RingPlaces,
  vq: number,
  start: bigint,
  end: bigint,
): number[] {
  return (places.get(vq) ?? []).flatMap((area, number) =>
    area !== undefined && end >= area.first && start <= area.last ? [number] : [],
  );
}
