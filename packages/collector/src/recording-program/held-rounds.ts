/**
 * Rounds are held back on their CPU and told together. Nearly all that a line costs is bpftrace's work on it, and
 * of that nearly all is once for what one printf prints, however many lines that are (`npm run bench:host`). Held
 * are at most a whole round and the begin of the next one, in the order in which they were. Before a CPU prints
 * anything else it tells them, so that its lines stay in the order of time; its heartbeat does so where nothing
 * else comes. Of a round that ends on another CPU than it began on, each CPU tells what it saw.
 *
 * Nothing happens between a look at what is held and what follows from it: the kernel runs one program of kprobes or
 * of perf events at a time on a CPU (bpf_prog_active), and leaves out those that would interrupt it. A heartbeat that
 * is left out comes with the next, so that what is held waits for two of them at most. fentry programs heed nothing of
 * that: none may touch these maps.
 */
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { emittedTogether } from './emitted-lines.js';
import { eventLine, type EventLine } from './event-printf.js';
import { when, type Statement } from './program-text.js';

/** Of a CPU: when the round began whose begin it holds, and of which virtqueue. */
const BEGUN = '@begun_round[cpu]';

/** Of a CPU, a whole round: when it began and ended, its virtqueue, what fits a word, its ring before and after. */
const WHOLE = '@whole_round[cpu]';

/** How a round ended: expressions of its columns. */
interface RoundEnd {
  readonly vq: string;
  readonly handler: string;
  readonly num: string;
  readonly chain: string;
  readonly ringBefore: string;
  readonly ringAfter: string;
}

/**
 * Whether rounds are held: not where every access is told, for each would set them free, nor of a driver with the
 * direct-map code, of which each round tells attempts.
 */
function holdsBegins({ detail, directMap }: ProbePlan): boolean {
  return detail !== 'accesses' && directMap === undefined;
}

/** At `calls` each round tells its counts too, which are more than the stack of a program can hold twice. */
function holdsWhole({ detail, directMap }: ProbePlan): boolean {
  return detail === 'rounds' && directMap === undefined;
}

const beginLine = (vq: string, time: string): EventLine => eventLine('round', { vq }, time);

const endLine = (end: RoundEnd, time?: string): EventLine =>
  eventLine('round_end', { ...end }, time);

/** In the word of a whole round: handler, chain, entries of the ring. */
const wordOf = ({ handler, num, chain }: RoundEnd): string =>
  `(uint64)${handler} | (${chain} << 8) | ((uint64)${num} << 16)`;

const wholeLines = (): EventLine[] => [
  beginLine('$whole.2', '$whole.0'),
  endLine(
    {
      vq: '$whole.2',
      handler: '$whole.3 & 255',
      num: '$whole.3 >> 16',
      chain: '($whole.3 >> 8) & 255',
      ringBefore: '$whole.4',
      ringAfter: '$whole.5',
    },
    '$whole.1',
  ),
];

/** At the beginning of the program: what the maps hold is known before the first look at them. */
export function declareHeldRounds(plan: ProbePlan): Statement[] {
  const zeros = (count: number): string =>
    Array.from({ length: count }, () => '(uint64)0').join(', ');
  return [
    ...(holdsWhole(plan) ? [`${WHOLE} = (${zeros(6)});`] : []),
    ...(holdsBegins(plan) ? [`${BEGUN} = (${zeros(2)});`] : []),
  ];
}

/** Tells what this CPU holds. Comes before whatever else it prints. */
export function tellHeldRounds(plan: ProbePlan): Statement[] {
  return [
    ...(holdsWhole(plan) ? tellWhole() : []),
    ...(holdsBegins(plan)
      ? [
          `$begun = ${BEGUN};`,
          ...when('$begun.0 != 0', [
            ...emittedTogether([beginLine('$begun.1', '$begun.0')]),
            `delete(${BEGUN});`,
          ]),
        ]
      : []),
  ];
}

function tellWhole(): Statement[] {
  return [
    `$whole = ${WHOLE};`,
    ...when('$whole.0 != 0', [...emittedTogether(wholeLines()), `delete(${WHOLE});`]),
  ];
}

/** Before a round begins on this CPU: tells one that began here before it and has not ended here. */
export function tellHeldBegin(plan: ProbePlan): Statement[] {
  if (!holdsBegins(plan)) return [];
  return [`$begun = ${BEGUN};`, ...when('$begun.0 != 0', tellHeldRounds(plan))];
}

/** A round of `$address` begins at `$began`, after `tellHeldBegin`. */
export function beginRound(plan: ProbePlan): Statement[] {
  return holdsBegins(plan)
    ? [`${BEGUN} = ($began, $address);`]
    : emittedTogether([beginLine('$address', '$began')]);
}

/**
 * A round that began at `$began` ends.
 *
 * @param counted lines that go before that of the end
 */
export function endRound(
  plan: ProbePlan,
  end: RoundEnd,
  counted: readonly EventLine[],
): Statement[] {
  const ended = [...counted, endLine(end)];
  if (!holdsBegins(plan)) return emittedTogether(ended);
  const round = [beginLine(end.vq, '$began'), ...ended];
  return [
    `$begun = ${BEGUN};`,
    `if ($begun.0 == $began && $begun.1 == ${end.vq}) {`,
    [
      `delete(${BEGUN});`,
      ...(holdsWhole(plan)
        ? [
            `$whole = ${WHOLE};`,
            'if ($whole.0 == 0) {',
            [
              `${WHOLE} = ($began, (uint64)nsecs, ${end.vq}, ${wordOf(end)}, ${end.ringBefore}, ${end.ringAfter});`,
            ],
            '} else {',
            [...emittedTogether([...wholeLines(), ...round]), `delete(${WHOLE});`],
            '}',
          ]
        : emittedTogether(round)),
    ],
    '} else {',
    [...tellHeldRounds(plan), ...emittedTogether(ended)],
    '}',
  ];
}
