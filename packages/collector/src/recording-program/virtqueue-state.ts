/**
 * What is read of struct vhost_virtqueue, always with the types that the kernel's BTF gives. The
 * variable `$vq` is the virtqueue, `$address` its address.
 */
import { AREAS, LONGEST_CHAIN, RING_WORD_FLAG, RING_WORD_INDEX } from '@vhostscope/model';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { EVENT_IDX, sizeOfArea } from './area-size.js';
import { notedRange } from './direct-map-state.js';
import { NOT_KNOWN, eventPrintf } from './event-printf.js';
import { emitted, remember } from './emitted-lines.js';
import { knowHeads } from './head-word.js';
import { forgetLook } from './page-looks.js';
import { when, type Statement } from './program-text.js';
import { widenBox } from './ring-box.js';

/** Feature bits of virtio (include/uapi/linux/virtio_config.h). */
export const NOTIFY_ON_EMPTY = 24;
export const IN_ORDER = 35;

/** 1 where the driver of `$vq` uses its buffers in order; no kernel lets it that does not know how (reference §4.7). */
export const IS_IN_ORDER = `((uint64)$vq->acked_features >> ${IN_ORDER}) & 1`;

/** Virtqueues of a device that are looked at where a device is all that a probe knows. */
export const VIRTQUEUES_OF_DEVICE = 16;

/** Takes the virtqueue at an address into `$address` and `$vq`. */
export function takeVirtqueue(address: string): Statement[] {
  return [`$address = (uint64)${address};`, '$vq = (struct vhost_virtqueue *)$address;'];
}

/** Packs the state of the ring into `$ring`, as ring-word.ts of the model has it. */
export function packRing({ mayBeInOrder, metaIotlb }: ProbePlan): Statement[] {
  const flag = (name: keyof typeof RING_WORD_FLAG): string =>
    `$ring |= (uint64)1 << ${RING_WORD_FLAG[name]};`;
  const index = (field: string, name: keyof typeof RING_WORD_INDEX): string =>
    `((uint64)$vq->${field} << ${RING_WORD_INDEX[name]})`;
  return [
    `$ring = (uint64)$vq->last_avail_idx | ${index('avail_idx', 'availIdx')} | ${index('last_used_idx', 'lastUsedIdx')};`,
    // VRING_USED_F_NO_NOTIFY is 1.
    `$ring |= ((uint64)$vq->used_flags & 1) << ${RING_WORD_FLAG.noNotify};`,
    '$features = (uint64)$vq->acked_features;',
    `$ring |= (($features >> ${EVENT_IDX}) & 1) << ${RING_WORD_FLAG.eventIdx};`,
    `$ring |= (($features >> ${NOTIFY_ON_EMPTY}) & 1) << ${RING_WORD_FLAG.notifyOnEmpty};`,
    ...(mayBeInOrder
      ? [`$ring |= (($features >> ${IN_ORDER}) & 1) << ${RING_WORD_FLAG.inOrder};`]
      : []),
    ...when('$vq->signalled_used_valid', [flag('signalledUsedValid')]),
    ...when('(uint64)$vq->call_ctx.ctx != 0', [flag('callEventfd')]),
    ...when('(uint64)$vq->iotlb != 0', [
      flag('iotlb'),
      ...(metaIotlb === undefined ? [] : [flag('metaTold'), ...keptTranslations(metaIotlb)]),
    ]),
  ];
}

/** Notes in `$ring` of which areas the device IOTLB keeps a translation: three pointers from `offset` on. */
function keptTranslations(offset: number): Statement[] {
  return (['metaDesc', 'metaAvail', 'metaUsed'] as const).flatMap((name, area) =>
    when(`*(uint64 *)($address + ${offset + 8 * area}) != 0`, [
      `$ring |= (uint64)1 << ${RING_WORD_FLAG[name]};`,
    ]),
  );
}

/** Notes in `$ring` that vhost-net polls the ring. */
export function noteBusyPoll(): Statement[] {
  return when('$vq->busyloop_timeout != 0', [`$ring |= (uint64)1 << ${RING_WORD_FLAG.busyPoll};`]);
}

/**
 * Counts the descriptors of the first chain that waits, into `$chain`; 0 when none does, the ring is
 * translated by the device IOTLB, or a page of it is not there: a probe cannot fault it in, as the worker
 * will. The driver does not touch the chain before it was used, and the worker runs in the owner's memory.
 */
export function countChain(): Statement[] {
  return [
    '$chain = (uint64)0;',
    '$waiting = (uint64)$vq->last_avail_idx;',
    ...when('(uint64)$vq->iotlb == 0', [
      // What cannot be read is 0.
      '$made = (uint64)*(uint16 *)uptr((uint64)$vq->avail + 2);',
      ...when(
        '$made != 0 && $made != $waiting && (($made - $waiting) & 0xffff) <= (uint64)$vq->num',
        walkChain('$waiting'),
      ),
    ]),
  ];
}

/** Entries of an avail ring whose index and entries share a page, however it lies in it. */
const SURELY_ONE_PAGE = 1024;

/**
 * Counts the descriptors of the chain whose head stands at an index of the avail ring, into `$chain`; 0
 * when one of them cannot be read, or is none that a driver makes.
 */
