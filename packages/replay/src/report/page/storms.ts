/** Storms of invalidations: when, who, why, and what fell back. */
import { counted, grouped } from '@vhostscope/terminal/text';
import { lostRates } from '../../rate-words.js';
import { toldSeconds } from '../../told-seconds.js';
import type { Report } from '../report-schema.js';
import { element, section, shortTable, type Column } from './dom.js';
import { countOf, ratioOf } from './words.js';

/** Names of one kind that a row has room for. */
const MOST_NAMED = 3;

export function stormsSection({ storms: found, run }: Report): HTMLElement {
  const { storms, storm_rate: rate } = found;
  const what = `${grouped(rate)} ranges or more over rings of a device in a second, or one under way for more than a tenth of it`;
  if (storms.length === 0) return section('Storms', element('p', `None: ${what}.`));
  const rows = storms.map((storm) => [
    String(storm.number),
    toldSeconds(storm.begins_after),
    toldSeconds(storm.lasts),
    String(storm.dev),
    grouped(storm.ranges),
    countOf(storm.accesses, run.totals),
    countOf(storm.fallbacks, run.totals),
    ratioOf(storm.hits, storm.ambiguous, storm.accesses),
    storm.rates.length === 0 ? '–' : lostRates(storm.rates),
    named(Object.entries(storm.classes ?? storm.causes)),
    named(storm.processes.map(({ pid, comm, ranges }) => [`${comm} (pid ${pid})`, ranges])),
  ]);
  return section(
    'Storms',
    element(
      'p',
      `${counted(storms.length, 'storm')}: ${what}. replay run --from storm:N --to storm:N tells of one alone.`,
    ),
    ...shortTable('Storms of invalidations', COLUMNS, rows),
  );
}

const number = (title: string): Column => ({ title, is: 'number' });

const COLUMNS: readonly Column[] = [
  { title: 'storm' },
  ...['after', 'lasts', 'device', 'ranges', 'accesses', 'fallbacks', 'hit ratio', 'Mpps lost'].map(
    number,
  ),
  { title: 'why' },
  { title: 'who' },
];

function named(counts: readonly (readonly [name: string, ranges: number])[]): string {
  const shown = counts.slice(0, MOST_NAMED).map(([name, ranges]) => `${name} ${grouped(ranges)}`);
  return [...shown, ...(counts.length > MOST_NAMED ? ['others'] : [])].join(', ');
}
