/**
 * Probes of the calls that access a ring. Most accessors are inlined into them, so each call is told as
 * the accesses that follow from it and from the state of the ring when it begins (reference §4): the same
 * rules as the model's `deriveAccesses`, as conditions of bpftrace. That both say the same is held on a
 * real kernel, where `replay check` reads what this program prints.
 *
 * A call that fails half-way (a copy faults, a head is out of range) is told as if it had not.
 */
import { ACCESSORS, COUNTER_FIELDS, LONGEST_CHAIN, type Accessor } from '@vhostscope/model';
import type { Detail } from '../probe-plan/detail.js';
import type { PlannedCalls, ProbePlan } from '../probe-plan/probe-plan.js';
import { emitted, emittedTogether } from './emitted-lines.js';
import { eventLine, eventPrintf, NOT_KNOWN, type EventLine } from './event-printf.js';
import {
  addHead,
  beginHeads,
  countAnew,
  forgetHeads,
  headsUpTo,
  IS_UNTOLD,
  noteCounted,
  ofKnown,
  putBy,
  putByIfMany,
  takeHeads,
} from './head-word.js';
import { tellHeldRounds } from './held-rounds.js';
import { when, type ProbeBlock, type Statement } from './program-text.js';
import { EVENT_IDX } from './area-size.js';
import { IS_IN_ORDER, NOTIFY_ON_EMPTY, takeVirtqueue, walkChain } from './virtqueue-state.js';

/** How accesses of `$address` are told: each by a line, or by counters that are told later. */
interface Teller {
  readonly one: (accessor: Accessor, entries?: string) => Statement[];
  /** A head, and its `$chain` descriptors. */
  readonly head: () => Statement[];
  /** Whether lines are to stand in the order of the accesses. */
  readonly inOrder: boolean;
}

const counterOf = (accessor: Accessor): string => `@n_${accessor}[$address]`;

const COUNTERS = ACCESSORS.slice(1).map((name) => counterOf(name as Accessor));

const HEAD_COUNTERS = [counterOf('get_avail_head'), counterOf('get_desc')] as const;

const COUNTING: Teller = {
  one: (accessor) => [`${counterOf(accessor)}++;`, ...noteCounted()],
  head: () => [...addHead(), ...putByIfMany(...HEAD_COUNTERS)],
  inOrder: false,
};

const TELLING: Teller = {
  one: tellAccess,
  head: () => [
    ...tellAccess('get_avail_head'),
    '$i = (uint64)0;',
    `unroll(${LONGEST_CHAIN + 1}) {`,
    [...when('$i < $chain', tellAccess('get_desc')), '$i = $i + 1;'],
    '}',
  ],
  inOrder: true,
};

/** One line for one access. */
export function tellAccess(accessor: Accessor, entries = '1'): Statement[] {
  const columns = {
    vq: '$address',
    accessor: String(ACCESSORS.indexOf(accessor)),
    observed: NOT_KNOWN,
    entries,
  };
  return emitted('accesses', [eventPrintf('access', columns)]);
}

function tellerOf(detail: Detail): Teller | undefined {
  if (detail === 'rounds') return undefined;
  return detail === 'calls' ? COUNTING : TELLING;
}

