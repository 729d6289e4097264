/** What `replay fleet` shows to people below its head, whether as text or as a page: sentences and tables. */
import {
  counted,
  grouped,
  percent,
  printable,
  seconds,
  type TableColumn,
} from '@vhostscope/terminal';
import { nameWithPins } from '../pinned-pages.js';
import type { Decisions } from '../run-result.js';
import {
  about,
  countOrSpan,
  hitRatio,
  numberColumn,
  textColumn,
  virtqueueName,
} from '../text-parts.js';
import { replayedOf, type FleetResult } from './fleet-result.js';
import type { StormSums } from './storm-sums.js';
import type { WorstVirtqueue } from './worst-virtqueues.js';

export interface FleetTable {
  readonly columns: readonly TableColumn[];
  /** How many of the first columns hold names, which may be shortened. */
  readonly names: number;
  readonly rows: readonly (readonly string[])[];
}

export interface FleetSection {
  /** Sentences. */
  readonly before: readonly string[];
  readonly table?: FleetTable;
  /** A list. */
  readonly items?: readonly string[];
  readonly after?: readonly string[];
}

/** Every text is printable. */
export function fleetSections(result: FleetResult): FleetSection[] {
  // Of nothing there are no figures: not even that there was no storm.
  if (replayedOf(result.runs).length === 0)
    return [
      { before: ['no run was replayed'] },
      { before: [], table: runTable(result) },
      ...failureSections(result),
    ];
  return [
    { before: totalLines(result) },
    { before: [], table: runTable(result) },
    ...failureSections(result),
    ...designSections(result),
    ...worstSections(result),
    ...stormSections(result),
  ];
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

function runTable(result: FleetResult): FleetTable {
  const { runs, totals, designs } = result;
  const pinning = pinningDesigns(runs);
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
    ...(designs.length === 1
      ? ['hit ratio']
      : shown.map((design) => nameWithPins(design, pinning.has(design)))
    ).map(numberColumn),
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
  return { columns, names: named.titles.length, rows };
}

/** Designs that pin the pages of every ring, as a run says. */
function pinningDesigns(runs: FleetResult['runs']): ReadonlySet<string> {
  const all = replayedOf(runs).flatMap(({ comparison }) => comparison.designs);
  return new Set(all.filter(({ pins_pages: pins }) => pins).map(({ design }) => design));
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

function failureSections({ runs }: FleetResult): FleetSection[] {
  const titles = [
    ['unreadable', 'could not be read:'],
    ['not answered', 'not answered by any worker:'],
  ] as const;
  return titles.flatMap(([status, title]) => {
    const failed = runs.flatMap((run) => (run.status === status ? [run] : []));
    if (failed.length === 0) return [];
    const items = failed.map(({ path, error }) =>
      printable(error.includes(path) ? error : `${path}: ${error}`),
    );
    return [{ before: [title], items }];
  });
}

function designSections({ runs, totals, designs }: FleetResult): FleetSection[] {
  if (designs.length < 2) return [];
  const pinning = pinningDesigns(runs);
  return [
    {
      before: ['designs, over all runs'],
      table: {
        columns: [
          textColumn('design'),
          ...['hit ratio', 'fallback', 'ambiguous', 'attempts'].map(numberColumn),
        ],
        names: 1,
        rows: totals.designs.map(({ design, decisions, attempts_span: attempts }) => [
          nameWithPins(design, pinning.has(design)),
          hitRatio(decisions),
          share(decisions, 'fallbacks'),
          share(decisions, 'ambiguous'),
          countOrSpan(attempts),
        ]),
      },
    },
  ];
}

const MOST_SHOWN = 10;

function worstSections({ worst_virtqueues: worst, designs }: FleetResult): FleetSection[] {
  if (worst.length === 0) return [];
  return [
    {
      before: [`virtqueues that lose the most hits${underFirst(designs)}`],
      table: {
        columns: [
          ...['host', 'run', 'virtqueue'].map(textColumn),
          ...['fallbacks', 'accesses', 'hit ratio'].map(numberColumn),
          textColumn('mostly'),
        ],
        names: 2,
        rows: worst.slice(0, MOST_SHOWN).map(worstCells),
      },
    },
  ];
}

/** Which of several designs something is told under. */
function underFirst(designs: readonly string[]): string {
  return designs.length > 1 ? ` under ${designs[0]}` : '';
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

function stormSections({
  totals: { storms },
  runs,
  designs,
  storm_rate: rate,
}: FleetResult): FleetSection[] {
  const limit = `${counted(rate, 'range')} or more over rings of a device in a second, or one under way for more than a tenth of it`;
  if (storms.storms === 0) return [{ before: [`no storm: ${limit}`] }];
  const stormy = replayedOf(runs).filter((run) => run.storms.storms > 0).length;
  const causes: FleetSection = {
    before: [
      `${counted(storms.storms, 'storm')} in ${counted(stormy, 'run')}: ${limit}`,
      `in storms ${counted(storms.ranges, 'range')} and ${counted(storms.accesses, 'access', 'accesses')}, of which ` +
        `${hitRatio(storms)} hit and ${grouped(storms.fallbacks)} fell back${underFirst(designs)}; ` +
        'replay storms tells those of a trace',
    ],
    table: shareTable('cause', storms.causes, storms.ranges),
  };
  if (Object.keys(storms.classes).length === 0) return [causes];
  const { without_stack: untold } = storms;
  return [
    causes,
    {
      before: [],
      table: shareTable('why', storms.classes, storms.ranges - untold),
      after: untold === 0 ? [] : [`of ${counted(untold, 'range')} more no stack was recorded`],
    },
  ];
}

function shareTable(title: string, shares: StormSums['causes'], all: number): FleetTable {
  return {
    columns: [textColumn(title), ...['ranges', 'share', 'storms'].map(numberColumn)],
    names: 1,
    rows: Object.entries(shares).map(([name, { ranges, storms }]) => [
      printable(name),
      grouped(ranges),
      percent(ranges, all),
      grouped(storms),
    ]),
  };
}
