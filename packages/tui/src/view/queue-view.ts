/** All that is told of one virtqueue. */
import {
  accessOutcomes,
  ACCESSORS,
  AMBIGUOUS,
  AREA_COUNT,
  AREAS,
  EVENT_NAMES,
  HIT,
  INVALIDATION_CAUSES,
  IOTLB,
  OUTCOME_NAMES,
  OUTCOMES,
  pinCalls,
  VIRTQUEUE_SAMPLE_SIZE,
  type CallbackSnapshot,
  type VirtqueueSnapshot,
} from '@vhostscope/model';
import type { Account } from '../account/account.js';
import type { SeenRange } from '../account/invalidations.js';
import { valuesAt } from '../account/time-window.js';
import type { HappeningView, QueueDetailView } from '../dashboard.js';
import { addRow, decidedOf, isEstimated, noOutcomes, type Outcomes } from './decided.js';
import type { Lately } from './virtqueue-view.js';

type Slice = QueueDetailView['timeline'][number][number];

/** Undefined where the trace has not told of the virtqueue. */
export function viewQueue(
  account: Account,
  vq: number | undefined,
  lately: Lately,
): QueueDetailView | undefined {
  if (vq === undefined || !account.virtqueues.all.some(({ id }) => id === vq)) return undefined;
  const { chosen, invalidations } = account;
  const { tallies } = chosen.engine;
  const snapshot = chosen.engine.inspect(vq);
  return {
    vq,
    timeline: Array.from({ length: AREA_COUNT }, (_, area) =>
      timelineOf(account, vq, area, lately),
    ),
    addresses: snapshot.areas.map(({ range }) => range ?? NO_ADDRESSES),
    callbacks: snapshot.callbacks.map(describeCallback),
    ranges: invalidations.rangesOf(vq).map((seen) => describeRange(account, seen)),
    attempts: OUTCOME_NAMES.flatMap((name, outcome) => {
      const attempts = tallies.prefetch[OUTCOMES * vq + outcome] ?? 0;
      return attempts > 0 ? [[outcome === HIT ? 'built' : name, attempts] as const] : [];
    }),
    accessors: ACCESSORS.flatMap((name, accessor) => {
      if (accessor === 0 || vq >= tallies.rounds.length) return [];
      const outcomes = accessOutcomes(tallies, vq, accessor);
      const decided = decidedOf(outcomes, isEstimated(tallies, vq, accessor));
      // Where the count may be another one there may have been some.
      return decided.accesses > 0 || decided.isEstimated ? [{ name, decided }] : [];
    }),
    hostWork: [...iotlbWork(account, vq), ...logWork(account, vq)],
    history: snapshot.history.map((entry) => describeEntry(entry, account.options.first)),
  };
}

type Work = QueueDetailView['hostWork'][number];

function iotlbWork({ iotlb, rings }: Account, vq: number): Work[] {
  const counts = iotlb.virtqueues.get(vq);
  if (counts === undefined) return [];
  const { rounds, skipped, misses, metaHits, metaMisses } = counts;
  const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0);
  const buffers = misses.at(-1) ?? 0;
  // A recording may not tell of it.
  const kept: Work[] =
    sum(metaHits) + sum(metaMisses) === 0
      ? []
      : [
          ['meta-IOTLB hits', sum(metaHits)],
          ['meta-IOTLB misses', sum(metaMisses)],
        ];
  const device = iotlb.devices.get(rings.deviceOf.get(vq) ?? -1);
  return [
    ['rounds by the device IOTLB', rounds],
    ['left at once, the ring was missed', skipped],
    ...kept,
    ['misses of the ring', sum(misses) - buffers],
    ['misses of buffers', buffers],
    ['storms of misses of its device', device?.storms ?? 0],
    ['updates by its owner', device?.updates ?? 0],
    ['invalidations by its owner', device?.invalidations ?? 0],
  ];
}

function logWork({ logged }: Account, vq: number): Work[] {
  const counts = logged.get(vq);
  if (counts === undefined) return [];
  return [
    ['writes logged as dirty', counts.writes],
    ['bits set for them', counts.bits],
    ['get_user_pages calls for them', pinCalls(counts)],
    ['of these failed', counts.failures],
  ];
}

const NO_ADDRESSES = { first: 0n, last: -1n };

function timelineOf(
  { chosen: { rows } }: Account,
  vq: number,
  area: number,
  lately: Lately,
): Slice[] {
  const row = vq * VIRTQUEUE_SAMPLE_SIZE;
  const counts = (values: Float64Array): Outcomes => {
    const outcomes = noOutcomes();
    addRow(outcomes, values, row, area);
    return outcomes;
  };
  const all = [...lately.borders.map((border) => counts(valuesAt(rows, border))), counts(rows.now)];
  return all.slice(1).map((after, slice) => {
    const before = all[slice];
    return sliceOf(after.map((count, outcome) => count - before[outcome]));
  });
}

/** What most accesses of a slice became; of as many, the worse. */
function sliceOf(grown: Outcomes): Slice {
  const hits = grown[HIT];
  const ambiguous = grown[AMBIGUOUS];
  const fallbacks = grown.reduce((sum, count) => sum + count, 0) - hits - ambiguous - grown[IOTLB];
  if (hits + ambiguous + fallbacks === 0) return 'none';
  if (fallbacks >= hits && fallbacks >= ambiguous) return 'down';
  return ambiguous >= hits ? 'ambiguous' : 'up';
}

function describeCallback(callback: CallbackSnapshot): string {
  const { isStart, pid, comm, cause, line, effects, isOneOfSeveral } = callback;
  const done = effects.filter(({ state }) => state === 'done').length;
  const which = isStart ? 'start' : 'end';
  const why = INVALIDATION_CAUSES[cause] ?? String(cause);
  const doubt = isOneOfSeveral ? ', one of several alike' : '';
  return `${which} of ${why} by ${comm} (pid ${pid}), line ${line}: ${done} of ${effects.length} areas done${doubt}`;
}

function describeRange(
  { invalidations }: Account,
  seen: SeenRange,
): QueueDetailView['ranges'][number] {
  const { at, start, end, maker, lasted } = seen;
  return {
    at,
    start,
    end,
    cause: maker.cause < 0 ? 'others' : (INVALIDATION_CAUSES[maker.cause] ?? String(maker.cause)),
    className: invalidations.classOf(maker),
    pid: maker.pid,
    comm: maker.comm,
    lasted,
  };
}

function describeEntry(
  { kind, area, line, time, countLow, countHigh }: VirtqueueSnapshot['history'][number],
  first: bigint,
): HappeningView {
  const name = (EVENT_NAMES[kind] ?? String(kind)).replaceAll('_', ' ');
  const where = area < 0 ? '' : ` of ${AREAS[area] ?? area}`;
  const count = countLow === countHigh ? `, count ${countLow}` : '';
  return { at: Number(time - first), line, what: `${name}${where}${count}` };
}
