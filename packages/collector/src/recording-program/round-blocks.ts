/** Probes of rounds: the ring before and after each turn of a handler. */
import { HANDLERS } from '@vhostscope/model';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { beginAccesses, countedAccesses, settleAccesses } from './access-blocks.js';
import type { BpftraceDialect } from './bpftrace-dialects.js';
import { tellLogged } from './dirty-log-blocks.js';
import { forgetMissed, remember } from './emitted-lines.js';
import { beginRound, endRound, tellHeldBegin, tellHeldRounds } from './held-rounds.js';
import { lookAtPages } from './page-looks.js';
import { TASK, when, type ProbeBlock } from './program-text.js';
import {
  countChain,
  noteBusyPoll,
  packRing,
  takeVirtqueue,
  tellDevice,
} from './virtqueue-state.js';

/** What is kept of a round of `$address` for its end: when it began, its ring and its first chain by then. */
const ROUND = '@round[$address]';

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
        ...when('$told == 0', [...tellHeldRounds(plan), ...tellDevice(plan)]),
        ...packRing(plan),
        ...noteBusyPoll(),
        ...countChain(),
        ...beginAccesses(plan),
        ...tellHeldBegin(plan),
        '$began = (uint64)nsecs;',
        `${ROUND} = ($began, $ring, $chain);`,
        ...remember('rounds', `@active[${TASK}]`, '$address'),
        ...beginRound(plan),
      ],
    },
    ...handlers.map(({ name, handler }): ProbeBlock => ({
      comment: ['The handler returns: the ring as it left it.'],
      points: [`kretprobe:${name}`],
      body: [
        ...takeVirtqueue(`@active[${TASK}]`),
        ...when('$address != 0', [
          `delete(@active[${TASK}]);`,
          `$round = ${ROUND};`,
          '$began = $round.0;',
          // A full map has not kept it.
          'if ($began == 0) {',
          ['@rounds[cpu]++;'],
          '} else {',
          [
            ...settleAccesses(plan),
            ...packRing(plan),
            ...tellLogged(plan),
            ...endRound(
              plan,
              {
                vq: '$address',
                handler: String(HANDLERS.indexOf(handler)),
                num: '$vq->num',
                chain: '$round.2',
                ringBefore: '$round.1',
                ringAfter: '$ring',
              },
              countedAccesses(plan),
            ),
          ],
          '}',
        ]),
      ],
    })),
  ];
}
