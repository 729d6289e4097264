/** Hit ratio over time: all virtqueues together, then the areas of each. */
import type { Report } from '../report-schema.js';
import { accessesOf, DECISIONS, groupedShares, groupSize, stacked, type Shares } from './bins.js';
import { element, folded, section, shown, table } from './dom.js';
import { AXIS_HEIGHT, drawPlot, type PlotRequest } from './plot.js';
import type { Theme } from './theme.js';
import {
  compact,
  countOf,
  DECISION_NAMES,
  duration,
  ratioOf,
  sharesText,
  virtqueueName,
} from './words.js';

/** Draws plots anew, for a width in pixels. */
export type Draw = (width: number, theme: Theme) => void;

const TOTAL_HEIGHT = 116;
const AREA_HEIGHT = 40;
const RATE_HEIGHT = 32;
/** Virtqueues that are drawn; the others are in the tables. */
const MOST_DRAWN = 8;
/** What is there is this high at least, px. */
const LEAST_HEIGHT = 2;
const TABLE_ROWS = 24;
const AREAS = ['desc', 'avail', 'used'] as const;

type Line = Report['timeline']['virtqueues'][number];

export function hitRatioSection(report: Report, draws: Draw[]): HTMLElement {
  const { timeline } = report;
  const title = 'Hit ratio over time';
  if (timeline.virtqueues.length === 0)
    return section(title, element('p', 'There are no accesses to show.'));
  const byUse = timeline.virtqueues
    .map((line) => ({ line, accesses: sumOf(sharesOfLine(report, line, 1)) }))
    .toSorted((a, b) => b.accesses - a.accesses)
    .map(({ line }) => line);
  const drawn = byUse.slice(0, MOST_DRAWN);
  return section(
    title,
    legend(report),
    totalFigure(report, draws),
    ...drawn.map((line) => virtqueueFigure(report, line, draws)),
    ...(byUse.length > drawn.length
      ? [
          element(
            'p.note',
            `Drawn are the ${drawn.length} busiest of ${byUse.length} virtqueues; the table of virtqueues has all.`,
          ),
        ]
      : []),
    element(
      'p.note',
      `One bin of the time line is ${duration(timeline.bin_ns)}; a plot sums as many as it has room for. ` +
        `What is there is drawn ${LEAST_HEIGHT} pixels high at least; an empty place is one without accesses. Below all virtqueues is how much was accessed.` +
        (timeline.recordings.length > 1
          ? ` The ${timeline.recordings.length} recordings follow one another without a gap.`
          : '') +
        (report.run.host === 'stock' ? ' Accesses of a round count where it ends.' : ''),
    ),
  );
}

function legend(report: Report): HTMLElement {
  const { totals } = report.run;
  const entries = DECISIONS.filter((decision) => totals[decision] > 0).map((decision) => {
    const swatch = element('span');
    swatch.classList.add('swatch', decision);
    return element('li', swatch, DECISION_NAMES[decision]);
  });
  return element('ul.legend', ...entries);
}

function totalFigure(report: Report, draws: Draw[]): HTMLElement {
  const { timeline, run } = report;
  const sharesBy = (size: number): Shares[] =>
    groupedShares(
      timeline.virtqueues.flatMap(({ areas }) => AREAS.map((area) => areas[area])),
      timeline.bins,
      size,
    );
  const textOf = (shares: Shares): string => sharesText(shares, run.totals);
  const readout = element('output', textOf(run.totals));
  const place = element('div.plot');
  label(place, `Share of hits over time, all virtqueues: ${textOf(run.totals)}`);
  draws.push((width, theme) =>
    drawShares({
      timeline,
      place,
      width,
      theme,
      sharesBy,
      height: TOTAL_HEIGHT,
      hasTimeAxis: true,
      valueText: (value) => `${Math.round(100 * value)} %`,
      onShares: (shares, from) => show(readout, textOf, shares, from, textOf(run.totals)),
    }),
  );
  return element(
    'figure',
    element('figcaption', element('strong', 'All virtqueues'), readout),
    place,
    rateStrip(report, sharesBy, draws),
    figuresTable('All virtqueues over time', report, sharesBy),
  );
}

/** How much was accessed: a share of little weighs little. */
function rateStrip(
  { timeline }: Report,
  sharesBy: (size: number) => Shares[],
  draws: Draw[],
): HTMLElement {
  const place = element('div.plot');
  draws.push((width, theme) => {
    const size = groupSize(timeline.bins, width / 2);
    const counts = sharesBy(size).map(accessesOf);
    const most = counts.reduce((top, count) => Math.max(top, count), 0);
    const perSecond = compact(most / ((size * timeline.bin_ns) / 1e9));
    label(place, `Accesses over time, at most ${perSecond} a second`);
    drawPlot(place, {
      timeline,
      theme,
      width,
      height: RATE_HEIGHT,
      hasTimeAxis: false,
      stretch: size * timeline.bin_ns,
      layers: [{ fill: theme.of('ink-2'), ends: counts }],
      top: most,
      onPoint: () => undefined,
    });
  });
  return element('div.strip', element('span.area', 'rate'), place);
}

