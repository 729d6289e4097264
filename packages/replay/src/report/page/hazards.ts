/** Where the design would have gone wrong. */
import { grouped } from '@vhostscope/terminal/text';
import type { Report } from '../report-schema.js';
import { element, section, table } from './dom.js';

export function hazardsSection({ run, design }: Report): HTMLElement[] {
  const { hazards, hazards_at_least: atLeast } = run;
  if (hazards === null) return [];
  const title = 'Hazards';
  const why =
    run.order === 'ranges' ? 'In ranges order' : 'As some accesses or attempts are ambiguous,';
  const bounds =
    atLeast === true
      ? ` ${why} these are lower bounds: what is not sure of maps and counts is not told.`
      : '';
  if (hazards.length === 0)
    return [section(title, element('p', `None was found of ${design.name}.${bounds}`))];
  return [
    section(
      title,
      element(
        'p',
        `Where ${design.name} would have gone wrong; replay hazards tells the events that prove it, but for those that are only counted.${bounds}`,
      ),
      table(
        'Hazards by kind and grade',
        [
          { title: 'hazard' },
          { title: 'grade' },
          { title: 'count', is: 'number' },
          { title: 'first (ns)', is: 'number' },
          { title: 'what it is' },
        ],
        hazards.map(({ kind, grade, count, first, meaning }) => [
          kind,
          grade,
          grouped(count),
          first.time,
          meaning,
        ]),
      ),
    ),
  ];
}