export function walkChain(index: string): Statement[] {
  const NEXT = 1;
  const INDIRECT = 4;
  const read = [
    '$flags = *(uint16 *)uptr($at + 12);',
    // No buffer lies at 0: the descriptor could not be read.
    ...when('*(uint64 *)uptr($at) == 0', ['$isRead = (uint64)0;']),
  ];
  return [
    '$desc = (uint64)$vq->desc;',
    `$slot = ${index} & ((uint64)$vq->num - 1);`,
    '$head = (uint64)*(uint16 *)uptr((uint64)$vq->avail + 4 + 2 * $slot);',
    '$isRead = (uint64)1;',
    ...when(`$head == 0 && (uint64)$vq->num > ${SURELY_ONE_PAGE}`, ['$isRead = (uint64)0;']),
    '$at = $desc + 16 * $head;',
    '$chain = (uint64)1;',
    ...read,
    `unroll(${LONGEST_CHAIN}) {`,
    when(`($flags & ${NEXT | INDIRECT}) == ${NEXT}`, [
      '$at = $desc + 16 * (uint64)*(uint16 *)uptr($at + 14);',
      ...read,
      '$chain = $chain + 1;',
    ]),
    '}',
    ...when(`$isRead == 0 || ($flags & ${NEXT | INDIRECT}) == ${NEXT | INDIRECT}`, [
      '$chain = (uint64)0;',
    ]),
  ];
}

/** Virtqueues of a device that runs rounds: rx and tx of vhost-net and vhost-vsock. */
const PAIR = 2;

/**
 * Tells the set-up of the virtqueues of `$vq`'s device that were not told of, idle ones too. `$vq` and
 * `$address` are others after it.
 */
export function tellDevice(plan: ProbePlan): Statement[] {
  return [
    '$first = $address;',
    '$dev = $vq->dev;',
    '$vqs = (uint64)$dev->vqs;',
    '$place = (uint64)0;',
    `unroll(${PAIR}) {`,
    [
      ...when('$place < (uint64)$dev->nvqs', [
        ...takeVirtqueue('*(uint64 *)($vqs + 8 * $place)'),
        ...when('@told[$address] == 0', tellPlaced(plan)),
      ]),
      '$place = $place + 1;',
    ],
    '}',
    ...takeVirtqueue('$first'),
    ...when('@told[$address] == 0', tellVirtqueue(plan)),
  ];
}

/** Tells all that is known of a virtqueue's set-up, and remembers that it was told. */
export function tellVirtqueue(plan: ProbePlan): Statement[] {
  return ['$dev = $vq->dev;', ...placeInDevice(), ...tellPlaced(plan)];
}

/** The same, of the virtqueue at `$place` of `$dev`. */
function tellPlaced(plan: ProbePlan): Statement[] {
  const { notifierField, directMap } = plan;
  const bytes = AREAS.map(sizeOfArea);
  return [
    ...remember('state', '@told[$address]', '(uint64)1'),
    ...(plan.calls === undefined ? [] : knowHeads()),
    ...forgetLook(plan),
    '$mm = (uint64)$dev->mm;',
    '$owner = $dev->mm->owner->tgid;',
    ...remember('state', '@owner[$mm]', '$owner'),
    '$num = (uint64)$vq->num;',
    `$event = ((uint64)$vq->acked_features >> ${EVENT_IDX}) & 1;`,
    '$isSetUp = (uint64)0;',
    ...when('(uint64)$vq->desc != 0', ['$isSetUp = (uint64)1;']),
    ...emitted('state', [
      eventPrintf('virtqueue', {
        vq: '$address',
        dev: '(uint64)$dev',
        owner: '$owner',
        place: '$place',
        notified:
          notifierField === undefined ? NOT_KNOWN : `(uint64)$dev->mm->${notifierField} != 0`,
      }),
      ...AREAS.map((area, index) =>
        eventPrintf('addresses', {
          vq: '$address',
          area: String(index),
          ...(directMap === undefined
            ? {
                address: `(uint64)$vq->${area}`,
                size: `$isSetUp * (${bytes[index] ?? '0'})`,
                invalidateCount: NOT_KNOWN,
              }
            : notedRange(index)),
        }),
      ),
      eventPrintf('iotlb', { vq: '$address', enabled: '(uint64)$vq->iotlb != 0' }),
    ]),
    ...when(
      '(uint64)$vq->iotlb == 0',
      widenBox(
        AREAS.map((area, index) => ({ start: `$vq->${area}`, bytes: `(${bytes[index] ?? '0'})` })),
      ),
    ),
  ];
}

/** Place of the virtqueue in its device, into `$place`; behind those that are looked at it is not known. */
function placeInDevice(): Statement[] {
  return [
    `$place = (uint64)${VIRTQUEUES_OF_DEVICE};`,
    '$i = (uint64)0;',
    '$vqs = (uint64)$dev->vqs;',
    `unroll(${VIRTQUEUES_OF_DEVICE}) {`,
    [
      ...when('$i < (uint64)$dev->nvqs && *(uint64 *)($vqs + 8 * $i) == $address', [
        '$place = $i;',
      ]),
      '$i = $i + 1;',
    ],
    '}',
    ...when(`$place == ${VIRTQUEUES_OF_DEVICE}`, ['@state[cpu]++;']),
  ];
}

/**
 * Runs statements that tell a line of each virtqueue of the device `$dev`, as `$address`. Those of further
 * virtqueues are counted as lost.
 */
export function forEachVirtqueue(body: readonly Statement[]): Statement[] {
  return [
    ...when(`(uint64)$dev->nvqs > ${VIRTQUEUES_OF_DEVICE}`, ['@state[cpu]++;']),
    '$i = (uint64)0;',
    '$vqs = (uint64)$dev->vqs;',
    `unroll(${VIRTQUEUES_OF_DEVICE}) {`,
    [
      ...when('$i < (uint64)$dev->nvqs', ['$address = *(uint64 *)($vqs + 8 * $i);', ...body]),
      '$i = $i + 1;',
    ],
    '}',
  ];
}
