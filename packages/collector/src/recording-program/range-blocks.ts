/** Probes of invalidations: what the memory manager tells the notifiers of an address space, and on which kernel stack. */
import type { EventName } from '@vhostscope/model';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import type { BpftraceDialect } from './bpftrace-dialects.js';
import { emitted, forgetMissed, remember } from './emitted-lines.js';
import { eventPrintf, NOT_KNOWN } from './event-printf.js';
import { tellHeldRounds } from './held-rounds.js';
import { noteChange } from './page-looks.js';
import { TASK, when, type ProbeBlock, type Statement } from './program-text.js';
import { BOX_MAPS, mayTouchRings } from './ring-box.js';

/** Frames that are kept of a stack: what makes its class stands within the first dozen. */
const STACK_FRAMES = 24;

/** Stacks that are told, so that a map of 4096 keys, the default of bpftrace, never fills up. */
const MOST_STACKS = 3000;

/**
 * The kernel stack, as a number in `$stack`; a stack that is new is printed first. Its number is the time
 * at which it was: two CPUs that meet the same one may give it two. 0 when too many have been told.
 * bpftrace prints a frame a line, which begins with blanks as no event does, and ends each.
 */
function takeStack(): Statement[] {
  const stack = `kstack(${STACK_FRAMES})`;
  return [
    `$stack = @stack[${stack}];`,
    ...when(`$stack == 0 && @stacks[0] < ${MOST_STACKS}`, [
      '$stack = nsecs;',
      `@stack[${stack}] = $stack;`,
      '@stacks[0]++;',
      `printf("stack %llu %d%sstack end\\n", $stack, cpu, ${stack});`,
    ]),
  ];
}

export function rangeBlocks(plan: ProbePlan, dialect: BpftraceDialect): ProbeBlock[] {
  const { endOfMemory } = plan;
  const blocks = [...coreRangeBlocks(plan, dialect), ...flushBlocks(plan, dialect)];
  if (blocks.length === 0 || endOfMemory === undefined) return blocks;
  return [...blocks, forgetMemory(plan, endOfMemory)];
}

function coreRangeBlocks(plan: ProbePlan, { processId }: BpftraceDialect): ProbeBlock[] {
  const { coreRanges } = plan;
  if (coreRanges === undefined) return [];
  const columns = {
    owner: '$owner',
    start: '(uint64)$range->start',
    end: '(uint64)$range->end',
    cause: '(uint64)$range->event',
    // MMU_NOTIFIER_RANGE_BLOCKABLE is bit 0.
    blockable: '(uint64)$range->flags & 1',
    pid: processId,
    stack: NOT_KNOWN,
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
      ...tellHeldRounds(plan),
      ...takeRange(`@call[${TASK}]`),
      ...emitted('ranges', [eventPrintf(event, columns)]),
      `delete(@call[${TASK}]);`,
    ],
  });
  const inBox = mayTouchRings('$mm', '(uint64)$range->start', '(uint64)$range->end');
  const touchesRings = `$owner != 0 && ${inBox}`;
  return [
    {
      comment: [
        'The memory manager calls the notifiers of an address space: only of those that own a device,',
        'and only ranges that may touch a ring; the others are counted.',
      ],
      points: [`kprobe:${coreRanges.start}`],
      body: [
        ...forgetMissed('ranges', ['@call']),
        ...takeRange('arg0'),
        `if (${touchesRings}) {`,
        [
          ...tellHeldRounds(plan),
          // The range is the caller's own, and the same at its end.
          ...remember('ranges', '@begun[(uint64)arg0]', '(uint64)1'),
          ...remember('ranges', `@call[${TASK}]`, '(uint64)arg0'),
          ...takeStack(),
          ...emitted('ranges', [eventPrintf('core_range_start', { ...columns, stack: '$stack' })]),
        ],
        '} else {',
        [
          // One that was refused had no end, and another comes to lie where it was.
          ...when('@begun[(uint64)arg0] != 0', ['delete(@begun[(uint64)arg0]);']),
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
      predicate: `@begun[(uint64)arg0] != 0 || @call[${TASK}] != 0`,
      body: [
        ...forgetMissed('ranges', ['@call']),
        ...when('@begun[(uint64)arg0] != 0', [
          'delete(@begun[(uint64)arg0]);',
          ...takeRange('arg0'),
          ...when('$owner != 0', [
            ...tellHeldRounds(plan),
            ...remember('ranges', `@call[${TASK}]`, '(uint64)arg0'),
            ...emitted('ranges', [eventPrintf('core_range_end', columns)]),
            ...noteChange(plan),
          ]),
        ]),
      ],
    },
    returnOf(coreRanges.end, 'core_range_end_return'),
  ];
}

/** Nobody tells the range where no notifier listens; what follows a change of its pages does. */
function flushBlocks(plan: ProbePlan, { processId }: BpftraceDialect): ProbeBlock[] {
  const { flush, notifierField } = plan;
  if (flush === undefined || notifierField === undefined) return [];
  return [
    {
      comment: [
        'The TLB is flushed: in an address space without notifiers, all that tells of a change.',
      ],
      points: [`kprobe:${flush}`],
      predicate: '@owner[arg0] != 0',
      body: [
        '$flushed = (struct mm_struct *)arg0;',
        ...when(`(uint64)$flushed->${notifierField} == 0`, [
          `if (${mayTouchRings('arg0', 'arg1', 'arg2')}) {`,
          [
            ...tellHeldRounds(plan),
            ...takeStack(),
            ...emitted('ranges', [
              eventPrintf('tlb_flush', {
                owner: '@owner[arg0]',
                start: 'arg1',
                end: 'arg2',
                pid: processId,
                stack: '$stack',
                comm: 'buf(comm, 16)',
              }),
            ]),
            '$mm = arg0;',
            ...noteChange(plan),
          ],
          '} else {',
          ['@elsewhere[cpu]++;'],
          '}',
        ]),
      ],
    },
  ];
}

/**
 * A device holds its owner's address space, so no ring is left in it. Without this the maps would fill up,
 * and an address space that comes to the same place would be taken for the one that is gone.
 */
function forgetMemory({ looks }: ProbePlan, endOfMemory: string): ProbeBlock {
  const maps = ['@owner', ...BOX_MAPS, ...(looks === undefined ? [] : ['@changed'])];
  return {
    comment: ['An address space that owned a device ends.'],
    points: [`kprobe:${endOfMemory}`],
    predicate: '@owner[arg0] != 0',
    body: maps.map((map) => `delete(${map}[arg0]);`),
  };
}