/** The probes; none for the level `rounds`. */
export function accessBlocks({ detail, calls }: ProbePlan): ProbeBlock[] {
  const teller = tellerOf(detail);
  if (teller === undefined || calls === undefined) return [];
  const { getDescriptor, getDescriptorByAnother, addUsed, addUsedAndSignal, discard } = calls;
  const { enableNotify, disableNotify, availEmpty } = calls;
  return [
    onCall(
      [getDescriptor],
      'arg0',
      ['A head is fetched.'],
      [
        ...(getDescriptorByAnother === undefined ? [] : ['delete(@fetches[$address]);']),
        ...settleHead(teller),
        ...readsIndexIfEmpty(teller, '$fetched'),
      ],
    ),
    ...onCalls(
      getDescriptorByAnother,
      'arg0',
      [
        'It will be fetched by the function above. Where the compiler has put that one into this, the call',
        'before was not told: it is counted as lost.',
      ],
      [
        ...when('@fetches[$address] != 0', ['@accesses[cpu]++;']),
        '@fetches[$address] = (uint64)1;',
      ],
    ),
    onCall(
      [addUsed],
      'arg0',
      ['Buffers are put into the used ring: in two parts where it ends.'],
      [
        ...settleHead(teller),
        ...putsUsed(teller, calls.addUsedCount),
        ...(addUsedAndSignal.length === 0
          ? []
          : when('@signals[$address] != 0', ['delete(@signals[$address]);', ...signals(teller)])),
      ],
    ),
    ...onCalls(
      discard,
      'arg0',
      ['Heads are given back.'],
      [...settleHead(teller), ...headsUpTo('(uint64)(($fetched - (arg1 & 0xffff)) & 0xffff)')],
    ),
    ...signalBlocks(teller, calls),
    ...onCalls(
      enableNotify,
      'arg1',
      ['The driver is asked to notify.'],
      [
        ...inOrder(teller),
        // VRING_USED_F_NO_NOTIFY is 1.
        ...when('((uint64)$vq->used_flags & 1) != 0', [
          ...byEventIdx(teller.one('put_avail_event'), teller.one('put_used_flags')),
          ...teller.one('get_avail_idx'),
        ]),
      ],
    ),
    ...onCalls(
      disableNotify,
      'arg1',
      ['The driver is asked not to.'],
      [
        ...inOrder(teller),
        ...when('((uint64)$vq->used_flags & 1) == 0', byEventIdx([], teller.one('put_used_flags'))),
      ],
    ),
    ...onCalls(
      availEmpty,
      'arg1',
      ['Is there more?'],
      [...inOrder(teller), ...readsIndexIfEmpty(teller)],
    ),
  ];
}

/** At the beginning of the program: bpftrace reads no map that it never writes. */
export function declareCounters({ detail, calls }: ProbePlan): Statement[] {
  if (detail !== 'calls' || calls === undefined) return [];
  return ['$address = (uint64)0;', ...COUNTERS.map((counter) => `${counter} = (uint64)0;`)];
}

/** At the ends of rounds: all accesses are told, or counted and put by for `countedAccesses`. */
export function settleAccesses({ detail, calls, mayBeInOrder }: ProbePlan): Statement[] {
  const teller = tellerOf(detail);
  if (teller === undefined || calls === undefined) return [];
  const settled = [
    ...settleHead(teller),
    ...(teller.inOrder ? [] : [...putBy(...HEAD_COUNTERS), ...countAnew()]),
  ];
  return [...takeHeads(), ...(mayBeInOrder ? when('$heads != 0', settled) : settled)];
}

/** The line that tells at the end of a round what was counted; none where each access has a line. */
export function countedAccesses({ detail, calls }: ProbePlan): EventLine[] {
  return detail === 'calls' && calls !== undefined ? [countersLine()] : [];
}

/** At the beginning of rounds: heads fetched from here on are counted. */
export function beginAccesses(plan: ProbePlan): Statement[] {
  const teller = tellerOf(plan.detail);
  if (teller === undefined || plan.calls === undefined) return [];
  const begin = teller.inOrder
    ? beginHeads()
    : [...takeHeads(), ...tellCounters(plan), ...beginHeads()];
  if (!plan.mayBeInOrder) return begin;
  // By which rules such a virtqueue is accessed is known (reference §4.7), and not told by this program.
  return [
    `if ((${IS_IN_ORDER}) != 0) {`,
    [...forgetHeads(), '@accesses[cpu]++;'],
    '} else {',
    begin,
    '}',
  ];
}

/** Forgets the virtqueue `$address`, which is given up: its counters begin anew. */
export function forgetAccesses({ detail, calls }: ProbePlan): Statement[] {
  if (tellerOf(detail) === undefined || calls === undefined) return [];
  const maps = [
    '@heads',
    ...(calls.addUsedAndSignal.length === 0 ? [] : ['@signals']),
    ...(calls.getDescriptorByAnother === undefined ? [] : ['@fetches']),
  ];
  const entries = maps.map((map) => `${map}[$address]`);
  if (detail === 'calls') entries.push(...COUNTERS);
  return entries.map((entry) => `delete(${entry});`);
}

/** Of virtqueues that were told of: their state is known from the beginning of a round on. */
function onCall(
  points: readonly string[],
  vq: string,
  comment: readonly string[],
  body: readonly Statement[],
): ProbeBlock {
  return {
    comment,
    points: points.map((name) => `kprobe:${name}`),
    body: ofKnown(vq, [...takeVirtqueue(vq), ...body]),
  };
}

