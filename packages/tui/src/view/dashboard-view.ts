/** Everything that the screen shows at one moment, made of a session's state. */
import { SAMPLED_HEADS_OF_VQ, VIRTQUEUE_SAMPLE_SIZE, type Design } from '@vhostscope/model';
import { costFrom, pinsPages, withHost, type Cost } from '@vhostscope/replay';
import { counted } from '@vhostscope/terminal';
import type { ClockView, DashboardView, RecordingView } from '../dashboard.js';
import type { Player } from '../session/player.js';
import type { SessionOptions } from '../session/session-options.js';
import type { Judgement } from '../session/survey.js';
import type { Looking } from '../session/judging.js';
import type { Source } from '../source/source.js';
import { createRecordingAssumptions } from './assumptions.js';
import { addRow, decidedOf, noOutcomes } from './decided.js';
import { viewQueue } from './queue-view.js';
import { viewRecording } from './recording-view.js';
import { viewCauses, viewStorms } from './storm-view.js';
import { grownLately, latelyOf, perSecond, viewVirtqueues } from './virtqueue-view.js';

/** What a view is made of. */
export interface Shown {
  readonly options: SessionOptions;
  readonly source: Source;
  /** Undefined while there is nothing to play. */
  readonly player: Player | undefined;
  readonly first: bigint;
  readonly judgement: Judgement | undefined;
  readonly looking: Looking;
  /** What was chosen last. */
  readonly wanted: Looking;
  readonly vq: number | undefined;
  /** Its recordings follow one another on one clock. */
  readonly areClocksAlike: boolean;
  /** Why nothing goes on any more. */
  readonly failure: string | undefined;
  /** Why its numbers may be wrong. */
  readonly doubt: string | undefined;
  readonly answer: DashboardView['answer'];
  readonly saving: DashboardView['saving'];
  readonly saved: DashboardView['saved'];
  readonly own: RecordingView['own'];
  readonly clock: Pick<
    ClockView,
    'end' | 'isPaused' | 'isLive' | 'isLagging' | 'speed' | 'seeking' | 'keptUntil'
  >;
}

/** @param designs all that can be chosen */
export function createViewBuilder(designs: readonly Design[]): (shown: Shown) => DashboardView {
  const names = designs.map(({ name }) => name);
  const pinning = designs.filter(pinsPages).map(({ name }) => name);
  const assumed = createRecordingAssumptions();
  return (shown) => {
    const { player, first, answer, saving, saved, wanted } = shown;
    const { chosen, beside, window } = shown.looking;
    const at = player?.at ?? 0;
    const head = {
      source: viewSource(shown),
      clock: {
        ...shown.clock,
        at,
        behind: shown.clock.isLive ? (player?.merge.waiting().lag ?? 0) : 0,
        boottime: first + BigInt(at),
        events: player?.account.events ?? 0,
      },
      design: chosen.name,
      beside: beside?.name,
      designs: names,
      pinning,
      window,
      wanted: {
        design: wanted.chosen.name,
        beside: wanted.beside?.name,
        window: wanted.window,
      },
      recording: viewRecording(shown, assumed),
      answer,
      saving,
      saved,
    };
    if (player === undefined) return { ...head, ...NOTHING };
    const { account } = player;
    const lately = latelyOf(account, at);
    const cost = costOf(shown, player);
    const [rate] = cost.rates;
    const change =
      rate === undefined ? undefined : { before: rate.copied, after: rate.mapped ?? rate.copied };
    account.ranges.refresh();
    const comms = new Map<number, string>();
    for (const { pid, comm } of account.invalidations.makers.values()) comms.set(pid, comm);
    const all = viewVirtqueues(account, lately, change, (pid) => comms.get(pid) ?? '');
    return {
      ...head,
      ...all,
      rates: {
        ...all.rates,
        ranges: perSecond(grownLately(account.ranges, lately, 0), lately),
      },
      // A design that maps nothing loses nothing in a storm.
      storms: viewStorms(account, at, rate?.mapped === null ? undefined : change),
      causes: viewCauses(account, lately),
      queue: viewQueue(account, shown.vq, lately),
      costReason: cost.reason ?? undefined,
    };
  };
}

/** As `replay run` has it of all up to this moment. */
function costOf({ options, source, looking: { chosen } }: Shown, { account }: Player): Cost {
  const transmitting = [...account.transmitting];
  const { rows } = account.chosen;
  rows.refresh();
  const { now } = rows;
  const outcomes = noOutcomes();
  let packets = 0;
  for (const vq of transmitting) {
    const row = vq * VIRTQUEUE_SAMPLE_SIZE;
    addRow(outcomes, now, row);
    packets += now[row + SAMPLED_HEADS_OF_VQ] ?? 0;
  }
  const transmitted = { packets, ...decidedOf(outcomes, false) };
  return costFrom(chosen, transmitting, transmitted, withHost(options.cost, source.trace?.index));
}

function viewSource({
  source,
  player,
  failure,
  doubt,
  areClocksAlike,
}: Shown): DashboardView['source'] {
  const late = player?.merge.late ?? 0;
  return {
    name: source.name,
    kind: source.kind,
    state: source.state,
    isEmpty: source.state !== 'ended' && (player?.account.events ?? 0) === 0,
    isStuck: failure !== undefined,
    problems: [
      ...(failure === undefined ? [] : [failure]),
      ...(doubt === undefined ? [] : [doubt]),
      ...source.problems,
      ...(areClocksAlike
        ? []
        : [
            'recordings of this trace overlap in time: sums hold, times and rates may not. ' +
              'One begins, by its clock, before one that stands in front of it has ended. They are shown one behind the other, ' +
              'so that a time is the moment in the first of them that reaches it',
          ]),
      ...(late === 0
        ? []
        : [
            `${counted(late, 'event')} came after later ones of other CPUs had been shown, as their CPU was not heard of in time: ` +
              'what they changed is told too late',
          ]),
    ],
  };
}

const NO_JUDGEMENT = {
  total: decidedOf(noOutcomes(), false),
  window: decidedOf(noOutcomes(), false),
  areas: [],
  reasons: [],
  count: { least: undefined, most: undefined },
  spark: [],
};

const NOTHING = {
  total: NO_JUDGEMENT,
  besideTotal: undefined,
  rates: { rounds: 0, accesses: 0, heads: 0, overlapping: 0, ranges: 0 },
  virtqueues: [],
  storms: [],
  causes: [],
  queue: undefined,
  costReason: undefined,
};
