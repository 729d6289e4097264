/** Probes of invalidations. */
import type { EventName } from '@vhostscope/model';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import type { BpftraceDialect } from './bpftrace-dialects.js';
import { emitted } from './emitted-lines.js';
import { eventPrintf } from './event-printf.js';
import { TASK, when, type ProbeBlock, type Statement } from './program-text.js';

export function rangeBlocks(
  { coreRanges }: ProbePlan,
  { processId }: BpftraceDialect,
): ProbeBlock[] {
  if (coreRanges === undefined) return [];
  const columns = {
    owner: '$owner',
    start: '(uint64)$range->start',
    end: '(uint64)$range->end',
    cause: '(uint64)$range->event',
    // MMU_NOTIFIER_RANGE_BLOCKABLE is bit 0.
    blockable: '(uint64)$range->flags & 1',
    pid: processId,
    comm: 'buf(comm, 16)',
  };
  const takeRange = (from: string): Statement[] => [
    `$range = (struct mmu_notifier_range *)${from};`,
    '$mm = (uint64)$range->mm;',
    '$owner = @owner[$mm];',
  ];
  /** The call whose beginning was told returns: the range is the caller's, and still there. */
  const returnOf = (name: string, event: EventName): ProbeBlock => ({
    comment: [],
    points: [`kretprobe:${name}`],
    predicate: `@call[${TASK}] != 0`,
    body: [
      ...takeRange(`@call[${TASK}]`),
      ...emitted('ranges', [eventPrintf(event, columns)]),
      `delete(@call[${TASK}]);`,
    ],
  });
  // As the design tests it: the end of a range counts as in it.
  const touchesRings =
    '$owner != 0 && (uint64)$range->start <= @high[$mm] && (uint64)$range->end >= @low[$mm]';
  return [
    {
      comment: [
        'The memory manager calls the notifiers of an address space: only of those that own a device,',
        'and only ranges that may touch a ring; the others are counted.',
      ],
      points: [`kprobe:${coreRanges.start}`],
      body: [
        ...takeRange('arg0'),
        `if (${touchesRings}) {`,
        [
          `@under_way[${TASK}]++;`,
          `@call[${TASK}] = (uint64)arg0;`,
          ...emitted('ranges', [eventPrintf('core_range_start', columns)]),
        ],
        '} else {',
        [
          ...when('$owner != 0', ['@elsewhere[cpu]++;']),
          ...when('$owner == 0', ['@foreign[cpu]++;']),
        ],
        '}',
      ],
    },
    returnOf(coreRanges.start, 'core_range_start_return'),
    {
      comment: ['The end of a range whose start was told.'],
      points: [`kprobe:${coreRanges.end}`],
      predicate: `@under_way[${TASK}] > 0`,
      body: [
        ...takeRange('arg0'),
        ...when(touchesRings, [
          `@call[${TASK}] = (uint64)arg0;`,
          ...emitted('ranges', [eventPrintf('core_range_end', columns)]),
          `@under_way[${TASK}]--;`,
          ...when(`@under_way[${TASK}] == 0`, [`delete(@under_way[${TASK}]);`]),
        ]),
      ],
    },
    returnOf(coreRanges.end, 'core_range_end_return'),
  ];
}