function onCalls(
  name: string | undefined,
  vq: string,
  comment: readonly string[],
  body: readonly Statement[],
): ProbeBlock[] {
  return name === undefined ? [] : [onCall([name], vq, comment, body)];
}

/**
 * A head that was fetched since the last look is told: that shows only afterwards, when last_avail_idx
 * has moved. Its descriptors are still the ring's, as it was not put into the used ring yet.
 */
function settleHead(teller: Teller): Statement[] {
  return [
    '$fetched = (uint64)$vq->last_avail_idx;',
    ...when('($heads & 0xffff) != $fetched', [
      '$chain = (uint64)0;',
      ...when('(uint64)$vq->iotlb == 0', walkChain('($fetched - 1)')),
      // Not known where the device IOTLB translates, or where its page was taken since it was read.
      ...when('$chain == 0', ['$chain = (uint64)1;']),
      ...headsUpTo('$fetched', teller.head()),
    ]),
  ];
}

function inOrder(teller: Teller): Statement[] {
  return teller.inOrder ? settleHead(teller) : [];
}

/** vhost_get_vq_desc and vhost_vq_avail_empty read the index where the one they know leaves nothing. */
function readsIndexIfEmpty(
  teller: Teller,
  lastAvailIdx: string = '(uint64)$vq->last_avail_idx',
): Statement[] {
  return when(`(uint64)$vq->avail_idx == ${lastAvailIdx}`, teller.one('get_avail_idx'));
}

function putsUsed(teller: Teller, count: PlannedCalls['addUsedCount']): Statement[] {
  return [
    `$count = (uint64)${count} & 0xffffffff;`,
    '$room = (uint64)((uint64)$vq->num - ((uint64)$vq->last_used_idx & ((uint64)$vq->num - 1)));',
    'if ($room < $count) {',
    [...teller.one('put_used', '$room'), ...teller.one('put_used', '$count - $room')],
    '} else {',
    teller.one('put_used', '$count'),
    '}',
    ...teller.one('put_used_idx'),
  ];
}

/**
 * vhost_signal is inlined into vhost_add_used_and_signal and _n (reference §5.2), which first call
 * vhost_add_used_n: they are told there, behind what it puts.
 */
function signalBlocks(teller: Teller, { signal, addUsedAndSignal }: PlannedCalls): ProbeBlock[] {
  return [
    ...(addUsedAndSignal.length === 0
      ? []
      : [
          onCall(
            addUsedAndSignal,
            'arg1',
            ['The driver will be told of what is put.'],
            ['@signals[$address] = (uint64)1;'],
          ),
        ]),
    ...onCalls(signal, 'arg1', ['The driver is told.'], [...inOrder(teller), ...signals(teller)]),
  ];
}

function signals(teller: Teller): Statement[] {
  return [
    '$features = (uint64)$vq->acked_features;',
    `$onEmpty = ($features >> ${NOTIFY_ON_EMPTY}) & 1;`,
    ...when(
      '(uint64)$vq->call_ctx.ctx != 0 && ($onEmpty == 0 || (uint64)$vq->avail_idx != (uint64)$vq->last_avail_idx)',
      byEventIdx(
        when('$vq->signalled_used_valid', teller.one('get_used_event')),
        teller.one('get_avail_flags'),
      ),
    ),
  ];
}

function byEventIdx(on: readonly Statement[], off: readonly Statement[]): Statement[] {
  const bit = `((uint64)$vq->acked_features >> ${EVENT_IDX}) & 1`;
  if (on.length === 0) return when(`(${bit}) == 0`, off);
  return [`if ((${bit}) != 0) {`, on, '} else {', off, '}'];
}

/** Where accesses are counted: what was counted, if it was not told yet. */
function tellCounters(plan: ProbePlan): Statement[] {
  return when(IS_UNTOLD, [
    ...putBy(...HEAD_COUNTERS),
    ...tellHeldRounds(plan),
    ...emittedTogether([countersLine()]),
  ]);
}

function countersLine(): EventLine {
  const columns = COUNTER_FIELDS.map((field, index) => [field, COUNTERS[index] ?? '']);
  return eventLine('counted', { vq: '$address', ...(Object.fromEntries(columns) as object) });
}
