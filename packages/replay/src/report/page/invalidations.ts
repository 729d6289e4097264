/** How often the memory manager invalidated, who did it, and when. */
import { grouped as withCommas, percent } from '@vhostscope/terminal/text';
import type { Report } from '../report-schema.js';
import { grouped, groupSize } from './bins.js';
import { bar, element, folded, section, shown, table } from './dom.js';
import type { Draw } from './hit-ratio.js';
import { AXIS_HEIGHT, drawPlot } from './plot.js';
import { compact, duration } from './words.js';

const HEIGHT = 150 + AXIS_HEIGHT;
/** Kinds with a colour of their own; the others are drawn together. */
const MOST_NAMED = 5;
const TABLE_ROWS = 24;

interface Kind {
  readonly name: string;
  readonly counts: readonly number[];
  readonly total: number;
  /** Name of its colour. */
  readonly colour: string;
}

export function invalidationsSection(report: Report, draws: Draw[]): HTMLElement {
  const { timeline, run } = report;
  const title = 'Invalidations';
  const kinds = kindsOf(report);
  const total = kinds.reduce((sum, kind) => sum + kind.total, 0);
  if (total === 0)
    return section(
      title,
      element(
        'p',
        run.host === 'stock'
          ? 'None was seen. Where a process has no MMU notifier, its invalidations are invisible.'
          : 'None was recorded.',
      ),
    );
  const overRings = timeline.invalidations.over_rings.reduce((sum, count) => sum + count, 0);
  const by =
    timeline.invalidations.by === 'class'
      ? 'by who makes them, as the kernel stack tells'
      : 'by cause, as the memory manager names it';
  return section(
    title,
    element(
      'p',
      `${withCommas(total)} in ${duration(timeline.span_ns)}, ${overRings === 0 ? 'none' : withCommas(overRings)} of them over a ring; ${by}.`,
    ),
    kindsTable(kinds, total),
    figure(report, drawnKinds(kinds), draws),
  );
}

function kindsOf({ timeline }: Report): Kind[] {
  return Object.entries(timeline.invalidations.series)
    .map(([name, counts]) => ({
      name,
      counts,
      total: counts.reduce((sum, count) => sum + count, 0),
    }))
    .toSorted((a, b) => b.total - a.total)
    .map((kind, at) => ({ ...kind, colour: at < MOST_NAMED ? `kind-${at + 1}` : 'kind-others' }));
}

/** With what has no colour of its own put together. */
function drawnKinds(kinds: readonly Kind[]): Kind[] {
  const named = kinds.slice(0, MOST_NAMED);
  const others = kinds.slice(MOST_NAMED);
  if (others.length === 0) return named;
  const counts = (others[0]?.counts ?? []).map((_, bin) =>
    others.reduce((sum, kind) => sum + (kind.counts[bin] ?? 0), 0),
  );
  return [...named, { name: 'others', counts, total: 0, colour: 'kind-others' }];
}

function kindsTable(kinds: readonly Kind[], total: number): HTMLElement {
  return table(
    'Invalidations by kind',
    [
      { title: 'kind' },
      { title: 'count', is: 'number' as const },
      { title: 'share', is: 'number' as const },
      { title: '', is: 'drawn' as const },
    ],
    kinds.map(({ name, total: count, colour }) => [
      name,
      withCommas(count),
      percent(count, total),
      bar({ share: count / total, kind: colour }),
    ]),
  );
}

function figure(report: Report, kinds: readonly Kind[], draws: Draw[]): HTMLElement {
  const { timeline } = report;
  const readout = element('output', 'per second');
  const place = element('div.plot');
  place.setAttribute('role', 'img');
  place.setAttribute('aria-label', 'Invalidations per second over time, by kind');
  draws.push((width, theme) => {
    const size = groupSize(timeline.bins, width / 3);
    const seconds = (size * timeline.bin_ns) / 1e9;
    const sums = kinds.map(({ counts }) => grouped(counts, timeline.bins, size));
    const stretches = sums[0]?.length ?? 0;
    const ends = sums.map((_, kind) =>
      Array.from({ length: stretches }, (__, at) =>
        sums.slice(0, kind + 1).reduce((sum, counts) => sum + (counts[at] ?? 0) / seconds, 0),
      ),
    );
    drawPlot(place, {
      timeline,
      theme,
      width,
      height: HEIGHT,
      hasTimeAxis: true,
      stretch: size * timeline.bin_ns,
      layers: kinds.map(({ colour }, kind) => ({
        fill: theme.of(colour),
        ends: ends[kind] ?? [],
      })),
      top: 1.05 * (ends.at(-1) ?? []).reduce((top, end) => Math.max(top, end), 1),
      valueText: compact,
      onPoint: (at) => {
        readout.textContent = shown(
          at === null
            ? 'per second'
            : `at ${duration(at * size * timeline.bin_ns)}: ${pointText(kinds, sums, at)} in ${duration(size * timeline.bin_ns)}`,
        );
      },
    });
  });
  const entries = kinds.map(({ name, colour }) => {
    const swatch = element('span');
    swatch.classList.add('swatch', colour);
    return element('li', swatch, name);
  });
  return element(
    'figure',
    element('figcaption', element('strong', 'Rate'), readout),
    element('ul.legend', ...entries),
    place,
    folded('As a table', () => [rateTable(report, kinds)]),
  );
}

function pointText(kinds: readonly Kind[], sums: readonly number[][], at: number): string {
  const parts = kinds
    .map(({ name }, kind) => ({ name, count: sums[kind]?.[at] ?? 0 }))
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `${withCommas(count)} ${name}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function rateTable({ timeline }: Report, kinds: readonly Kind[]): HTMLElement {
  const size = groupSize(timeline.bins, TABLE_ROWS);
  const sums = kinds.map(({ counts }) => grouped(counts, timeline.bins, size));
  return table(
    'Invalidations over time',
    [{ title: 'from' }, ...kinds.map(({ name }) => ({ title: name, is: 'number' as const }))],
    (sums[0] ?? []).map((_, at) => [
      duration(at * size * timeline.bin_ns),
      ...sums.map((counts) => withCommas(counts[at] ?? 0)),
    ]),
  );
}
