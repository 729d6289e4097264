/** The packet rates of a result, for people. */
import type { Design } from '@vhostscope/model';
import { tableLines } from '@vhostscope/terminal';
import { RATES_ARE_OF, type Cost } from './cost-result.js';
import { computedRate, measuredRate, PLUS_MINUS_ONE, rateAround } from './rate-words.js';
import { numberColumn, textColumn, wrapped } from './text-parts.js';

export function costLines(cost: Cost, design: Design): string[] {
  if (design.maps === 'never') return [];
  if (cost.rates.length === 0)
    return ['', ...wrapped('packets per second: ', `not known: ${cost.reason ?? ''}`, '  ')];
  const isCalibrated = cost.rates.some(({ smap }) => smap === null);
  const perPacket = (cost.accesses_per_packet ?? 0).toFixed(1);
  return [
    '',
    `packets per second, by the cost model: ${named(cost.virtqueues)}, ${perPacket} accesses a packet`,
    ...tableLines(
      [
        textColumn('  Mpps'),
        numberColumn('all copied'),
        numberColumn('all mapped'),
        numberColumn('this trace'),
        numberColumn('±1 access a packet'),
      ],
      cost.rates.map((rate) => [
        `  ${rate.smap === null ? 'calibrated' : `SMAP ${rate.smap}`}`,
        measuredRate(rate.copied),
        rate.mapped === null ? '–' : measuredRate(rate.mapped),
        computedRate(rate.rate),
        rateAround(rate.one_access_fewer, rate.one_access_more),
      ]),
    ),
    ...wrapped(
      '  ',
      `${isCalibrated ? 'your rates, taken to be of' : 'from published rates, measured elsewhere, of'} ${RATES_ARE_OF}`,
    ),
    ...wrapped('  ', PLUS_MINUS_ONE),
  ];
}

function named(virtqueues: readonly number[]): string {
  return virtqueues.map((id) => `vq ${id}`).join(', ');
}
