/**
 * Probes of the set-up of rings and the life of devices as the direct-map driver goes about it: under
 * vq->mutex it takes its notifier away, drops the maps, sets the ring up, and registers the notifier again
 * (reference §1.5).
 */
import type { PlannedDirectMap } from '../probe-plan/direct-map-plan.js';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { forgetAccesses } from './access-blocks.js';
import { learnNotifier } from './callback-blocks.js';
import { forgetLogged } from './dirty-log-blocks.js';
import { takeMask } from './direct-map-state.js';
import { emitted, forgetMissed, remember } from './emitted-lines.js';
import { eventPrintf } from './event-printf.js';
import { TASK, when, type ProbeBlock, type Statement } from './program-text.js';
import { SETS_UP_RING, takeNamed } from './ring-ioctl.js';
import { forEachVirtqueue, takeVirtqueue, tellVirtqueue } from './virtqueue-state.js';

/** The device that this task sets up, takes, or gives up. */
const DEVICE = `@device[${TASK}]`;
const ENTERED = ['@device', '@ring'] as const;

/** The virtqueue that it sets up, until that is told. */
const RING = `@ring[${TASK}]`;

/** The device whose notifier it registers. */
const REGISTERS = `@registers[${TASK}]`;

/** A task begins something with a device: whatever it was at before is over, also where no return told it. */
const BEGINS: readonly Statement[] = [
  ...forgetMissed('state', ['@registers']),
  ...forgetMissed('state', ENTERED),
];

/**
 * Whether the notifier at `arg0` is that of the device. Where the return of a set-up was missed, the task
 * may come by with another one, such as KVM's.
 */
const IS_ITS_NOTIFIER = `arg0 == (uint64)(${DEVICE} + @notifier_at[0])`;

export function driverSetUpBlocks(plan: ProbePlan, directMap: PlannedDirectMap): ProbeBlock[] {
  const { ringIoctl } = plan;
  const { register, unregister, dropMaps } = directMap;
  const blocks: ProbeBlock[] = [
    {
      comment: ["A device's notifier is about to go."],
      points: [`kprobe:${unregister}`],
      predicate: `${DEVICE} != 0`,
      body: [
        ...learnNotifier('arg0', DEVICE),
        ...when(
          IS_ITS_NOTIFIER,
          emitted('state', [eventPrintf('notifier', { dev: DEVICE, registered: '0', error: '0' })]),
        ),
      ],
    },
    {
      comment: [
        'A notifier is about to be registered: the ranges of the ring stand, and no callback that is',
        'tested against them can come before.',
      ],
      points: [`kprobe:${register}`],
      predicate: `${DEVICE} != 0 || ${REGISTERS} != 0`,
      body: [
        ...forgetMissed('state', ['@registers']),
        ...when(`${DEVICE} != 0`, [
          ...learnNotifier('arg0', DEVICE),
          ...when(IS_ITS_NOTIFIER, [
            ...remember('state', REGISTERS, DEVICE),
            ...when(`${RING} != 0`, tellRing(plan)),
          ]),
        ]),
      ],
    },
    {
      comment: ['It is registered, or that failed.'],
      points: [`kretprobe:${register}`],
      predicate: `${REGISTERS} != 0`,
      body: [
        ...emitted('state', [
          eventPrintf('notifier', { dev: REGISTERS, registered: '1', error: '(int32)retval' }),
        ]),
        `delete(${REGISTERS});`,
      ],
    },
    dropMaps === undefined
      ? {
          comment: ['The notifier is gone: the maps of the ring follow, and vq->mutex is held.'],
          points: [`kretprobe:${unregister}`],
          predicate: `${RING} != 0`,
          body: [...takeVirtqueue(RING), ...tellDropped()],
        }
      : {
          comment: ['The maps of a virtqueue are dropped.'],
          points: [`kprobe:${dropMaps}`],
          body: [...takeVirtqueue('arg0'), ...tellDropped()],
        },
  ];
  if (ringIoctl === undefined) return blocks;
  return [
    {
      comment: ['A ring is set up.'],
      points: [`kprobe:${ringIoctl}`],
      body: [
        // At every ioctl of the task, as on a stock kernel.
        ...BEGINS,
        ...when(SETS_UP_RING, [
          '$dev = (struct vhost_dev *)arg0;',
          ...takeNamed(),
          ...when('$place < (uint64)$dev->nvqs', [
            ...remember('state', DEVICE, '(uint64)arg0'),
            ...when(`${DEVICE} != 0`, [
              `${RING} = $address;`,
              // Which one is not known, or was not kept: what is told of it here is lost.
              ...when(`${RING} == 0`, ['@state[cpu]++;']),
            ]),
          ]),
        ]),
      ],
    },
    ...blocks,
    {
      comment: ['It is set up, or it failed.'],
      points: [`kretprobe:${ringIoctl}`],
      predicate: `${DEVICE} != 0`,
      body: [...when(`${RING} != 0`, tellRing(plan)), `delete(${DEVICE});`],
    },
  ];
}

