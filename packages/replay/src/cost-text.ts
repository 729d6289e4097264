/** The packet rates of a result, for people. */
import type { Design } from '@vhostscope/model';
import { tableLines } from '@vhostscope/terminal';
import { RATES_ARE_OF, type Cost } from './cost-result.js';
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
        String(rate.copied),
        String(rate.mapped),
        span(rate.rate),
        around(rate.one_access_fewer, rate.one_access_more),
      ]),
    ),
    ...wrapped(
      '  ',
      `${isCalibrated ? 'your rates, taken to be of' : 'from published rates, measured elsewhere, of'} ${RATES_ARE_OF}`,
    ),
  ];
}

function named(virtqueues: readonly number[]): string {
  return virtqueues.map((id) => `vq ${id}`).join(', ');
}

/** Two digits after the point; a span where they differ. */
export function span([least, most]: readonly [number, number]): string {
  const [low, high] = [least.toFixed(2), most.toFixed(2)];
  return low === high ? low : `${low} … ${high}`;
}

function around(fewer: readonly [number, number] | null, more: readonly [number, number]): string {
  const all = [...(fewer ?? []), ...more];
  return span([Math.min(...all), Math.max(...all)]);
}
