/** What a design made of the accesses: the summary, why not the direct map, each virtqueue. */
import { grouped, percent } from '@vhostscope/terminal/text';
import type { Report } from '../report-schema.js';
import { bar, element, folded, list, section, shortTable, table, type Column } from './dom.js';
import { countOf, ratioOf, virtqueueName, type Decisions } from './words.js';

export function summary(report: Report): HTMLElement {
  const { run, design, headline, cautions } = report;
  const { totals, ranges, rounds } = run;
  const figures = [
    figure('hit ratio', ratioOf(totals.hits, totals.ambiguous, totals.accesses)),
    figure('accesses', countOf(totals.accesses, totals)),
    figure('fallbacks', countOf(totals.fallbacks, totals)),
    figure('ambiguous', percent(totals.ambiguous, totals.accesses)),
    figure('rounds', grouped(rounds)),
    figure('invalidations', grouped(ranges.start)),
    figure('over a ring', grouped(ranges.overlapping)),
    figure('complete', run.complete === null ? 'not known' : run.complete ? 'yes' : 'NO'),
  ];
  return element(
    'header',
    element('p.trace', run.trace),
    element('h1', headline),
    ...(cautions.length > 0 ? [list(cautions)] : []),
    element('dl.figures', ...figures),
    element('p.note', `${design.name}: ${design.title} (${design.source})`),
  );
}

function figure(name: string, value: string): HTMLElement {
  return element('div', element('dt', name), element('dd', value));
}

export function reasonsSection({ run, meanings }: Report): HTMLElement {
  const { totals, doubts } = run;
  const reasons = [...Object.entries(totals.reasons), ['iotlb', totals.iotlb] as const]
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a);
  const missed = totals.fallbacks + totals.iotlb;
  const rows = reasons.map(([name, count]) => [
    meanings[name] ?? name,
    countOf(count, totals),
    percent(count, missed),
    bar({ share: count / missed, kind: name === 'iotlb' ? 'iotlb' : 'fallbacks' }),
  ]);
  const doubtful = Object.entries(doubts ?? {}).toSorted(([, a], [, b]) => b - a);
  return section(
    'Why not the direct map',
    missed === 0
      ? element('p', 'No access is known to have missed it.')
      : table('Accesses without the direct map, by reason', shareColumns('reason'), rows),
    ...(doubtful.length === 0
      ? []
      : [
          table(
            'Ambiguous accesses, by what the trace cannot tell',
            shareColumns('doubt'),
            doubtful.map(([meaning, count]) => [
              meaning,
              countOf(count, totals),
              percent(count, totals.ambiguous),
              bar({ share: count / Math.max(1, totals.ambiguous), kind: 'ambiguous' }),
            ]),
          ),
        ]),
  );
}

function shareColumns(title: string): Column[] {
  return [
    { title },
    { title: 'accesses', is: 'number' as const },
    { title: 'share', is: 'number' as const },
    { title: '', is: 'drawn' as const },
  ];
}

const NUMBERS: readonly Column[] = [
  'accesses',
  'hits',
  'fallbacks',
  'device IOTLB',
  'ambiguous',
  'hit ratio',
].map((title) => ({ title, is: 'number' as const }));

export function virtqueuesSection(report: Report): HTMLElement {
  const { virtqueues, host } = report.run;
  const seen: Column[] =
    host === 'stock' ? [{ title: 'invalidations', is: 'number' as const }] : [];
  return section(
    'Virtqueues',
    ...shortTable(
      'Accesses by virtqueue',
      [{ title: 'virtqueue' }, { title: 'rounds', is: 'number' as const }, ...seen, ...NUMBERS],
      virtqueues.map(({ id, rounds, invalidations, totals }) => [
        virtqueueName(report, id),
        grouped(rounds),
        ...(host === 'stock' ? [grouped(invalidations ?? 0)] : []),
        ...cells(totals),
      ]),
    ),
    folded('By accessor', () => [
      table(
        'Accesses by virtqueue and accessor',
        [{ title: 'virtqueue' }, { title: 'accessor' }, ...NUMBERS],
        virtqueues.flatMap(({ id, accessors }) =>
          Object.entries(accessors).map(([accessor, decisions]) => [
            virtqueueName(report, id),
            accessor,
            ...cells(decisions),
          ]),
        ),
      ),
    ]),
  );
}

function cells(decisions: Decisions): string[] {
  const { accesses, hits, fallbacks, iotlb, ambiguous } = decisions;
  return [
    ...[accesses, hits, fallbacks, iotlb, ambiguous].map((count) => countOf(count, decisions)),
    ratioOf(hits, ambiguous, accesses),
  ];
}
