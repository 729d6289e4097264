/** The fields of an event of perf as numbers, and what several of them say together. */
import { createRingWord, ringWord } from '@vhostscope/model';
import { EVENT_IDX } from '../recording-program/area-size.js';
import { IN_ORDER, NOTIFY_ON_EMPTY } from '../recording-program/virtqueue-state.js';
import { VIRTQUEUES_OF_DEVICE } from './probe-definitions.js';

/** Fields of an event, by name. */
export type Fields = ReadonlyMap<string, bigint>;

const FIELD = /(\w+)=(0x[0-9a-f]{1,16}|-?\d{1,20})(?= |$)/g;

export function fieldsOf(text: string): Fields {
  const fields = new Map<string, bigint>();
  for (const [, name = '', value = '0'] of text.matchAll(FIELD)) fields.set(name, BigInt(value));
  return fields;
}

/** A field that is missing could not be read; the kernel gives those 0, too. */
export function getter(fields: Fields): (name: string) => bigint {
  return (name) => fields.get(name) ?? 0n;
}

/** Those of a device, by their places. */
export function virtqueuesOf(fields: Fields): bigint[] {
  const get = getter(fields);
  const count = Math.min(Number(get('count')), VIRTQUEUES_OF_DEVICE);
  return Array.from({ length: count }, (_, place) => get(`vq${place}`));
}

/** The state of a ring, in one word. */
export function ringOf(fields: Fields): bigint {
  const get = getter(fields);
  const features = get('features');
  return ringWord({
    ...createRingWord(),
    lastAvailIdx: Number(get('last_avail')),
    availIdx: Number(get('avail_idx')),
    lastUsedIdx: Number(get('last_used')),
    // VRING_USED_F_NO_NOTIFY is 1.
    noNotify: bit(get('used_flags'), 0) === 1n,
    signalledUsedValid: get('signalled') !== 0n,
    callEventfd: get('call') !== 0n,
    eventIdx: bit(features, EVENT_IDX) === 1n,
    notifyOnEmpty: bit(features, NOTIFY_ON_EMPTY) === 1n,
    iotlb: get('iotlb') !== 0n,
    inOrder: bit(features, IN_ORDER) === 1n,
    busyPoll: get('polls') !== 0n,
  });
}

export function bit(word: bigint, place: number): bigint {
  return (word >> BigInt(place)) & 1n;
}

export function hex(value: bigint): string {
  return value.toString(16);
}
