/** The hosts of a server, one row each, the worst first, and the chosen one in full. */
import { counted, uncertainty } from '@vhostscope/terminal';
import type { HostsView, HostView } from '../hosts/hosts-view.js';
import { chosenIndex } from './chosen-rows.js';
import { designName } from './design-name.js';
import { count, hitRatio, lasting, rate, sparkline } from './figures.js';
import type { Frame } from './frame.js';
import { safeName, words, type Look } from './look.js';
import { ratioSpan } from './ratio-span.js';
import {
  EMPTY_LINE,
  fitLine,
  lineOf,
  marked,
  span,
  spread,
  type Line,
  type Span,
} from './styled-line.js';
import { firstShown, placeColumns, rowLine, titleLine, type Column } from './table.js';
import { pairs, wrapUpTo } from './text-blocks.js';

const MS = 1e6;
/** Cells of a line of levels. */
const SPARK = 20;
/** Lines for what is wrong with the server, and for what is wrong with the chosen host. */
const MOST_LINES = 2;

/** @param chosen name of the host that the keys act on; undefined is the first */
export function hostLines(view: HostsView, chosen: string | undefined, frame: Frame): Line[] {
  const { width, height, look } = frame;
  const head = headOf(view, frame);
  const { hosts } = view;
  if (hosts.length === 0)
    return [
      ...head,
      lineOf(
        view.isListed
          ? 'no host has a run under way, or one that ended within the last hour'
          : 'asking the server which runs it holds',
        'faint',
      ),
    ];
  const at = chosenIndex(hosts, ({ host }) => host === chosen);
  const host = hosts[at];
  const story = host === undefined ? [] : [EMPTY_LINE, ...storyLines(host, view, frame)];
  const left = leftOutLines(view, frame);
  const placed = placeColumns(columns(look), width - 2);
  const room = Math.max(1, height - head.length - 1 - left.length - story.length);
  const first = firstShown(at, hosts.length, room);
  const shown = hosts.slice(first, first + room).map((row, offset) => {
    const isChosen = first + offset === at;
    const line = [
      span(isChosen ? `${look.glyphs.cursor} ` : '  '),
      ...rowLine(placed, row, look.glyphs),
    ];
    return isChosen ? marked(fitLine(line, width, look.glyphs.cut)) : line;
  });
  return [
    ...head,
    [span('  '), ...titleLine(placed, look.glyphs)],
    ...shown,
    ...left,
    ...story,
  ].slice(0, height);
}

function headOf(
  { server, design, pinning, window, hosts, problems }: HostsView,
  { width, look }: Frame,
): Line[] {
  const { cut } = look.glyphs;
  const inStorm = hosts.filter(({ stormsUnderWay }) => stormsUnderWay > 0).length;
  return [
    spread(
      [span('vhostscope  ', 'strong'), span(safeName(server, look)), span('  server', 'faint')],
      [span(counted(hosts.length, 'host'), 'strong')],
      width,
      cut,
    ),
    spread(
      [
        span('design ', 'faint'),
        span(designName(design, pinning, look)),
        span('  now is the last ', 'faint'),
        span(lasting(window, look.glyphs)),
        span(' of each', 'faint'),
      ],
      inStorm === 0 ? [] : [span(` ${counted(inStorm, 'host')} in a storm `, 'alarm')],
      width,
      cut,
    ),
    ...problems.flatMap((problem) => bannerLines(problem, width, look)),
    EMPTY_LINE,
  ];
}

function bannerLines(problem: string, width: number, look: Look): Line[] {
  const lines = wrapUpTo(MOST_LINES, words(problem, look), width - 2, look.glyphs.cut, 'bad');
  return lines.map((line, at) => [span(at === 0 ? '! ' : '  ', 'alarm'), ...line]);
}

function leftOutLines({ leftOut, most }: HostsView, { width, look }: Frame): Line[] {
  if (leftOut.length === 0) return [];
  const names = leftOut.map((name) => safeName(name, look)).join(', ');
  const text = `${counted(leftOut.length, 'host')} left out, as ${most} are followed at most: ${names}`;
  return wrapUpTo(1, text, width, look.glyphs.cut, 'doubt');
}

