/** Everything that the screen shows at one moment, made of a session's state. */
import { SAMPLED_HEADS_OF_VQ, VIRTQUEUE_SAMPLE_SIZE } from '@vhostscope/model';
import { costFrom, measuredRates, withHost, type CostBasis } from '@vhostscope/replay';
import type { ClockView, DashboardView, RecordingView } from '../dashboard.js';
import type { Player } from '../session/player.js';
import type { SessionOptions } from '../session/session-options.js';
import type { Judgement } from '../session/survey.js';
import type { Looking } from '../session/judging.js';
import type { Source } from '../source/source.js';
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
  readonly vq: number | undefined;
  /** Its recordings follow one another on one clock. */
  readonly areClocksAlike: boolean;
  /** Why nothing goes on any more. */
  readonly failure: string | undefined;
  readonly answer: DashboardView['answer'];
  readonly own: RecordingView['own'];
  readonly clock: Pick<
    ClockView,
    'end' | 'isPaused' | 'isLive' | 'speed' | 'seeking' | 'keptUntil'
  >;
}

export function createViewBuilder(): (shown: Shown) => DashboardView {
  return (shown) => {
    const { options, source, player, first, answer } = shown;
    const { chosen, beside, window } = shown.looking;
    const at = player?.at ?? 0;
    const head = {
      source: viewSource(shown),
      clock: {
        ...shown.clock,
        at,
        boottime: first + BigInt(at),
        earliest: 0,
        events: player?.account.events ?? 0,
      },
      design: chosen.name,
      beside: beside?.name,
      designs: options.designs.map(({ name }) => name),
      window,
      recording: viewRecording(shown),
      answer,
    };
    if (player === undefined) return { ...head, ...NOTHING };
    const { account } = player;
    const lately = latelyOf(account, at);
    const basis = withHost(options.cost, source.trace?.index);
    const [rates] = measuredRates(chosen, basis);
    account.ranges.refresh();
    const names = new Map<number, string>();
    for (const { pid, comm } of account.invalidations.makers.values()) names.set(pid, comm);
    const all = viewVirtqueues(account, lately, rates, (pid) => names.get(pid) ?? '');
    return {
      ...head,
      ...all,
      rates: {
        ...all.rates,
        ranges: perSecond(grownLately(account.ranges, lately, 0), lately),
      },
      storms: viewStorms(account, at, rates),
      causes: viewCauses(account, lately),
      queue: viewQueue(account, shown.vq, lately),
      costReason: whyNoCost(shown, player, basis),
    };
  };
}

/** The rows of the account are up to date. */
function whyNoCost(
  { looking: { chosen } }: Shown,
  { account }: Player,
  basis: CostBasis,
): string | undefined {
  const transmitting = [...account.transmitting];
  const { now } = account.chosen.rows;
  const outcomes = noOutcomes();
  let packets = 0;
  for (const vq of transmitting) {
    const row = vq * VIRTQUEUE_SAMPLE_SIZE;
    addRow(outcomes, now, row);
    packets += now[row + SAMPLED_HEADS_OF_VQ] ?? 0;
  }
  const counted = { packets, ...decidedOf(outcomes, false) };
  return costFrom(chosen, transmitting, counted, basis).reason ?? undefined;
}

function viewSource({ source, player, failure, areClocksAlike }: Shown): DashboardView['source'] {
  const late = player?.merge.late ?? 0;
  return {
    name: source.name,
    kind: source.kind,
    state: source.state,
    isEmpty: source.state !== 'ended' && (player?.account.events ?? 0) === 0,
    isStuck: failure !== undefined,
    problems: [
      ...(failure === undefined ? [] : [failure]),
      ...source.problems,
      ...(areClocksAlike
        ? []
        : [
            'a later recording of the trace begins at a time before the end of one before it: a moment may be of either, ' +
              'and jumps and rates go by the earlier one',
          ]),
      ...(late === 0
        ? []
        : [
            `${late} events came after later ones of other CPUs had been shown, as their CPU was not heard of in time: ` +
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
