/** What each design would have made of the trace. */
import { percent } from '@vhostscope/terminal/text';
import { PINS_MEANING } from '../../pinned-pages.js';
import { computedRate, measuredRate } from '../../rate-words.js';
import type { Report } from '../report-schema.js';
import { bar, element, list, section, table, type Column } from './dom.js';
import { countOf, ratioOf } from './words.js';

type Compared = Report['comparison']['designs'][number];

export function designsSection({ comparison, design }: Report): HTMLElement[] {
  const { designs, assumptions } = comparison;
  const off = designs.filter((one) => one.switched_off !== null);
  const hasIotlb = designs.some(({ decisions }) => decisions.iotlb > 0);
  const pinning = designs.filter((one) => one.pins_pages);
  const kinds = RATE_KINDS.filter(({ smap }) =>
    designs.some(({ cost }) => cost.rates.some((rate) => rate.smap === smap)),
  );
  return [
    section(
      'Designs compared',
      table(
        'Hit ratio of each design',
        [
          ...COLUMNS,
          ...(hasIotlb ? [number('device IOTLB')] : []),
          ...kinds.map(({ title }) => number(title)),
        ],
        designs.map((one) => [
          ...rowOf(one),
          ...(hasIotlb ? [countOf(one.decisions.iotlb, one.decisions)] : []),
          ...kinds.map(({ smap }) => rateText(one.cost, smap)),
        ]),
      ),
      element(
        'p.note',
        `This report is of ${design.name}. Rates: millions of packets per second, and in brackets without the design and with it, as published or calibrated. ` +
          'Published baselines were measured apart: rows compare by hit ratio, not by rate.',
      ),
      ...pinning.map((one) => element('p.note', `${one.design}: ${PINS_MEANING}.`)),
      ...(off.length === 0
        ? []
        : [list(off.map((one) => `${one.design} is off: ${one.switched_off ?? ''}`))]),
      ...(assumptions.length === 0
        ? []
        : [element('p', 'The comparison takes for granted that:'), list(assumptions)]),
    ),
  ];
}

const number = (title: string): Column => ({ title, is: 'number' });

const COLUMNS: readonly Column[] = [
  { title: 'design' },
  number('hit ratio'),
  { title: '', is: 'drawn' },
  number('fallbacks'),
  number('ambiguous'),
  { title: 'order' },
];

/** What rates were measured with. */
const RATE_KINDS = [
  { smap: 'on', title: 'Mpps, SMAP on' },
  { smap: 'off', title: 'Mpps, SMAP off' },
  { smap: null, title: 'Mpps, calibrated' },
] as const;

function rowOf({ design, order, decisions }: Compared): (string | HTMLElement)[] {
  const { accesses, hits, fallbacks, ambiguous } = decisions;
  return [
    design,
    ratioOf(hits, ambiguous, accesses),
    bar(
      { share: hits / Math.max(1, accesses), kind: 'hits' },
      { share: ambiguous / Math.max(1, accesses), kind: 'ambiguous' },
    ),
    countOf(fallbacks, decisions),
    percent(ambiguous, accesses),
    order,
  ];
}

/** What the hits are worth, between what was measured with every access copied and with every one mapped. */
function rateText({ rates }: Compared['cost'], smap: 'on' | 'off' | null): string {
  const found = rates.find((rate) => rate.smap === smap);
  if (found === undefined) return '–';
  const { rate, copied, mapped } = found;
  const ends = mapped === null ? '' : ` (${measuredRate(copied)} → ${measuredRate(mapped)})`;
  return `${computedRate(rate)}${ends}`;
}