function virtqueueFigure(report: Report, line: Line, draws: Draw[]): HTMLElement {
  const { timeline, run } = report;
  const name = virtqueueName(report, line.id);
  const totals = run.virtqueues.find(({ id }) => id === line.id)?.totals ?? run.totals;
  const textOf = (shares: Shares): string => sharesText(shares, totals);
  const readout = element('output', textOf(totals));
  const present = AREAS.filter((area) => line.areas[area] !== undefined);
  const rows = present.map((area, at) => {
    const sharesBy = (size: number): Shares[] =>
      groupedShares([line.areas[area]], timeline.bins, size);
    const place = element('div.plot');
    label(place, `Share of hits over time, ${name}, ${area}`);
    draws.push((width, theme) =>
      drawShares({
        timeline,
        place,
        width,
        theme,
        sharesBy,
        height: AREA_HEIGHT,
        hasTimeAxis: at === present.length - 1,
        onShares: (shares, from) => show(readout, textOf, shares, from, textOf(totals), area),
      }),
    );
    return element('div.strip', element('span.area', area), place);
  });
  return element(
    'figure',
    element('figcaption', element('strong', name), readout),
    ...rows,
    figuresTable(`${name} over time`, report, (size) => sharesOfLine(report, line, size)),
  );
}

interface SharesRequest extends Pick<
  PlotRequest,
  'timeline' | 'theme' | 'width' | 'hasTimeAxis' | 'valueText'
> {
  readonly place: HTMLElement;
  /** Without the axis of time. */
  readonly height: number;
  /** In groups of so many bins. */
  readonly sharesBy: (size: number) => Shares[];
  /** Called with what is under the pointer and where it begins, ns. */
  readonly onShares: (shares: Shares | undefined, from: number) => void;
}

function drawShares({ place, height, sharesBy, onShares, ...request }: SharesRequest): void {
  const { timeline, theme, width, hasTimeAxis } = request;
  const size = groupSize(timeline.bins, width / 2);
  const stretch = size * timeline.bin_ns;
  const shares = sharesBy(size);
  const ends = shares.map((one) => stacked(one, LEAST_HEIGHT / height));
  drawPlot(place, {
    ...request,
    height: height + (hasTimeAxis ? AXIS_HEIGHT : 0),
    stretch,
    layers: DECISIONS.map((decision, at) => ({
      fill: theme.of(decision),
      ends: ends.map((one) => one[at] ?? null),
    })),
    top: 1,
    onPoint: (at) => onShares(at === null ? undefined : shares[at], (at ?? 0) * stretch),
  });
}

function show(
  readout: HTMLElement,
  text: (shares: Shares) => string,
  shares: Shares | undefined,
  from: number,
  otherwise: string,
  area?: string,
): void {
  const where = area === undefined ? '' : `${area} `;
  readout.textContent = shown(
    shares === undefined ? otherwise : `${where}at ${duration(from)}: ${text(shares)}`,
  );
}

function figuresTable(
  caption: string,
  { timeline, run }: Report,
  sharesBy: (size: number) => Shares[],
): HTMLElement {
  return folded('As a table', () => {
    const size = groupSize(timeline.bins, TABLE_ROWS);
    const rows = sharesBy(size).map((shares, at) => {
      const accesses = accessesOf(shares);
      return [
        duration(at * size * timeline.bin_ns),
        ...[accesses, shares.hits, shares.fallbacks, shares.iotlb, shares.ambiguous].map((count) =>
          countOf(count, run.totals),
        ),
        ratioOf(shares.hits, shares.ambiguous, accesses),
      ];
    });
    const numbers = ['accesses', 'hits', 'fallbacks', 'device IOTLB', 'ambiguous', 'hit ratio'];
    return [
      table(
        caption,
        [{ title: 'from' }, ...numbers.map((title) => ({ title, is: 'number' as const }))],
        rows,
      ),
    ];
  });
}

function sharesOfLine({ timeline }: Report, line: Line, size: number): Shares[] {
  return groupedShares(
    AREAS.map((area) => line.areas[area]),
    timeline.bins,
    size,
  );
}

function sumOf(shares: readonly Shares[]): number {
  return shares.reduce((sum, one) => sum + accessesOf(one), 0);
}

function label(place: HTMLElement, text: string): void {
  place.setAttribute('role', 'img');
  place.setAttribute('aria-label', text);
}
