/** The result of `replay fleet` as text. */
import type { Design } from '@vhostscope/model';
import { wrapped } from '../text-parts.js';
import { tableWithin } from './fitting-table.js';
import { fleetHead } from './fleet-head.js';
import type { FleetResult } from './fleet-result.js';
import { fleetSections, type FleetSection } from './fleet-sections.js';

/** @param width of the terminal; undefined where there is none, and nothing is shortened */
export function fleetText(
  result: FleetResult,
  designs: readonly Design[],
  width: number | undefined,
): string {
  const head = fleetHead(result, designs).flatMap(({ label, texts }) => {
    const mark = texts.length > 1 ? '- ' : '';
    return texts.flatMap((text, at) =>
      wrapped(`${(at === 0 ? label : '').padEnd(LABEL)}${mark}`, text),
    );
  });
  const sections = fleetSections(result).map((section) => sectionLines(section, width));
  return `${[head, ...sections].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** As the other answers have it. */
const LABEL = 12;

function sectionLines(
  { before, table, items = [], after = [] }: FleetSection,
  width: number | undefined,
): string[] {
  return [
    ...before.flatMap((text) => wrapped('', text)),
    ...(table === undefined ? [] : tableWithin(width, table.names, table.columns, table.rows)),
    ...items.flatMap((item) => wrapped('  ', item, '    ')),
    ...after.flatMap((text) => wrapped('', text)),
  ];
}
