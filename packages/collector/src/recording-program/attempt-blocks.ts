/** Probes of the driver's attempts to map an area, and of the pages that they get (reference §1.3). */
import { PAGE_BYTES } from '@vhostscope/model';
import type { PlannedAttempts } from '../probe-plan/direct-map-plan.js';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { AREA_NUMBERS, hasMap } from './direct-map-state.js';
import { emitted, forgetMissed, remember } from './emitted-lines.js';
import { eventPrintf } from './event-printf.js';
import { TASK, when, type ProbeBlock, type Statement } from './program-text.js';
import { takeVirtqueue } from './virtqueue-state.js';

/** Results as the table of events has them. */
const BUILT = '0';
const REFUSED = '-14';
const TOO_FEW = '14';
/** The driver says 14 here too. */
const NOT_CONTIGUOUS = '77';

/** Where the pages were not asked for. */
const NOT_CALLED = '-1000';
/** What an attempt returns then, by its low half: EFAULT where it was refused, ENOMEM where there was no room. */
const RETURNED_EARLY = [-14, -12].map((result) => 2 ** 32 + result);

/**
 * An attempt whose pages were asked for, and of which nothing was kept (a map is full, or the kernel has skipped the
 * return that told): a line that is lost, and not an attempt without such pages.
 */
const NOT_KEPT = '@rounds[cpu]++;';

export function attemptBlocks(
  plan: ProbePlan,
  attempts: PlannedAttempts | undefined,
): ProbeBlock[] {
  if (attempts === undefined) return [];
  const { attempt, getPages } = attempts;
  return attempt === undefined
    ? blocksOfRound(plan.round, getPages)
    : blocksOfAttempt(attempt, getPages);
}

/** The attempt is a function: what it returns, and what the one that takes the pages returned in it. */
function blocksOfAttempt(attempt: string, getPages: string): ProbeBlock[] {
  const vq = `@attempt[${TASK}]`;
  /** One more than its number, and one more than the pages that were got: an entry that is not there is 0. */
  const area = `@area[${TASK}]`;
  const got = `@got[${TASK}]`;
  return [
    {
      comment: ['The driver tries to map an area.'],
      points: [`kprobe:${attempt}`],
      body: [
        ...forgetMissed('rounds', ['@attempt', '@area', '@got']),
        ...remember('rounds', vq, '(uint64)arg0'),
        ...remember('rounds', area, '((uint64)arg1 & 0xffffffff) + 1'),
      ],
    },
    {
      comment: ['The pages that it got.'],
      points: [`kretprobe:${getPages}`],
      predicate: `${vq} != 0`,
      body: [`${got} = ((uint64)retval & 0xffffffff) + 1;`],
    },
    {
      comment: ['It has a map, or not.'],
      points: [`kretprobe:${attempt}`],
      predicate: `${vq} != 0`,
      body: [
        ...takeVirtqueue(vq),
        ...AREA_NUMBERS.flatMap((number) =>
          when(`${area} == ${number + 1}`, [
            `$wanted = ${wantedPages(number)};`,
            `if (${got} == 0) {`,
            [
              `if (${RETURNED_EARLY.map((low) => `((uint64)retval & 0xffffffff) == ${low}`).join(' || ')}) {`,
              tell(number, '(int32)retval', NOT_CALLED),
              '} else {',
              [NOT_KEPT],
              '}',
            ],
            '} else {',
            [
              `$got = (uint64)(${got} - 1);`,
              `if (((uint64)retval & 0xffffffff) == ${TOO_FEW} && $got == $wanted) {`,
              tell(number, NOT_CONTIGUOUS, '$got'),
              '} else {',
              tell(number, '(int32)retval', '$got'),
              '}',
            ],
            '}',
          ]),
        ),
        ...[vq, area, got].map((entry) => `delete(${entry});`),
      ],
    },
  ];
}

/** Of an area that has no map when its round begins: whether its pages were asked for. */
const ABSENT = 1;
const ASKED_FOR = 2;