export function driverLifeBlocks(plan: ProbePlan, { reset }: PlannedDirectMap): ProbeBlock[] {
  const { setOwner, cleanup } = plan;
  const blocks: ProbeBlock[] = [];
  if (setOwner !== undefined)
    blocks.push(
      {
        comment: ['A process takes a device.'],
        points: [`kprobe:${setOwner}`],
        body: [
          ...BEGINS,
          ...remember('state', DEVICE, '(uint64)arg0'),
          ...(reset === undefined ? tellFresh() : []),
        ],
      },
      leaves(setOwner),
    );
  if (cleanup !== undefined)
    blocks.push(
      {
        comment: ['A device is given up.'],
        points: [`kprobe:${cleanup}`],
        body: [
          ...BEGINS,
          ...remember('state', DEVICE, '(uint64)arg0'),
          '$dev = (struct vhost_dev *)arg0;',
          ...forEachVirtqueue([
            ...(reset === undefined ? emitted('state', [tellReset()]) : []),
            ...['@told', '@round'].map((map) => `delete(${map}[$address]);`),
            ...forgetLogged(plan),
            ...forgetAccesses(plan),
          ]),
        ],
      },
      leaves(cleanup),
    );
  if (reset !== undefined)
    blocks.push(
      {
        comment: ['A virtqueue is reset.'],
        points: [`kprobe:${reset}`],
        body: [
          ...forgetMissed('state', ['@reset']),
          ...remember('state', `@reset[${TASK}]`, '(uint64)arg1'),
        ],
      },
      {
        comment: [],
        points: [`kretprobe:${reset}`],
        predicate: `@reset[${TASK}] != 0`,
        body: [
          `$address = @reset[${TASK}];`,
          ...emitted('state', [tellReset()]),
          `delete(@reset[${TASK}]);`,
        ],
      },
    );
  return blocks;
}

/** The task is through with the device. */
function leaves(name: string): ProbeBlock {
  return {
    comment: [],
    points: [`kretprobe:${name}`],
    predicate: `${DEVICE} != 0`,
    body: [`delete(${DEVICE});`],
  };
}

function tellRing(plan: ProbePlan): Statement[] {
  return [...takeVirtqueue(RING), ...tellVirtqueue(plan), `delete(${RING});`];
}

/** A device without an owner was opened or reset, and no ring of it can have been set up since. */
function tellFresh(): Statement[] {
  return [
    '$dev = (struct vhost_dev *)arg0;',
    ...when('(uint64)$dev->mm == 0', forEachVirtqueue(emitted('state', [tellReset()]))),
  ];
}

function tellReset(): string {
  return eventPrintf('reset', { vq: '$address' });
}

/** The maps that `$vq` has are dropped. */
function tellDropped(): Statement[] {
  return [
    ...takeMask(),
    ...emitted('state', [
      eventPrintf('unmap', {
        vq: '$address',
        mask: '$mask',
        invalidateCount: '$vq->invalidate_count',
      }),
    ]),
  ];
}
