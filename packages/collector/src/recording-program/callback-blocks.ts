/**
 * Probes of vhost's own callbacks. They get the notifier, which lies within the device at a place that the
 * kernel's build decides: it is learnt from the first device whose notifier is seen, and no offset is
 * copied by hand. A callback before that is of a device of which nothing was told yet.
 */
import type { EventName } from '@vhostscope/model';
import type { PlannedDirectMap } from '../probe-plan/direct-map-plan.js';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import type { BpftraceDialect } from './bpftrace-dialects.js';
import { emitted } from './emitted-lines.js';
import { eventPrintf } from './event-printf.js';
import { when, type ProbeBlock, type Statement } from './program-text.js';
import { mayTouchRings } from './ring-box.js';

/** Learns from a notifier of the device at `dev` where in it the notifier lies; others lie outside of it. */
export function learnNotifier(notifier: string, dev: string): Statement[] {
  return when('@notifier_at[0] == 0', [
    // From bpftrace 0.26 on a difference is signed.
    `$distance = (uint64)(${notifier} - ${dev});`,
    ...when('$distance < sizeof(struct vhost_dev)', ['@notifier_at[0] = $distance;']),
  ]);
}

export function callbackBlocks(
  { round, coreRanges }: ProbePlan,
  { start, end }: PlannedDirectMap['callbacks'],
  { processId }: BpftraceDialect,
): ProbeBlock[] {
  /** At its end a range is tested against the rings as they are then, as the driver does it. */
  const told = (event: EventName): Statement[] => [
    '$range = (struct mmu_notifier_range *)arg1;',
    '$mm = (uint64)$range->mm;',
    `if (@owner[$mm] != 0 && ${mayTouchRings('$mm', '(uint64)$range->start', '(uint64)$range->end')}) {`,
    emitted('ranges', [
      eventPrintf(event, {
        dev: '(uint64)(arg0 - @notifier_at[0])',
        start: '(uint64)$range->start',
        end: '(uint64)$range->end',
        cause: '(uint64)$range->event',
        // MMU_NOTIFIER_RANGE_BLOCKABLE is bit 0.
        blockable: '(uint64)$range->flags & 1',
        pid: processId,
        comm: 'buf(comm, 16)',
      }),
    ]),
    // Where the memory manager's call is told, it counts them.
    ...(coreRanges === undefined && event === 'range_start'
      ? ['} else {', ['@elsewhere[cpu]++;'], '}']
      : ['}']),
  ];
  return [
    {
      comment: [
        'Where in a device the notifier lies, from one that was there before us: in a list, what leads',
        'to an entry points to it.',
      ],
      points: [`kprobe:${round}`],
      predicate: '@notifier_at[0] == 0',
      body: [
        '$vq = (struct vhost_virtqueue *)arg0;',
        '$dev = $vq->dev;',
        '$before = (uint64)$dev->mmu_notifier.hlist.pprev;',
        ...when('$before != 0', learnNotifier('*(uint64 *)$before', '(uint64)$dev')),
      ],
    },
    {
      comment: ["vhost's callback is entered: a range is about to change."],
      points: [`kprobe:${start}`],
      predicate: '@notifier_at[0] != 0',
      body: told('range_start'),
    },
    {
      comment: ["vhost's callback is entered: the range has changed."],
      points: [`kprobe:${end}`],
      predicate: '@notifier_at[0] != 0',
      body: told('range_end'),
    },
  ];
}
