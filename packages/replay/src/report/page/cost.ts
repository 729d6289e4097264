/** What the hits of this trace are worth in packets per second. */
import type { Report } from '../report-schema.js';
import { computedRate, measuredRate, PLUS_MINUS_ONE, rateAround } from '../../rate-words.js';
import { element, section, table } from './dom.js';

export function costSection({ run, meanings }: Report): HTMLElement {
  const { cost } = run;
  const title = 'Packets per second';
  if (cost.rates.length === 0)
    return section(title, element('p', `Not known: ${cost.reason ?? 'nothing was transmitted'}.`));
  const isCalibrated = cost.rates.some(({ smap }) => smap === null);
  const virtqueues = cost.virtqueues.map((id) => `vq ${id}`).join(', ');
  return section(
    title,
    element(
      'p',
      `By the cost model, for ${virtqueues} with ${(cost.accesses_per_packet ?? 0).toFixed(1)} accesses a packet; ` +
        `${isCalibrated ? 'your rates, taken to be of' : 'from published rates, measured elsewhere, of'} ${meanings['rates'] ?? ''}.`,
    ),
    table(
      'Millions of packets per second',
      [
        { title: 'rates' },
        ...['all copied', 'all mapped', 'this trace', '±1 access a packet'].map((name) => ({
          title: name,
          is: 'number' as const,
        })),
      ],
      cost.rates.map((rate) => [
        rate.smap === null ? 'calibrated' : `SMAP ${rate.smap}`,
        measuredRate(rate.copied),
        rate.mapped === null ? '–' : measuredRate(rate.mapped),
        computedRate(rate.rate),
        rateAround(rate.one_access_fewer, rate.one_access_more),
      ]),
    ),
    element('p.note', `${PLUS_MINUS_ONE}.`),
  );
}
