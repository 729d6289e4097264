/** The result of `replay run` for people. */
import { OUTCOME_MEANING, type Design } from '@vhostscope/model';
import { counted, grouped, percent, tableLines, type TableColumn } from '@vhostscope/terminal';
import { costLines } from './cost-text.js';
import { countLines, lowerBounds } from './hazards-text.js';
import { wrongCountLines } from './wrong-counts.js';
import type { Decisions, RunResult } from './run-result.js';
import { deviceIotlbLines } from './device-iotlb.js';
import { dirtyLogLines } from './dirty-log.js';
import { makersLines } from './invalidation-makers.js';
import {
  about,
  countOrSpan,
  headLines,
  hitRatio,
  numberColumn,
  shareLines,
  virtqueueName,
  textColumn,
} from './text-parts.js';

/** What the table shows beside the columns that it always has. */
interface Extras {
  /** The trace holds several recordings. */
  readonly recordings: boolean;
  /** Some access found the device IOTLB on. */
  readonly iotlb: boolean;
}

export function runText(result: RunResult, design: Design): string {
  const extras: Extras = {
    recordings: result.virtqueues.some(({ recording }) => recording > 0),
    iotlb: result.totals.iotlb > 0,
  };
  const lines = [
    ...headLines(result, design, result.totals.ambiguous),
    '',
    ...totalLines(result, design),
    '',
    ...(result.virtqueues.length === 0
      ? ['no virtqueue: no vhost device was seen']
      : tableLines(columns(extras), rows(result, extras))),
    ...fallbackLines(result.totals),
    ...wrongCountLines(result.wrong_counts, result).map((line) => `  ${line}`),
    ...doubtLines(result),
    ...attemptLines(result),
    ...makersLines(result.makers),
    ...deviceIotlbLines(result.device_iotlb),
    ...dirtyLogLines(result.dirty_log),
    ...costLines(result.cost, design),
    ...(result.hazards === null
      ? []
      : [
          '',
          ...countLines(result.hazards, lowerBounds(result.order, result.hazards_at_least), design),
        ]),
    ...estimateLines(result),
  ];
  return `${lines.join('\n')}\n`;
}

/** Which ranges a design acts on, where it is not those over a ring. */
const OWN_TEST: Readonly<Record<Design['overlap'], string>> = {
  'inclusive-end': '',
  'start-only': ' (the design acts on those that begin below it)',
  always: ' (the design acts on all of its process)',
};

function totalLines(
  { totals, likely, rounds, ranges }: RunResult,
  { overlap, clears }: Design,
): string[] {
  const { accesses, hits, fallbacks, iotlb, ambiguous } = totals;
  const marked = (count: number, text: string): string =>
    about(totals.counts === 'estimated' && count > 0, text);
  const parts = [
    `${marked(hits, counted(hits, 'direct-map hit'))} (${hitRatio(totals)})`,
    marked(fallbacks, counted(fallbacks, 'fallback')),
  ];
  if (iotlb > 0) parts.push(marked(iotlb, `${grouped(iotlb)} by device IOTLB`));
  parts.push(marked(ambiguous, `${grouped(ambiguous)} ambiguous`));
  const overlapping = ranges.overlapping === 0 ? 'none' : grouped(ranges.overlapping);
  const refused = ranges.refused > 0 ? `, ${grouped(ranges.refused)} refused as non-blockable` : '';
  return [
    `${about(totals.counts === 'estimated', counted(accesses, 'access', 'accesses'))}: ${parts.join(', ')}`,
    ...likelyLines(likely),
    `${counted(rounds, 'round')}; ${counted(ranges.start, 'invalidation')}, ${overlapping} of them over a ring${clears === 'never' ? '' : OWN_TEST[overlap]}${refused}`,
  ];
}

/** A point where the sure answer is a span. */
function likelyLines(likely: RunResult['likely']): string[] {
  if (likely === null) return [];
  const { hits, fallbacks, iotlb, open } = likely;
  const told = hits + fallbacks + iotlb;
  if (told === 0) return ['likely: nothing is, beyond what is sure'];
  const rest = open === 0 ? '' : `, of ${percent(told, told + open)} of the accesses`;
  return [
    `likely: ≈${percent(hits, told)} direct-map hits${rest}, if calls, flushes and looks take no time`,
  ];
}

