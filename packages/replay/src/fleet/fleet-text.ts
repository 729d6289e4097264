/** The result of `replay fleet` for people. */
import type { Design } from '@vhostscope/model';
import { counted, grouped, percent, printable, seconds } from '@vhostscope/terminal';
import type { Decisions } from '../run-result.js';
import {
  about,
  countOrSpan,
  hitRatio,
  numberColumn,
  textColumn,
  virtqueueName,
  wrapped,
} from '../text-parts.js';
import { tableWithin } from './fitting-table.js';
import { fleetHeadLines } from './fleet-head-text.js';
import { replayedOf, type FleetResult } from './fleet-result.js';
import type { StormSums } from './storm-sums.js';
import type { WorstVirtqueue } from './worst-virtqueues.js';

/** @param width of the terminal; undefined where there is none, and nothing is shortened */
export function fleetText(
  result: FleetResult,
  designs: readonly Design[],
  width: number | undefined,
): string {
  const lines = [
    ...fleetHeadLines(result, designs),
    '',
    ...totalLines(result),
    '',
    ...runTable(result, width),
    ...failureLines(result),
    ...designTable(result, width),
    ...worstTable(result, width),
    ...stormLines(result, width),
  ];
  return `${lines.join('\n')}\n`;
}

function totalLines({ totals }: FleetResult): string[] {
  const [first] = totals.designs;
  if (first === undefined) return [];
  const { decisions } = first;
  const { accesses, hits, fallbacks, iotlb, ambiguous, counts } = decisions;
  const marked = (count: number, text: string): string =>
    about(counts === 'estimated' && count > 0, text);
  const parts = [
    `${marked(hits, counted(hits, 'direct-map hit'))} (${hitRatio(decisions)})`,
    marked(fallbacks, counted(fallbacks, 'fallback')),
    ...(iotlb > 0 ? [marked(iotlb, `${grouped(iotlb)} by device IOTLB`)] : []),
    marked(ambiguous, `${grouped(ambiguous)} ambiguous`),
  ];
  return [
    `${marked(accesses, counted(accesses, 'access', 'accesses'))}: ${parts.join(', ')}`,
    counted(totals.rounds, 'round'),
  ];
}

/** So many designs have a column of their own in the table of runs. */
const MOST_BESIDE = 3;

const COMPLETE = { true: 'yes', false: 'NO', null: 'not known' } as const;

function runTable(result: FleetResult, width: number | undefined): string[] {
  const { runs, totals, designs } = result;
  const named = nameCells(runs);
  const shown = designs.length > MOST_BESIDE ? designs.slice(0, 1) : designs;
  const ratios = (all: readonly { readonly decisions: Decisions }[]): string[] =>
    shown.map((_, at) => (all[at] === undefined ? '–' : hitRatio(all[at].decisions)));
  const cells = (
    recorded: string,
    all: readonly { readonly decisions: Decisions }[],
    { storms }: StormSums,
    complete: string,
  ): string[] => {
    const first = all[0]?.decisions;
    const count = (many = 0): string =>
      about(first?.counts === 'estimated' && many > 0, grouped(many));
    return [
      seconds(BigInt(recorded)),
      count(first?.accesses),
      ...ratios(all),
      ...(shown.length > 1 ? [] : [count(first?.fallbacks), share(first, 'ambiguous')]),
      grouped(storms),
      complete,
    ];
  };
  const columns = [
    ...named.titles.map(textColumn),
    numberColumn('recorded'),
    numberColumn('accesses'),
    ...(designs.length === 1 ? ['hit ratio'] : shown).map(numberColumn),
    ...(shown.length > 1 ? [] : ['fallbacks', 'ambiguous']).map(numberColumn),
    numberColumn('storms'),
    textColumn('complete'),
  ];
  const rows = runs.map((run, at) => {
    const names = named.cells[at] ?? [];
    if (run.status !== 'replayed')
      return [...names, ...columns.slice(names.length + 1).map(() => '–'), run.status];
    const { recorded_ns: recorded, comparison, storms } = run;
    return [
      ...names,
      ...cells(recorded, comparison.designs, storms, COMPLETE[`${comparison.complete}`]),
    ];
  });
  if (totals.runs > 1)
    rows.push([
      'all',
      ...named.titles.slice(1).map(() => ''),
      ...cells(totals.recorded_ns, totals.designs, totals.storms, ''),
    ]);
  return tableWithin(width, named.titles.length, columns, rows);
}

/** The host names a run where it has no other. */
function nameCells(runs: readonly { readonly host: string; readonly run: string }[]): {
  readonly titles: readonly string[];
  readonly cells: readonly string[][];
} {
  const isByHost = new Set(runs.map(({ host }) => host)).size === runs.length;
  return {
    titles: isByHost ? ['host'] : ['host', 'run'],
    cells: runs.map(({ host, run }) => (isByHost ? [host] : [host, run]).map(printable)),
  };
}