function columns(look: Look): Column<HostView>[] {
  const { glyphs } = look;
  const number = (title: string, of: (host: HostView) => number): Column<HostView> => ({
    title,
    width: 6,
    align: 'right',
    dispensable: 0,
    cell: (host) =>
      host.state === 'waiting' ? span(glyphs.nothing, 'faint') : span(rate(of(host))),
  });
  return [
    {
      title: 'host',
      width: 11,
      most: 40,
      align: 'left',
      dispensable: 0,
      cell: ({ host }) => span(safeName(host, look)),
    },
    {
      title: 'hits now',
      width: 14,
      align: 'right',
      dispensable: 0,
      cell: ({ window }) => ratioSpan(window, glyphs),
    },
    {
      title: 'hits in all',
      width: 14,
      align: 'right',
      dispensable: 2,
      cell: ({ total }) => ratioSpan(total, glyphs),
    },
    {
      title: 'of late',
      width: SPARK,
      align: 'right',
      dispensable: 3,
      cell: ({ spark }) => span(sparkline(spark, SPARK, glyphs)),
    },
    number('rounds', ({ rates }) => rates.rounds),
    number('access', ({ rates }) => rates.accesses),
    number('inval', ({ rates }) => rates.overlapping),
    { title: 'storms', width: 6, align: 'right', dispensable: 0, cell: stormsSpan },
    { title: 'whole', width: 5, align: 'left', dispensable: 0, cell: wholeSpan },
    {
      title: 'behind',
      width: 9,
      align: 'right',
      dispensable: 0,
      cell: (host) => behindSpan(host, look),
    },
  ];
}

/** "3", or "3 now" while one is under way. */
function stormsSpan({ storms, stormsUnderWay }: HostView): Span {
  return stormsUnderWay > 0 ? span(`${count(storms)} now`, 'bad') : span(count(storms));
}

function wholeSpan({ complete }: HostView): Span {
  if (complete === 'yes') return span('yes', 'good');
  return complete === 'no' ? span('no', 'bad') : span('?', 'faint');
}

function behindSpan({ state, share, age }: HostView, { glyphs }: Look): Span {
  if (state === 'waiting') return span('waits', 'faint');
  // Of a moment that is long gone nobody shall think that it is now.
  if (state === 'reading') return span(`at ${Math.floor(share * 100)} %`, 'doubt');
  if (state === 'finished') return span('finished', 'faint');
  if (state === 'cut') return span('cut', 'bad');
  return span(lasting(age * MS, glyphs), age > LATE_MS ? 'bad' : 'plain');
}

/** A recording tells something several times a second. */
const LATE_MS = 10_000;

/** What there is to know of one host. */
function storyLines(host: HostView, { window }: HostsView, { width, look }: Frame): Line[] {
  const { glyphs } = look;
  const ratio = (of: HostView['total']): string =>
    `${hitRatio(of, glyphs)} of ${count(of.accesses)} accesses`;
  const rows = pairs(
    [
      ['run', `${safeName(host.run, look)}, ${stateWords(host, look)}`],
      ['hits now', `${ratio(host.window)} in the last ${lasting(window, glyphs)}`],
      ['in all', ratio(host.total)],
      ['complete', host.complete],
      ['clock', clockWords(host, look)],
    ],
    width,
    glyphs.cut,
  );
  const [first, ...others] = host.problems;
  const wrong =
    first === undefined
      ? []
      : bannerLines(
          others.length === 0 ? first : `${first} (and ${others.length} more: Enter)`,
          width,
          look,
        );
  return [[span(safeName(host.host, look), 'title')], ...rows, ...wrong];
}

function stateWords({ state, age, share }: HostView, { glyphs }: Look): string {
  const ago = `${lasting(age * MS, glyphs)} ago`;
  switch (state) {
    case 'waiting':
      return 'waits until others are read';
    case 'reading':
      return `read up to ${Math.floor(share * 100)} %: the numbers are of a moment that has gone by`;
    case 'under way':
      return `under way; its last piece came ${ago}`;
    case 'finished':
      return `finished ${ago}`;
    case 'cut':
      return `cut ${ago}: it ended before the recording did`;
  }
}

/** Moments of two hosts are in no order that is finer than this. */
function clockWords({ clock }: HostView, { glyphs }: Look): string {
  if (clock === undefined) return "how far it is from the server's was not measured";
  return `its difference to the server's is known to ${uncertainty(clock.uncertainty, glyphs)}`;
}