function columns({ recordings, iotlb }: Extras): TableColumn[] {
  return [
    ...(recordings ? [numberColumn('recording')] : []),
    textColumn('virtqueue'),
    textColumn('accessor'),
    numberColumn('accesses'),
    numberColumn('hits'),
    numberColumn('fallbacks'),
    ...(iotlb ? [numberColumn('device IOTLB')] : []),
    numberColumn('ambiguous'),
    numberColumn('hit ratio'),
  ];
}

function rows({ virtqueues }: RunResult, extras: Extras): string[][] {
  return virtqueues.flatMap((virtqueue) => {
    const name = virtqueueName(virtqueue);
    const head = extras.recordings ? [String(virtqueue.recording), name] : [name];
    const body = Object.entries(virtqueue.accessors).map(([accessor, decisions]) => [
      ...head.map(() => ''),
      accessor,
      ...decisionCells(decisions, extras),
    ]);
    return [[...head, 'all', ...decisionCells(virtqueue.totals, extras)], ...body];
  });
}

function decisionCells(decisions: Decisions, extras: Extras): string[] {
  const { accesses, hits, fallbacks, iotlb, ambiguous } = decisions;
  const counts = [accesses, hits, fallbacks, ...(extras.iotlb ? [iotlb] : []), ambiguous];
  const isEstimated = decisions.counts === 'estimated';
  return [
    ...counts.map((count) => about(isEstimated && count > 0, grouped(count))),
    hitRatio(decisions),
  ];
}

/** Why a stock host's trace cannot tell. */
function doubtLines({ doubts, totals }: RunResult): string[] {
  if (doubts === null || totals.ambiguous === 0) return [];
  return [
    '',
    `why ambiguous: ${about(totals.counts === 'estimated', counted(totals.ambiguous, 'access', 'accesses'))}`,
    ...shareLines(
      Object.entries(doubts).map(([meaning, count]) => [meaning, count] as const),
      () => '',
    ),
  ];
}

function estimateLines({ totals }: RunResult): string[] {
  if (totals.counts !== 'estimated' || totals.spans === null) return [];
  const [least, most] = totals.spans.accesses;
  const many =
    most === null ? `at least ${grouped(least)}` : `${grouped(least)} to ${grouped(most)}`;
  return [
    '',
    '≈: concluded from what the indices of the ring moved by, as if each chain were as long as the last that was read',
    '   and no head were fetched twice; collector attach --detail calls counts them. What is sure is only that there',
    `   were ${many}; the hit ratio is that of the estimates (--json has the spans)`,
  ];
}

/** Why accesses did not use the direct map. Ambiguous ones are not among them: they may have. */
function fallbackLines({ fallbacks, iotlb, reasons }: Decisions): string[] {
  const missed = fallbacks + iotlb;
  if (missed === 0) return [];
  const counts = [...Object.entries(reasons), ['iotlb', iotlb] as const];
  return [
    '',
    missed === 1
      ? 'why not the direct map: 1 access'
      : `why not the direct map: ${grouped(missed)} accesses`,
    ...shareLines(counts, (reason) => OUTCOME_MEANING[reason] ?? ''),
  ];
}

const ATTEMPT_MEANING: Readonly<Record<string, string>> = {
  built: 'the area is mapped from then on',
  ambiguous: 'the trace cannot tell how it ended, or whether one was made at all',
};

/** What became of the attempts to map an area. */
function attemptLines({ prefetch, attempts_span: attempts }: RunResult): string[] {
  if (attempts[1] === 0) return [];
  return [
    '',
    `attempts to map an area: ${countOrSpan(attempts)}`,
    ...shareLines(
      Object.entries(prefetch),
      (outcome) => ATTEMPT_MEANING[outcome] ?? OUTCOME_MEANING[outcome] ?? '',
    ),
  ];
}
