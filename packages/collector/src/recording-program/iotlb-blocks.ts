/** Probes of the device IOTLB: what it misses, and what the owner of a device answers. */
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { emitted, remember } from './emitted-lines.js';
import { eventPrintf } from './event-printf.js';
import { tellHeldRounds } from './held-rounds.js';
import { TASK, when, type ProbeBlock, type Statement } from './program-text.js';
import { takeVirtqueue } from './virtqueue-state.js';

/** Set while this task reads a message of a device. */
const READS = `@reads[${TASK}]`;

/** The device to which this task writes a message. */
const ANSWERS = `@answers[${TASK}]`;

/**
 * Where the fields of struct vhost_msg_node lie (drivers/vhost/vhost.h), in bytes. It cannot be read by the kernel's own
 * types: only vhost itself has BTF of it, and bpftrace 0.17 takes that of one module of those that it finds, which may be
 * that of a driver. It holds a union of struct vhost_msg and vhost_msg_v2, then the virtqueue: that it is one of the
 * device shows that it was found.
 */
const U64 = 8;
const IOTLB_MESSAGE = {
  /** In either form: an int and what aligns the next, or two of u32 (include/uapi/linux/vhost_types.h). */
  start: 8,
  /** `__u8 padding[64]` in a union with struct vhost_iotlb_msg. */
  room: 64,
  // struct vhost_iotlb_msg: iova, size and uaddr of u64, then perm.
  iova: 0,
  perm: 3 * U64,
} as const;
const IOVA = IOTLB_MESSAGE.start + IOTLB_MESSAGE.iova;
const PERM = IOTLB_MESSAGE.start + IOTLB_MESSAGE.perm;
const VIRTQUEUE = IOTLB_MESSAGE.start + IOTLB_MESSAGE.room;

export function iotlbBlocks(plan: ProbePlan): ProbeBlock[] {
  return [...missBlocks(plan), ...answerBlocks(plan)];
}

/** What a task begins that is no reading of messages. */
export function readsNoMessage({ misses }: ProbePlan): Statement[] {
  return misses === undefined ? [] : [`delete(${READS});`];
}

function missBlocks(plan: ProbePlan): ProbeBlock[] {
  const { misses } = plan;
  if (misses === undefined) return [];
  return [
    {
      comment: [
        'The owner of a device reads a message, which then waits for its answer in another list.',
      ],
      points: [`kprobe:${misses.read}`],
      body: remember('rounds', READS, '(uint64)1'),
    },
    {
      comment: ['The device IOTLB misses a translation: a message for the owner of the device.'],
      points: [`kprobe:${misses.enqueue}`],
      body: [
        `if (${READS} != 0) {`,
        [`delete(${READS});`],
        '} else {',
        [
          ...takeVirtqueue(`*(uint64 *)(arg2 + ${VIRTQUEUE})`),
          'if ((uint64)$vq->dev == arg0) {',
          [
            ...tellHeldRounds(plan),
            ...emitted('rounds', [
              eventPrintf('iotlb_miss', {
                vq: '$address',
                iova: `*(uint64 *)(arg2 + ${IOVA})`,
                perm: `*(uint8 *)(arg2 + ${PERM})`,
              }),
            ]),
          ],
          '} else {',
          // A line that ought to be here is lost.
          ['@rounds[cpu]++;'],
          '}',
        ],
        '}',
      ],
    },
  ];
}

function answerBlocks(plan: ProbePlan): ProbeBlock[] {
  const { answers } = plan;
  if (answers === undefined) return [];
  const range = { dev: ANSWERS, iova: 'arg1', bytes: '(uint64)(arg2 - arg1 + 1)' };
  return [
    {
      comment: ['The owner of a device writes a message to it.'],
      points: [`kprobe:${answers.write}`],
      body: remember('state', ANSWERS, '(uint64)arg0'),
    },
    tellsAnswer(plan, 'It gives a translation.', answers.add, [
      eventPrintf('iotlb_update', { ...range, perm: 'arg4' }),
    ]),
    tellsAnswer(plan, 'It takes translations back.', answers.remove, [
      eventPrintf('iotlb_invalidate', range),
    ]),
  ];
}

/** Other tables of translations are changed by the same functions. */
function tellsAnswer(
  plan: ProbePlan,
  comment: string,
  name: string,
  prints: readonly string[],
): ProbeBlock {
  return {
    comment: [comment],
    points: [`kprobe:${name}`],
    predicate: `${ANSWERS} != 0`,
    body: [
      `$dev = (struct vhost_dev *)${ANSWERS};`,
      ...when('(uint64)$dev->iotlb == arg0', [
        ...tellHeldRounds(plan),
        ...emitted('state', prints),
        `delete(${ANSWERS});`,
      ]),
    ],
  };
}
