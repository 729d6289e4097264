/** What each design would have made of the trace. */
import { percent } from '@vhostscope/terminal/text';
import type { Report } from '../report-schema.js';
import { bar, element, list, section, table, type Column } from './dom.js';
import { countOf, ratioOf } from './words.js';

type Comparison = NonNullable<Report['comparison']>;
type Compared = Comparison['designs'][number];

export function designsSection({ comparison, design }: Report): HTMLElement[] {
  if (comparison === null) return [];
  const { designs, assumptions } = comparison;
  const off = designs.filter((one) => one.switched_off !== null);
  return [
    section(
      'Designs compared',
      table('Hit ratio of each design', COLUMNS, designs.map(rowOf)),
      element(
        'p.note',
        `This report is of ${design.name}. Rates: millions of packets per second without the design and with it, as published.`,
      ),
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
  number('Mpps, SMAP on'),
  number('Mpps, SMAP off'),
];

function rowOf({ design, order, decisions, cost }: Compared): (string | HTMLElement)[] {
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
    rateText(cost, 'on'),
    rateText(cost, 'off'),
  ];
}

/** What the hits are worth, between what was measured with every access copied and with every one mapped. */
function rateText({ rates }: Compared['cost'], smap: 'on' | 'off'): string {
  const found = rates.find((rate) => rate.smap === smap);
  if (found === undefined) return '–';
  const [least, most] = found.rate.map((rate) => rate.toFixed(2));
  return `${least === most ? least : `${least} … ${most}`} (${found.copied} → ${found.mapped})`;
}
