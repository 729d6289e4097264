/**
 * Where in the used ring the next entry goes, as far as the put_used of a trace tell.
 *
 * vhost_add_used_n splits a put that would pass the end of the ring, and only such a one (reference
 * §4.2). The place at which the kernel starts is not visible: get_used_idx reads it from memory. So
 * every place of the ring is a candidate for its end until it is passed within one put, or until a
 * split shows it. Places count from the first put since the start, modulo num.
 */
export interface UsedPosition {
  /** Entries of the ring; 0 while unknown, when a put may be split anywhere. */
  num: number;
  /** 1 where the end of the ring may be, just before that place. */
  readonly mayEnd: Uint8Array;
  /** How many of them are 1. */
  candidates: number;
  /** Place of the next entry. */
  place: number;
}

/** Nothing is known but the number of entries. */
export function createUsedPosition(num: number): UsedPosition {
  return { num, mayEnd: new Uint8Array(num).fill(1), candidates: num, place: 0 };
}

/** A copy that goes its own way. */
export function copyUsedPosition(position: UsedPosition): UsedPosition {
  return { ...position, mayEnd: position.mayEnd.slice() };
}

/** The kernel has read its place from memory: nothing is known any more. */
export function forgetUsedPosition(position: UsedPosition): void {
  position.mayEnd.fill(1);
  position.candidates = position.num;
}

/** Places of `count` entries from here that are passed within them, and may be the end of the ring. */
function candidatesWithin(position: UsedPosition, count: number): number {
  let found = 0;
  for (let passed = 1; passed < count; passed++) {
    found += position.mayEnd[(position.place + passed) % position.num];
  }
  return found;
}

/** Whether one put of `count` entries can be a whole put, or the second of two. */
export function mayPutWhole(position: UsedPosition, count: number): boolean {
  if (position.num === 0) return true;
  return count <= position.num && candidatesWithin(position, count) < position.candidates;
}

/** Whether the ring can end right after `count` entries, so that a second put must follow. */
export function mayPutFirst(position: UsedPosition, count: number): boolean {
  if (position.num === 0) return true;
  return count < position.num && position.mayEnd[(position.place + count) % position.num] === 1;
}

/** A put of `count` entries is over, and the ring did not end within it. */
export function putWhole(position: UsedPosition, count: number): void {
  const { num, mayEnd } = position;
  if (num === 0) return;
  for (let passed = 1; passed < count; passed++) {
    const place = (position.place + passed) % num;
    position.candidates -= mayEnd[place];
    mayEnd[place] = 0;
  }
  position.place = (position.place + count) % num;
}

/** A put of `count` entries ended at the end of the ring, and a second one follows. */
export function putFirst(position: UsedPosition, count: number): void {
  if (position.num === 0) return;
  position.place = (position.place + count) % position.num;
  position.mayEnd.fill(0);
  position.mayEnd[position.place] = 1;
  position.candidates = 1;
}