function share(decisions: Decisions | undefined, count: 'fallbacks' | 'ambiguous'): string {
  if (decisions === undefined) return '–';
  const { accesses, counts } = decisions;
  const part = decisions[count];
  return about(counts === 'estimated' && part > 0 && part < accesses, percent(part, accesses));
}

function failureLines({ runs }: FleetResult): string[] {
  const failed = runs.flatMap((run) => (run.status === 'unreadable' ? [run] : []));
  if (failed.length === 0) return [];
  return [
    '',
    'could not be read:',
    ...failed.flatMap(({ path, error }) =>
      wrapped(
        '  ',
        error.includes(path) ? printable(error) : printable(`${path}: ${error}`),
        '    ',
      ),
    ),
  ];
}

function designTable({ totals, designs }: FleetResult, width: number | undefined): string[] {
  if (designs.length < 2) return [];
  return [
    '',
    'designs, over all runs',
    ...tableWithin(
      width,
      1,
      [
        textColumn('design'),
        numberColumn('hit ratio'),
        numberColumn('fallback'),
        numberColumn('ambiguous'),
        numberColumn('attempts'),
      ],
      totals.designs.map(({ design, decisions, attempts_span: attempts }) => [
        design,
        hitRatio(decisions),
        share(decisions, 'fallbacks'),
        share(decisions, 'ambiguous'),
        countOrSpan(attempts),
      ]),
    ),
  ];
}

const MOST_SHOWN = 10;

function worstTable(
  { worst_virtqueues: worst, designs }: FleetResult,
  width: number | undefined,
): string[] {
  if (worst.length === 0) return [];
  const shown = worst.slice(0, MOST_SHOWN);
  return [
    '',
    ...wrapped(
      '',
      `virtqueues that lose the most hits${designs.length > 1 ? ` under ${designs[0]}` : ''}`,
    ),
    ...tableWithin(
      width,
      2,
      [
        textColumn('host'),
        textColumn('run'),
        textColumn('virtqueue'),
        numberColumn('fallbacks'),
        numberColumn('accesses'),
        numberColumn('hit ratio'),
        textColumn('mostly'),
      ],
      shown.map(worstCells),
    ),
  ];
}

function worstCells({ host, run, id, dev, decisions }: WorstVirtqueue): string[] {
  const isEstimated = decisions.counts === 'estimated';
  const [reason] = Object.entries(decisions.reasons).toSorted(([, a], [, b]) => b - a)[0] ?? [''];
  return [
    printable(host),
    printable(run),
    virtqueueName({ id, dev }),
    about(isEstimated, grouped(decisions.fallbacks)),
    about(isEstimated, grouped(decisions.accesses)),
    hitRatio(decisions),
    reason,
  ];
}

function stormLines(
  { totals, runs, designs, storm_rate: rate }: FleetResult,
  width: number | undefined,
): string[] {
  const { storms } = totals;
  const limit = `${counted(rate, 'range')} or more over rings of a device in a second, or one under way for more than a tenth of it`;
  if (storms.storms === 0) return ['', ...wrapped('', `no storm: ${limit}`)];
  const stormy = replayedOf(runs).filter((run) => run.storms.storms > 0).length;
  const under = designs.length > 1 ? ` under ${designs[0]}` : '';
  return [
    '',
    ...wrapped('', `${counted(storms.storms, 'storm')} in ${counted(stormy, 'run')}: ${limit}`),
    ...wrapped(
      '',
      `in storms ${counted(storms.ranges, 'range')} and ${counted(storms.accesses, 'access', 'accesses')}, of which ` +
        `${hitRatio(storms)} hit and ${grouped(storms.fallbacks)} fell back${under}; replay storms tells those of a trace`,
    ),
    ...shareTable('cause', storms.causes, storms.ranges, width),
    ...(Object.keys(storms.classes).length === 0
      ? []
      : [
          '',
          ...shareTable('why', storms.classes, storms.ranges - storms.without_stack, width),
          ...(storms.without_stack === 0
            ? []
            : [`of ${counted(storms.without_stack, 'range')} more no stack was recorded`]),
        ]),
  ];
}

function shareTable(
  title: string,
  shares: StormSums['causes'],
  all: number,
  width: number | undefined,
): string[] {
  return tableWithin(
    width,
    1,
    [textColumn(title), numberColumn('ranges'), numberColumn('share'), numberColumn('storms')],
    Object.entries(shares).map(([name, { ranges, storms }]) => [
      name,
      grouped(ranges),
      percent(ranges, all),
      grouped(storms),
    ]),
  );
}
