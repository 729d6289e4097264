/** The overview: a virtqueue a line, the worst first. */
import type { DashboardView, VirtqueueJudgement, VirtqueueView } from '../dashboard.js';
import { chosenIndex, shownVirtqueues } from './chosen-rows.js';
import { count, packets, rate, sparkline } from './figures.js';
import type { Frame } from './frame.js';
import { words, type Look } from './look.js';
import { mapsSpan } from './map-state.js';
import { ratioSpan } from './ratio-span.js';
import type { ScreenState } from './screen-state.js';
import { fitLine, lineOf, marked, span, widthOf, type Line } from './styled-line.js';
import { firstShown, placeColumns, rowLine, titleLine, type Column } from './table.js';
import { processName, virtqueueName } from './virtqueue-name.js';

export type OverviewPart = Pick<
  DashboardView,
  'virtqueues' | 'total' | 'besideTotal' | 'rates' | 'design' | 'beside' | 'costReason'
> & {
  /** A jump is under way, or the trace is read for the first time. */
  readonly isSeeking: boolean;
};
export type OverviewState = Pick<ScreenState, 'sort' | 'isReversed' | 'filter' | 'search' | 'vq'>;

export function overviewLines(part: OverviewPart, state: OverviewState, frame: Frame): Line[] {
  const { width, height, look } = frame;
  const rows = shownVirtqueues(part.virtqueues, state);
  const head = [...totalLines(part, width, look), listLine(part, rows.length, state, look)];
  // The sign of the chosen row stands before the table.
  const placed = placeColumns(columns(part, look), width - 2);
  const room = Math.max(1, height - head.length - 1);
  const chosen = chosenIndex(rows, (one) => one.vq === state.vq);
  const first = firstShown(chosen, rows.length, room);
  const lines = rows.slice(first, first + room).map((row, at) => {
    const isChosen = first + at === chosen;
    const cursor = span(isChosen ? `${look.glyphs.cursor} ` : '  ');
    const line = [cursor, ...rowLine(placed, row, look.glyphs)];
    return isChosen ? marked(fitLine(line, width, look.glyphs.cut)) : line;
  });
  return [
    ...head,
    [span('  '), ...titleLine(placed, look.glyphs)],
    ...(lines.length > 0 ? lines : [lineOf(noRows(part), 'faint')]),
  ];
}

function noRows({ virtqueues, isSeeking }: OverviewPart): string {
  if (virtqueues.length > 0)
    return '  none of the virtqueues is like that: Esc ends the search, f goes on to another filter';
  return isSeeking
    ? '  the trace is being read: virtqueues are known when that is through'
    : '  no virtqueue yet: none was set up, or told an event';
}

/** All virtqueues together, by each design. */
function totalLines(part: OverviewPart, width: number, look: Look): Line[] {
  const lines = [totalLine(part.design, part.total, width, look)];
  if (part.beside !== undefined && part.besideTotal !== undefined)
    lines.push(totalLine(part.beside, part.besideTotal, width, look));
  lines.push(rateLine(part, width));
  return lines;
}

/** In fewer words where the screen has no room for all. */
function rateLine({ rates }: OverviewPart, width: number): Line {
  const { rounds, accesses, heads, overlapping, ranges } = rates;
  const first = `rounds ${rate(rounds)}  accesses ${rate(accesses)}  heads ${rate(heads)}`;
  const line: Line = [
    span('per second  ', 'faint'),
    span(`${first}  invalidations ${rate(overlapping)} over rings, ${rate(ranges)} in all`),
  ];
  return widthOf(line) <= width
    ? line
    : [
        span('per s  ', 'faint'),
        span(`${first}  ranges ${rate(ranges)}, ${rate(overlapping)} over rings`),
      ];
}

function totalLine(
  design: string,
  { total, window, reasons }: VirtqueueJudgement,
  width: number,
  look: Look,
): Line {
  const { glyphs } = look;
  const why = reasons.map(([reason, accesses]) => `${words(reason, look)} ${count(accesses)}`);
  return fitLine(
    [
      span(words(design, look).padEnd(11), 'strong'),
      span(' now ', 'faint'),
      ratioSpan(window, glyphs),
      span('  all ', 'faint'),
      ratioSpan(total, glyphs),
      span(` of ${count(total.accesses)} accesses`),
      ...(why.length === 0 ? [] : [span('  not: ', 'faint'), span(why.join(', '))]),
    ],
    width,
    glyphs.cut,
  );
}

