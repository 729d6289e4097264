/** Storms of invalidations, the newest first, and the chosen one in full. */
import { counted } from '@vhostscope/terminal';
import type { StormView } from '../dashboard.js';
import { chosenIndex, searchedStorms } from './chosen-rows.js';
import { count, lasting, levelLine, moment, packets, rate } from './figures.js';
import type { Frame } from './frame.js';
import { safeName, words, type Look } from './look.js';
import { ratioSpan } from './ratio-span.js';
import type { ScreenState } from './screen-state.js';
import { EMPTY_LINE, fitLine, lineOf, marked, span, type Line } from './styled-line.js';
import { firstShown, placeColumns, rowLine, titleLine, type Column } from './table.js';
import { pairs } from './text-blocks.js';
import { processName } from './virtqueue-name.js';

export function stormLines(
  storms: readonly StormView[],
  state: Pick<ScreenState, 'search' | 'storm'>,
  frame: Frame,
): Line[] {
  const { width, height, look } = frame;
  const rows = searchedStorms(storms, state.search);
  if (rows.length === 0) {
    return [
      lineOf(
        storms.length === 0
          ? 'no storm so far: no device had so many ranges over its rings'
          : `no storm has "${words(state.search, look)}": Esc ends the search`,
        'faint',
      ),
    ];
  }
  const underWay = storms.filter(({ isOver }) => !isOver).length;
  const chosen = chosenIndex(rows, ({ number }) => number === state.storm);
  const storm = rows[chosen];
  const story = storm === undefined ? [] : storyLines(storm, width, look);
  const placed = placeColumns(columns(look), width - 2);
  const room = Math.max(1, height - 2 - story.length - 1);
  const first = firstShown(chosen, rows.length, room);
  const shown = rows.slice(first, first + room).map((row, at) => {
    const isChosen = first + at === chosen;
    const cursor = span(isChosen ? `${look.glyphs.cursor} ` : '  ');
    const line = [cursor, ...rowLine(placed, row, look.glyphs)];
    return isChosen ? marked(fitLine(line, width, look.glyphs.cut)) : line;
  });
  return [
    [
      span(counted(rows.length, 'storm'), 'strong'),
      underWay === 0 ? span('  none under way', 'faint') : span(`  ${underWay} under way`, 'alarm'),
      ...(state.search === '' ? [] : [span(`  with "${words(state.search, look)}"`, 'doubt')]),
    ],
    [span('  '), ...titleLine(placed, look.glyphs)],
    ...shown,
    EMPTY_LINE,
    ...story,
  ].slice(0, height);
}

function columns(look: Look): Column<StormView>[] {
  const { glyphs } = look;
  return [
    {
      title: 'storm',
      width: 5,
      align: 'right',
      dispensable: 0,
      cell: ({ number }) => span(String(number)),
    },
    {
      title: 'begins',
      width: 12,
      align: 'right',
      dispensable: 0,
      cell: ({ begin }) => span(moment(begin)),
    },
    {
      title: 'lasts',
      width: 9,
      align: 'right',
      dispensable: 0,
      cell: ({ begin, end, isOver }) =>
        isOver ? span(lasting(end - begin, glyphs)) : span('under way', 'bad'),
    },
    {
      title: 'dev',
      width: 4,
      align: 'right',
      dispensable: 4,
      cell: ({ dev }) => span(String(dev)),
    },
    {
      title: 'ranges',
      width: 8,
      align: 'right',
      dispensable: 0,
      cell: ({ ranges }) => span(count(ranges)),
    },
    {
      title: 'hits in it',
      width: 15,
      align: 'right',
      dispensable: 2,
      cell: ({ decided }) => ratioSpan(decided, glyphs),
    },
    {
      title: 'Mpps lost',
      width: 11,
      align: 'right',
      dispensable: 3,
      cell: ({ lost }) => span(packets(lost, glyphs).replaceAll('+', '')),
    },
    {
      title: 'cause',
      width: 12,
      most: 30,
      align: 'left',
      dispensable: 0,
      cell: ({ causes }) => span(causes.map(([name]) => safeName(name, look)).join(', ')),
    },
    {
      title: 'who',
      width: 16,
      most: 40,
      align: 'left',
      dispensable: 1,
      cell: ({ processes }) => span(processes.map((one) => processName(one, look)).join(', ')),
    },
  ];
}

/** What the chosen storm was made of. */
function storyLines(storm: StormView, width: number, look: Look): Line[] {
  const { glyphs } = look;
  const listed = (items: readonly (readonly [string, number])[]): string =>
    items.map(([name, ranges]) => `${name} ${count(ranges)}`).join(', ');
  const seconds = storm.perSecond;
  const most = Math.max(0, ...seconds);
  const room = Math.max(0, width - 14);
  const rows: Line[] = pairs(
    [
      ['why a storm', storm.by.map((by) => REASONS[by]).join('; ')],
      ['causes', listed(storm.causes.map(([name, ranges]) => [safeName(name, look), ranges]))],
      ['who', listed(storm.processes.map((one) => [processName(one, look), one.ranges]))],
      ['over', listed(storm.virtqueues.map(([vq, ranges]) => [`vq ${vq}`, ranges]))],
      [
        'accesses',
        `${count(storm.decided.accesses)}: ${count(storm.decided.hits)} hits, ${count(storm.decided.fallbacks + storm.decided.iotlb)} fallbacks, ${count(storm.decided.ambiguous)} ambiguous`,
      ],
    ],
    width,
    glyphs.cut,
  );
  return [
    [
      span(`storm ${storm.number}`, 'title'),
      span(`  from ${moment(storm.begin)} to ${storm.isOver ? moment(storm.end) : 'now'}`),
    ],
    ...rows,
    [
      span('each second  ', 'faint'),
      span(levelLine(seconds, Math.min(room, seconds.length), glyphs), 'bad'),
      span(`  at most ${rate(most)}`, 'faint'),
    ],
  ];
}

const REASONS = {
  rate: 'ranges came too often',
  down: 'ranges were under way too long',
} as const;
