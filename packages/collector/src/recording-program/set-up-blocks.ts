/** Probes of the set-up of rings, and of the life of devices: where a design registers its notifier and drops its maps. */
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { forgetAccesses, tellAccess } from './access-blocks.js';
import { emitted } from './emitted-lines.js';
import { eventPrintf, NOT_KNOWN } from './event-printf.js';
import { TASK, when, type ProbeBlock, type Statement } from './program-text.js';
import { forEachVirtqueue, takeVirtqueue, tellVirtqueue } from './virtqueue-state.js';

/** Ioctl numbers (include/uapi/linux/vhost.h); the direct-map design lets go of its maps at these two. */
const VHOST_SET_VRING_NUM = 0x4008_af10;
const VHOST_SET_VRING_ADDR = 0x4028_af11;

/** Predicate of the ring ioctl. */
export const SETS_UP_RING = `arg1 == ${VHOST_SET_VRING_NUM} || arg1 == ${VHOST_SET_VRING_ADDR}`;

/** Runs statements for the virtqueue that the ring ioctl sets up, as `$address` of `$dev`. */
export function whenSetUp(body: readonly Statement[]): Statement[] {
  return [
    '$dev = (struct vhost_dev *)arg0;',
    // The ioctl's argument begins with the number of the virtqueue.
    '$place = (uint64)*(uint32 *)uptr(arg2);',
    ...when('$place < (uint64)$dev->nvqs', [
      '$address = *(uint64 *)((uint64)$dev->vqs + 8 * $place);',
      ...body,
    ]),
  ];
}

export function setUpBlocks(plan: ProbePlan): ProbeBlock[] {
  const { ringIoctl } = plan;
  if (ringIoctl === undefined) return [];
  return [
    {
      comment: [
        'A ring is set up: here the direct-map design unregisters its notifier and drops its maps.',
      ],
      points: [`kprobe:${ringIoctl}`],
      predicate: SETS_UP_RING,
      body: whenSetUp([
        `@setup_vq[${TASK}] = $address;`,
        `@setup_dev[${TASK}] = (uint64)arg0;`,
        ...emitted('state', [
          eventPrintf('notifier', { dev: 'arg0', registered: '0', error: '0' }),
          eventPrintf('unmap', { vq: '$address', mask: NOT_KNOWN, invalidateCount: NOT_KNOWN }),
        ]),
      ]),
    },
    {
      comment: ['It is set up, or it failed: the ring as it is, and the notifier is back.'],
      points: [`kretprobe:${ringIoctl}`],
      predicate: `@setup_vq[${TASK}] != 0`,
      body: [
        ...takeVirtqueue(`@setup_vq[${TASK}]`),
        ...tellVirtqueue(plan),
        ...emitted('state', [
          eventPrintf('notifier', { dev: `@setup_dev[${TASK}]`, registered: '1', error: '0' }),
        ]),
        `delete(@setup_vq[${TASK}]);`,
        `delete(@setup_dev[${TASK}]);`,
      ],
    },
  ];
}

export function lifeBlocks(plan: ProbePlan): ProbeBlock[] {
  const { setOwner, cleanup, initIotlb, initAccess } = plan;
  const blocks: ProbeBlock[] = [];
  if (setOwner !== undefined)
    blocks.push(
      {
        comment: ['A process takes a device: here the direct-map design registers its notifier.'],
        points: [`kprobe:${setOwner}`],
        body: [`@owned[${TASK}] = (uint64)arg0;`],
      },
      {
        comment: [],
        points: [`kretprobe:${setOwner}`],
        predicate: `@owned[${TASK}] != 0`,
        body: [
          ...when(
            'retval == 0',
            emitted('state', [
              eventPrintf('notifier', { dev: `@owned[${TASK}]`, registered: '1', error: '0' }),
            ]),
          ),
          `delete(@owned[${TASK}]);`,
        ],
      },
    );
  if (cleanup !== undefined)
    blocks.push({
      comment: ['A device is given up: maps, sizes and counts go, then the notifier.'],
      points: [`kprobe:${cleanup}`],
      body: [
        '$dev = (struct vhost_dev *)arg0;',
        ...forEachVirtqueue([
          ...emitted('state', [
            eventPrintf('unmap', { vq: '$address', mask: NOT_KNOWN, invalidateCount: NOT_KNOWN }),
            eventPrintf('reset', { vq: '$address' }),
          ]),
          ...['@told', '@before', '@chain'].map((map) => `delete(${map}[$address]);`),
          ...forgetAccesses(plan),
        ]),
        ...emitted('state', [
          eventPrintf('notifier', { dev: 'arg0', registered: '0', error: '0' }),
        ]),
      ],
    });
  if (initIotlb !== undefined)
    blocks.push({
      comment: ['The device IOTLB is switched on: no accessor uses a map from now on.'],
      points: [`kprobe:${initIotlb}`],
      body: [
        '$dev = (struct vhost_dev *)arg0;',
        ...forEachVirtqueue(
          emitted('state', [eventPrintf('iotlb', { vq: '$address', enabled: '1' })]),
        ),
      ],
    });
  if (initAccess !== undefined)
    blocks.push({
      comment: ['A backend is attached: two accesses, outside of any round (reference §4.5).'],
      points: [`kprobe:${initAccess}`],
      body: [
        ...takeVirtqueue('arg0'),
        ...when('(uint64)$vq->private_data != 0', [
          ...tellAccess('put_used_flags'),
          ...tellAccess('get_used_idx'),
        ]),
      ],
    });
  return blocks;
}