/** What the list is of, and how it is sorted. */
function listLine(
  { virtqueues, costReason }: OverviewPart,
  shown: number,
  { sort, isReversed, filter, search }: OverviewState,
  look: Look,
): Line {
  const of = filter === 'all' && search === '' ? `${shown}` : `${shown} of ${virtqueues.length}`;
  return [
    span(`${of} virtqueue${virtqueues.length === 1 ? '' : 's'}`, 'strong'),
    span(` by ${sort === 'worst' ? 'misses' : sort}${isReversed ? ', reversed' : ''}`, 'faint'),
    ...(filter === 'all' ? [] : [span(`  only ${filter}`, 'doubt')]),
    ...(search === '' ? [] : [span(`  with "${words(search, look)}"`, 'doubt')]),
    ...(costReason === undefined
      ? []
      : [span(`  Mpps not known: ${words(costReason, look)}`, 'faint')]),
  ];
}

function columns({ beside, design }: OverviewPart, look: Look): Column<VirtqueueView>[] {
  const { glyphs } = look;
  const rated = (
    title: string,
    dispensable: number,
    of: (row: VirtqueueView) => number,
  ): Column<VirtqueueView> => ({
    title,
    width: 6,
    align: 'right',
    dispensable,
    cell: (row) => span(rate(of(row))),
  });
  const second: Column<VirtqueueView>[] =
    beside === undefined
      ? []
      : [
          {
            title: words(beside, look).slice(0, 14),
            width: 15,
            align: 'right',
            dispensable: 0,
            cell: ({ beside: judged }) =>
              judged === undefined ? span(glyphs.nothing) : ratioSpan(judged.window, glyphs),
          },
          {
            title: 'maps',
            width: 4,
            align: 'left',
            dispensable: 4,
            cell: ({ beside: judged }) => (judged === undefined ? span('') : mapsSpan(judged)),
          },
        ];
  return [
    {
      title: 'virtqueue',
      width: 9,
      most: 19,
      align: 'left',
      dispensable: 0,
      cell: (row, width) => span(virtqueueName(row, width)),
    },
    {
      title: 'process',
      width: 18,
      most: 24,
      align: 'left',
      dispensable: 9,
      cell: ({ owner }) =>
        owner === undefined ? span(glyphs.nothing, 'faint') : span(processName(owner, look)),
    },
    {
      title: beside === undefined ? 'hits now' : words(design, look).slice(0, 14),
      width: 15,
      align: 'right',
      dispensable: 0,
      cell: ({ chosen }) => ratioSpan(chosen.window, glyphs),
    },
    {
      title: 'maps',
      width: 4,
      align: 'left',
      dispensable: 1,
      cell: ({ chosen }) => mapsSpan(chosen),
    },
    ...second,
    {
      title: 'hits in all',
      width: 15,
      align: 'right',
      dispensable: 8,
      cell: ({ chosen }) => ratioSpan(chosen.total, glyphs),
    },
    {
      title: 'of late',
      width: 8,
      most: 60,
      align: 'left',
      dispensable: 5,
      cell: ({ chosen }, width) => span(sparkline(chosen.spark, width, glyphs)),
    },
    rated('rounds', 10, ({ rates }) => rates.rounds),
    rated('access', 3, ({ rates }) => rates.accesses),
    rated('heads', 11, ({ rates }) => rates.heads),
    rated('inval', 2, ({ rates }) => rates.overlapping),
    {
      title: 'Mpps',
      width: 11,
      align: 'right',
      dispensable: 7,
      cell: ({ gained }) => span(packets(gained, glyphs)),
    },
    {
      title: 'most fall back as',
      width: 18,
      most: 44,
      align: 'left',
      dispensable: 6,
      cell: ({ chosen: { reasons } }) =>
        span(reasons.map(([reason]) => words(reason, look)).join(', ')),
    },
  ];
}
