/** Probes of the set-up of rings, and of the life of devices: where a design registers its notifier and drops its maps. */
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { forgetAccesses, tellAccess } from './access-blocks.js';
import { attachedBackend, attachesBackend, forgetLogged } from './dirty-log-blocks.js';
import { emitted, forgetMissed, remember } from './emitted-lines.js';
import { eventPrintf, NOT_KNOWN } from './event-printf.js';
import { tellHeldRounds } from './held-rounds.js';
import { readsNoMessage } from './iotlb-blocks.js';
import { forgetLook } from './page-looks.js';
import { TASK, when, type ProbeBlock } from './program-text.js';
import { SETS_UP_RING, takeNamed, takeNamedAt } from './ring-ioctl.js';
import { forEachVirtqueue, takeVirtqueue, tellVirtqueue } from './virtqueue-state.js';

/** What the ioctl keeps for its return: the device, where its argument lies, the virtqueue if it is known. */
const KEPT = ['@setup_dev', '@setup_arg', '@setup_vq'] as const;

export function setUpBlocks(plan: ProbePlan): ProbeBlock[] {
  const { ringIoctl } = plan;
  if (ringIoctl === undefined) return [];
  const [dev = '', argument = '', vq = ''] = KEPT.map((map) => `${map}[${TASK}]`);
  const unmap = eventPrintf('unmap', {
    vq: '$address',
    mask: NOT_KNOWN,
    invalidateCount: NOT_KNOWN,
  });
  return [
    {
      comment: [
        'A ring is set up: here the direct-map design unregisters its notifier and drops its maps.',
      ],
      points: [`kprobe:${ringIoctl}`],
      body: [
        // Of every ioctl of the task: the return that was missed may be taken for the next one's otherwise.
        ...forgetMissed('state', KEPT),
        ...when(SETS_UP_RING, [
          ...tellHeldRounds(plan),
          '$dev = (struct vhost_dev *)arg0;',
          ...takeNamed(),
          ...when('$place < (uint64)$dev->nvqs', [
            ...remember('state', dev, '(uint64)arg0'),
            ...remember('state', argument, '(uint64)arg2'),
            // Where it is not kept, the return takes it from the argument.
            `${vq} = $address;`,
            ...emitted('state', [
              eventPrintf('notifier', { dev: 'arg0', registered: '0', error: '0' }),
            ]),
            'if ($address != 0) {',
            emitted('state', [unmap]),
            '} else {',
            // Whose maps are dropped is not known: a line that ought to be here is lost.
            ['@state[cpu]++;'],
            '}',
          ]),
        ]),
      ],
    },
    {
      comment: ['It is set up, or it failed: the ring as it is, and the notifier is back.'],
      points: [`kretprobe:${ringIoctl}`],
      predicate: `${dev} != 0`,
      body: [
        ...tellHeldRounds(plan),
        `$dev = (struct vhost_dev *)${dev};`,
        `$argument = ${argument};`,
        `$address = ${vq};`,
        ...when('$address == 0', [
          ...takeNamedAt('$argument'),
          ...when('$address != 0', emitted('state', [unmap])),
        ]),
        ...when('$address != 0', [...takeVirtqueue('$address'), ...tellVirtqueue(plan)]),
        ...emitted('state', [eventPrintf('notifier', { dev, registered: '1', error: '0' })]),
        ...KEPT.map((map) => `delete(${map}[${TASK}]);`),
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
        body: [
          ...forgetMissed('state', ['@owned']),
          ...remember('state', `@owned[${TASK}]`, '(uint64)arg0'),
        ],
      },
      {
        comment: [],
        points: [`kretprobe:${setOwner}`],
        predicate: `@owned[${TASK}] != 0`,
        body: [
          ...tellHeldRounds(plan),
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
        ...tellHeldRounds(plan),
        '$dev = (struct vhost_dev *)arg0;',
        ...forEachVirtqueue([
          ...emitted('state', [
            eventPrintf('unmap', { vq: '$address', mask: NOT_KNOWN, invalidateCount: NOT_KNOWN }),
            eventPrintf('reset', { vq: '$address' }),
          ]),
          ...['@told', '@round'].map((map) => `delete(${map}[$address]);`),
          ...forgetLook(plan),
          ...forgetLogged(plan),
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
        ...tellHeldRounds(plan),
        '$dev = (struct vhost_dev *)arg0;',
        ...forEachVirtqueue(
          emitted('state', [eventPrintf('iotlb', { vq: '$address', enabled: '1' })]),
        ),
      ],
    });
  if (initAccess !== undefined) {
    blocks.push({
      comment: ['A backend is attached: two accesses, outside of any round (reference §4.5).'],
      points: [`kprobe:${initAccess}`],
      body: [
        ...tellHeldRounds(plan),
        ...takeVirtqueue('arg0'),
        ...readsNoMessage(plan),
        ...attachesBackend(plan),
        ...when('(uint64)$vq->private_data != 0', [
          ...tellAccess('put_used_flags'),
          ...tellAccess('get_used_idx'),
        ]),
      ],
    });
    const attached = attachedBackend(plan);
    if (attached.length > 0)
      blocks.push({ comment: [], points: [`kretprobe:${initAccess}`], body: attached });
  }
  return blocks;
}
