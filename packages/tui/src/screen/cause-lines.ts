/** Who invalidates the rings, by cause and process, and what that costs. */
import { percent } from '@vhostscope/terminal';
import type { CauseView } from '../dashboard.js';
import { shownCauses } from './chosen-rows.js';
import { bar, count } from './figures.js';
import type { Frame } from './frame.js';
import { words, type Look } from './look.js';
import type { ScreenState } from './screen-state.js';
import { lineOf, span, type Line } from './styled-line.js';
import { placeColumns, rowLine, titleLine, type Column } from './table.js';
import { causeName, processName } from './virtqueue-name.js';

/** Lines above the causes themselves: they stay while the others scroll. */
export const CAUSE_TITLE_LINES = 2;

export type CauseState = Pick<ScreenState, 'search' | 'causeSort' | 'areCausesReversed'>;

/** @param ofAll fallbacks of all virtqueues, whatever their reason */
export function causeLines(
  causes: readonly CauseView[],
  ofAll: number,
  state: CauseState,
  { width, look }: Omit<Frame, 'height'>,
): Line[] {
  const { search, causeSort, areCausesReversed } = state;
  const rows = shownCauses(causes, state);
  const ranges = causes.reduce((sum, one) => sum + one.ranges, 0);
  const fallbacks = causes.reduce((sum, one) => sum + one.fallbacks, 0);
  if (causes.length === 0) return [lineOf('no invalidation over a ring so far', 'faint')];
  const placed = placeColumns(columns(ranges, fallbacks, look), width);
  return [
    [
      span(`${count(ranges)} invalidation${ranges === 1 ? '' : 's'} over rings`, 'strong'),
      span(
        `  ${count(fallbacks)} of ${count(ofAll)} fallbacks are theirs`,
        fallbacks > 0 ? 'bad' : 'faint',
      ),
      span(`  by ${causeSort}${areCausesReversed ? ', reversed' : ''}`, 'faint'),
      ...(search === '' ? [] : [span(`  with "${words(search, look)}"`, 'doubt')]),
    ],
    titleLine(placed, look.glyphs),
    ...rows.map((row) => rowLine(placed, row, look.glyphs)),
    ...(rows.length === 0 ? [lineOf('none is like that: Esc ends the search', 'faint')] : []),
  ];
}

function columns(ranges: number, fallbacks: number, look: Look): Column<CauseView>[] {
  const { glyphs } = look;
  return [
    {
      title: 'cause',
      width: 14,
      most: 30,
      align: 'left',
      dispensable: 0,
      cell: (row) => span(causeName(row, look)),
    },
    {
      title: 'process',
      width: 18,
      most: 30,
      align: 'left',
      dispensable: 0,
      cell: (row) => span(processName(row, look)),
    },
    {
      title: 'ranges',
      width: 8,
      align: 'right',
      dispensable: 0,
      cell: (row) => span(count(row.ranges)),
    },
    {
      title: 'of all',
      width: 8,
      align: 'right',
      dispensable: 3,
      cell: (row) => span(percent(row.ranges, ranges)),
    },
    {
      title: 'now',
      width: 7,
      align: 'right',
      dispensable: 2,
      cell: (row) => span(count(row.inWindow)),
    },
    {
      title: 'fallbacks',
      width: 9,
      align: 'right',
      dispensable: 0,
      cell: (row) => span(count(row.fallbacks)),
    },
    {
      title: 'of them',
      width: 8,
      align: 'right',
      dispensable: 1,
      cell: (row) => span(percent(row.fallbacks, fallbacks)),
    },
    {
      title: '',
      width: 6,
      most: 40,
      align: 'left',
      dispensable: 4,
      cell: (row, width) =>
        span(bar(fallbacks === 0 ? 0 : row.fallbacks / fallbacks, width, glyphs), 'bad'),
    },
  ];
}
