/** The result of `replay storms` for people. */
import type { Design } from '@vhostscope/model';
import { counted, grouped, printable, tableLines } from '@vhostscope/terminal';
import { RATES_ARE_OF } from './cost-result.js';
import { placeCell, type LiveSince } from './event-place.js';
import { lostRates } from './rate-words.js';
import type { StormResult, StormsResult } from './storms-result.js';
import { wrongCountLines } from './wrong-counts.js';
import { headLines, hitRatio, listLines, numberColumn, wrapped } from './text-parts.js';
import { toldSeconds } from './told-seconds.js';

export function stormsText(result: StormsResult, design: Design): string {
  const { storms } = result;
  const ambiguous = storms.reduce((sum, storm) => sum + storm.ambiguous, 0);
  const lines = [
    ...headLines(result, design, ambiguous),
    '',
    ...wrapped(
      '',
      `${storms.length === 0 ? 'no storm' : counted(storms.length, 'storm')}: ${counted(result.storm_rate, 'range')} or more over rings of a device in a second, or one under way for more than a tenth of it`,
    ),
    ...(result.span === null || storms.length === 0
      ? []
      : ['storms that touch the span, each of them whole']),
    ...(storms.length === 0
      ? []
      : ['', ...table(storms), ...storms.flatMap((storm) => storyLines(storm, result.live_since))]),
    ...pointers(result),
    ...costLines(result, design),
  ];
  return `${lines.join('\n')}\n`;
}

/** Fallbacks of a storm need not be its doing. */
function pointers(result: StormsResult): string[] {
  const lines = wrongCountLines(result.wrong_counts, result);
  return lines.length === 0 ? [] : ['', ...lines];
}

function table(storms: readonly StormResult[]): string[] {
  return tableLines(
    [
      numberColumn('storm'),
      numberColumn('after'),
      numberColumn('lasts'),
      numberColumn('dev'),
      numberColumn('ranges'),
      numberColumn('under way'),
      numberColumn('accesses'),
      numberColumn('fallbacks'),
      numberColumn('hit ratio'),
    ],
    storms.map((storm) => [
      String(storm.number),
      toldSeconds(storm.begins_after),
      toldSeconds(storm.lasts),
      String(storm.dev),
      grouped(storm.ranges),
      toldSeconds(storm.down),
      grouped(storm.accesses),
      grouped(storm.fallbacks),
      hitRatio(storm),
    ]),
  );
}

/** What a storm was made of, and by which events it can be looked up. */
function storyLines(storm: StormResult, since: LiveSince): string[] {
  const shares = (counts: Readonly<Record<string, number>>): string[] =>
    Object.entries(counts).map(([name, ranges]) => `${name} ${grouped(ranges)}`);
  const processes = storm.processes
    .slice(0, MOST_SHOWN)
    .map(({ pid, comm, ranges }) => `${printable(comm)} (pid ${pid}) ${grouped(ranges)}`);
  const shown = storm.processes.slice(0, MOST_SHOWN).reduce((sum, { ranges }) => sum + ranges, 0);
  if (storm.ranges > shown) processes.push(`others ${grouped(storm.ranges - shown)}`);
  return [
    '',
    `storm ${storm.number}: ${storm.by.map((by) => REASON[by]).join('; ')}`,
    ...listLines('  causes', shares(storm.causes)),
    ...(storm.classes === null ? [] : listLines('  why', shares(storm.classes))),
    ...listLines('  who', processes),
    ...listLines(
      '  over',
      storm.virtqueues.map(({ id, ranges }) => `vq ${id} ${grouped(ranges)}`),
    ),
    ...(storm.rates.length === 0 ? [] : [`  Mpps lost: ${lostRates(storm.rates)}`]),
    `  events ${storm.first.time} to ${storm.last.time} ns, ${eventsPlace(storm, since)}`,
  ];
}

/** By number: lines of several CPUs stand in no order, so that the first event may stand behind the last. */
function eventsPlace({ first, last, lines: [least, most] }: StormResult, since: LiveSince): string {
  return since === null
    ? `in lines ${least} to ${most}`
    : `${placeCell(first, since)} to ${placeCell(last, since)} s`;
}

const MOST_SHOWN = 5;

const REASON = {
  rate: 'ranges came too often',
  down: 'ranges were under way too long',
} as const;

function costLines({ cost_reason: reason, storms }: StormsResult, design: Design): string[] {
  if (storms.length === 0 || design.maps === 'never') return [];
  if (reason !== null) return ['', ...wrapped('Mpps lost: ', `not known: ${reason}`, '  ')];
  const [first] = storms.flatMap(({ rates }) => rates);
  if (first === undefined) return [];
  const basis = first.smap === null ? 'your rates' : 'the published rates';
  return [
    '',
    ...wrapped(
      'Mpps lost: ',
      `against all accesses hitting, by ${basis}, of ${RATES_ARE_OF}`,
      '  ',
    ),
  ];
}
