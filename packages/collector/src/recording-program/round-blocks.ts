/** Probes of rounds: the ring before and after each turn of a handler. */
import { HANDLERS } from '@vhostscope/model';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { beginAccesses, settleAccesses } from './access-blocks.js';
import type { BpftraceDialect } from './bpftrace-dialects.js';
import { emitted, forgetMissed } from './emitted-lines.js';
import { eventPrintf } from './event-printf.js';
import { lookAtPages } from './page-looks.js';
import { TASK, when, type ProbeBlock } from './program-text.js';
import { countChain, packRing, takeVirtqueue, tellDevice } from './virtqueue-state.js';

export function roundBlocks(plan: ProbePlan, { moduleStructs }: BpftraceDialect): ProbeBlock[] {
  const { round, handlers } = plan;
  return [
    {
      comment: [
        'A round begins: the ring as it is, and the first chain that waits.',
        'A device that was there before us is told of when one of its virtqueues is first seen.',
      ],
      points: [moduleStructs === 'kprobe' ? `kprobe:vhost:${round}` : `kprobe:${round}`],
      body: [
        ...forgetMissed('rounds', ['@active']),
        ...takeVirtqueue('arg0'),
        '$told = @told[$address];',
        ...lookAtPages(plan),
        ...when('$told == 0', tellDevice(plan)),
        ...packRing(),
        ...countChain(),
        '@before[$address] = $ring;',
        '@chain[$address] = $chain;',
        `@active[${TASK}] = $address;`,
        ...beginAccesses(plan),
        ...emitted('rounds', [eventPrintf('round', { vq: '$address' })]),
      ],
    },
    ...handlers.map(({ name, handler }): ProbeBlock => ({
      comment: ['The handler returns: the ring as it left it.'],
      points: [`kretprobe:${name}`],
      predicate: `@active[${TASK}] != 0`,
      body: [
        ...takeVirtqueue(`@active[${TASK}]`),
        ...settleAccesses(plan),
        ...packRing(),
        ...emitted('rounds', [
          eventPrintf('round_end', {
            vq: '$address',
            handler: String(HANDLERS.indexOf(handler)),
            num: '$vq->num',
            chain: '@chain[$address]',
            ringBefore: '@before[$address]',
            ringAfter: '$ring',
          }),
        ]),
        `delete(@active[${TASK}]);`,
      ],
    })),
  ];
}
