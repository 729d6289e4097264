/** The hazards of a trace, for people. */
import type { Design } from '@vhostscope/model';
import { counted, grouped, tableLines } from '@vhostscope/terminal';
import { eventPlace, type LiveSince } from './event-place.js';
import type { HazardCountResult, HazardsResult } from './hazards-result.js';
import { headLines, listLines, numberColumn, textColumn, wrapped } from './text-parts.js';

/** Hazards whose chains are printed; --json has more. */
const MOST_SHOWN = 5;

export function hazardsText(result: HazardsResult, design: Design): string {
  const lines = [
    ...headLines(result, design, 0),
    '',
    ...countLines(result.counts, lowerBounds(result.order, result.at_least), design),
  ];
  if (result.not_looked_for.length > 0)
    lines.push(
      ...listLines('not looked for in this design:', result.not_looked_for),
      ...wrapped(
        '  ',
        'only the rules of the direct map are known for them: that says nothing of how safe it is',
      ),
    );
  for (const { kind, grade, count } of result.counts) {
    if (grade === 'counted') continue;
    const found = result.hazards.filter((one) => one.kind === kind && one.grade === grade);
    for (const one of found.slice(0, MOST_SHOWN))
      lines.push('', ...chainLines(one, result.live_since));
    if (count > MOST_SHOWN) {
      const listed = count > found.length ? `the first ${grouped(found.length)} of all` : 'them';
      lines.push(
        '',
        `${grouped(count - MOST_SHOWN)} more ${kind}, ${grade}: --json lists ${listed}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Why there may be more of each than is told; null where there are not. */
export function lowerBounds(order: HazardsResult['order'], atLeast: boolean | null): string | null {
  if (atLeast !== true) return null;
  return order === 'ranges'
    ? 'in ranges order these are lower bounds: what is not sure of maps and counts is not told, and no forbidden window'
    : 'some accesses or attempts are ambiguous, so these are lower bounds: what is not sure of maps and counts is not told';
}

/**
 * How many of each kind, and what they are.
 *
 * @param atLeast why there may be more; null where there are not
 */
export function countLines(
  counts: readonly HazardCountResult[],
  atLeast: string | null,
  design: Design,
): string[] {
  if (design.maps === 'never') return ['no hazards: the design maps nothing'];
  const more = atLeast === null ? [] : wrapped('', atLeast, '  ');
  if (counts.length === 0) return ['no hazard was found', ...more];
  const table = tableLines(
    [
      textColumn('hazard'),
      textColumn('grade'),
      numberColumn('count'),
      numberColumn('accesses'),
      numberColumn('first (ns)'),
    ],
    counts.map(({ kind, grade, count, accesses, first }) => [
      kind,
      grade,
      grouped(count),
      accesses === 0 ? '–' : grouped(accesses),
      first.time,
    ]),
  );
  const onlyCounted = counts.some(({ grade }) => grade === 'counted');
  return [
    ...table,
    ...more,
    ...(onlyCounted
      ? [
          'counted: what the design does each time; only the first and the last event of them are told',
        ]
      : []),
    '',
    ...counts
      .filter(({ kind }, at) => counts.findIndex((other) => other.kind === kind) === at)
      .flatMap(({ kind, meaning }) => wrapped(`  ${kind}: `, meaning, '    ')),
  ];
}

function chainLines(found: HazardsResult['hazards'][number], since: LiveSince): string[] {
  const of = [
    ...(found.vq === null ? [] : [`vq ${found.vq}`]),
    ...(found.area === null ? [] : [found.area]),
  ].join(' ');
  const until = found.end === null ? 'to the end of the recording' : `to ${found.end} ns`;
  const touched = found.accesses === 0 ? '' : `, ${counted(found.accesses, 'access', 'accesses')}`;
  const span =
    found.begin === found.end ? `at ${found.begin} ns` : `from ${found.begin} ns ${until}`;
  return [
    `${found.kind}, ${found.grade}${of === '' ? '' : `: ${of}`}, ${span}${touched}`,
    ...found.chain.flatMap((mark) =>
      wrapped(`  ${eventPlace(mark, since)}, ${mark.time} ns, ${mark.event}: `, mark.what, '    '),
    ),
  ];
}