/**
 * The attempt is inlined into the round's beginning. An area that has no map then is tried, as nobody else
 * builds one. Pages that were taken whole, and a map when the round's beginning returns: it was built. A
 * range that takes such a map away at once makes it look as if the pages were not contiguous; no access
 * comes between.
 */
function blocksOfRound(round: string, getPages: string): ProbeBlock[] {
  const vq = `@prefetching[${TASK}]`;
  const area = (number: number): readonly [absent: string, got: string] => [
    `@absent[${TASK}, ${number}]`,
    `@taken[${TASK}, ${number}]`,
  ];
  const tried = `@tried[${TASK}]`;
  return [
    {
      comment: ['Attempts to map areas begin: those that have no map.'],
      points: [`kprobe:${round}`],
      body: [
        ...forgetMissed('rounds', ['@prefetching', '@tried']),
        ...AREA_NUMBERS.flatMap((number) => area(number).map((entry) => `delete(${entry});`)),
        ...takeVirtqueue('arg0'),
        ...when('(uint64)$vq->iotlb == 0', [
          ...remember('rounds', vq, '$address'),
          ...AREA_NUMBERS.flatMap((number) =>
            when(`!(${hasMap(number)})`, remember('rounds', area(number)[0], `(uint64)${ABSENT}`)),
          ),
        ]),
      ],
    },
    {
      comment: ['Pages of an area are asked for: which one, its address tells.'],
      points: [`kprobe:${getPages}`],
      predicate: `${vq} != 0`,
      body: [
        ...takeVirtqueue(vq),
        ...AREA_NUMBERS.flatMap((number) =>
          when(`(uint64)arg0 == (uint64)$vq->uaddrs[${number}].uaddr`, [
            ...when(`${area(number)[0]} != 0`, [`${area(number)[0]} = (uint64)${ASKED_FOR};`]),
            `${tried} = (uint64)${number + 1};`,
          ]),
        ),
      ],
    },
    {
      comment: ['How many there were, and one more, so that none can be told from not asked.'],
      points: [`kretprobe:${getPages}`],
      predicate: `${tried} != 0`,
      body: [
        ...AREA_NUMBERS.flatMap((number) =>
          when(`${tried} == ${number + 1}`, [
            `${area(number)[1]} = ((uint64)retval & 0xffffffff) + 1;`,
          ]),
        ),
        `delete(${tried});`,
      ],
    },
    {
      comment: ['All areas were tried.'],
      points: [`kretprobe:${round}`],
      predicate: `${vq} != 0`,
      body: [
        ...takeVirtqueue(vq),
        ...AREA_NUMBERS.flatMap((number) => {
          const [absent, taken] = area(number);
          return [
            `$wanted = ${wantedPages(number)};`,
            `if (${taken} != 0) {`,
            [
              `$got = (uint64)(${taken} - 1);`,
              'if ($got < $wanted) {',
              tell(number, TOO_FEW, '$got'),
              '} else {',
              [
                `if (${hasMap(number)}) {`,
                tell(number, BUILT, '$got'),
                '} else {',
                tell(number, NOT_CONTIGUOUS, '$got'),
                '}',
              ],
              '}',
            ],
            '} else {',
            [
              ...when(`${absent} == ${ABSENT}`, tell(number, REFUSED, NOT_CALLED)),
              ...when(`${absent} == ${ASKED_FOR}`, [NOT_KEPT]),
            ],
            '}',
            `delete(${taken});`,
            `delete(${absent});`,
          ];
        }),
        `delete(${vq});`,
      ],
    },
  ];
}

/** As the driver computes it: the offset of the area in its first page is not in it (reference §3.1). */
function wantedPages(area: number): string {
  return `((uint64)$vq->uaddrs[${area}].size + ${PAGE_BYTES - 1}) / ${PAGE_BYTES}`;
}

function tell(area: number, result: string, pagesGot: string): Statement[] {
  return emitted('rounds', [
    eventPrintf('prefetch', {
      vq: '$address',
      area: String(area),
      result,
      pagesGot,
      pagesWanted: '$wanted',
    }),
  ]);
}
