/**
 * Probes of the dirty log. Each stretch of memory that is logged is counted, with its pages: vhost sets a bit for each,
 * and asks get_user_pages for the page of the log each time. The counts are told at the ends of rounds.
 */
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { emitted, remember } from './emitted-lines.js';
import { eventPrintf } from './event-printf.js';
import { tellHeldRounds } from './held-rounds.js';
import { TASK, when, type ProbeBlock, type Statement } from './program-text.js';

/** Feature bit (include/uapi/linux/vhost.h). */
const VHOST_F_LOG_ALL = 26;

/** Of the stretch that this task logs: for which virtqueue, and how many pages. */
const LOGS = `@logs[${TASK}]`;
const PAGES = `@logged_pages[${TASK}]`;

/** The virtqueue to which this task attaches a backend, which logs outside of any round. */
const ATTACHES = `@attaches[${TASK}]`;

/** Of the virtqueue `$address`, since it was told last: under vq->mutex. */
const COUNTS = ['@log_writes', '@log_bits', '@log_failures'] as const;
const [WRITES, BITS, FAILURES] = COUNTS.map((map) => `${map}[$address]`);

export function dirtyLogBlocks(plan: ProbePlan): ProbeBlock[] {
  const { logWrite, round } = plan;
  if (logWrite === undefined) return [];
  return [
    {
      comment: [
        `A stretch of memory is logged: by whose round it is (${round}), or who attaches a backend.`,
      ],
      points: [`kprobe:${logWrite}`],
      body: [
        `$address = @active[${TASK}];`,
        ...(seesBackends(plan) ? when('$address == 0', [`$address = ${ATTACHES};`]) : []),
        ...when('$address != 0 && arg2 != 0', [
          `${PAGES} = ((arg1 & 4095) + arg2 + 4095) >> 12;`,
          // Neither is kept without the other, so that a stretch is one line that is lost and leaves nothing behind.
          ...when(`${PAGES} != 0`, [
            `${LOGS} = $address;`,
            ...when(`${LOGS} == 0`, [`delete(${PAGES});`]),
          ]),
          ...when(`${LOGS} == 0`, ['@rounds[cpu]++;']),
        ]),
      ],
    },
    {
      comment: ['It is, or get_user_pages failed.'],
      points: [`kretprobe:${logWrite}`],
      predicate: `${LOGS} != 0`,
      body: [
        `$address = ${LOGS};`,
        ...remember('rounds', WRITES ?? '', `${WRITES} + 1`),
        'if ((int32)retval == 0) {',
        remember('rounds', BITS ?? '', `${BITS} + ${PAGES}`),
        '} else {',
        remember('rounds', FAILURES ?? '', `${FAILURES} + 1`),
        '}',
        `delete(${LOGS});`,
        `delete(${PAGES});`,
      ],
    },
  ];
}

/** Where a driver maps itself, who attaches a backend is not probed. */
function seesBackends({ initAccess, directMap }: ProbePlan): boolean {
  return initAccess !== undefined && directMap === undefined;
}

/** A backend is about to be attached to the virtqueue `$address`. */
export function attachesBackend({ logWrite }: ProbePlan): Statement[] {
  return logWrite === undefined ? [] : remember('rounds', ATTACHES, '$address');
}

/** It is attached: what the task logs from then on is not of it. */
export function attachedBackend({ logWrite }: ProbePlan): Statement[] {
  return logWrite === undefined ? [] : [`delete(${ATTACHES});`];
}

/** Tells what was logged for `$vq`, whose `$features` are known; where nothing is logged that costs no map. */
export function tellLogged(plan: ProbePlan): Statement[] {
  if (plan.logWrite === undefined) return [];
  return when(`(($features >> ${VHOST_F_LOG_ALL}) & 1) != 0 || $vq->log_used`, [
    ...when(`${WRITES} != 0`, [
      ...tellHeldRounds(plan),
      ...emitted('rounds', [
        eventPrintf('dirty_log', {
          vq: '$address',
          logWrites: WRITES ?? '',
          logBits: BITS ?? '',
          logFailures: FAILURES ?? '',
        }),
      ]),
      ...forgetLogged(plan),
    ]),
  ]);
}

/** Forgets what was counted for the virtqueue `$address`. */
export function forgetLogged({ logWrite }: ProbePlan): Statement[] {
  return logWrite === undefined ? [] : COUNTS.map((map) => `delete(${map}[$address]);`);
}
