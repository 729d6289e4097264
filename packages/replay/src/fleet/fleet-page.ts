/** The result of `replay fleet` as one HTML page, which loads nothing and runs nothing. */
import type { Design } from '@vhostscope/model';
import { hashOf } from '../report/report-page.js';
import { fleetHead, type HeadEntry } from './fleet-head.js';
import type { FleetResult } from './fleet-result.js';
import { fleetSections, type FleetSection, type FleetTable } from './fleet-sections.js';

/** @param style of the page of `replay report` */
export function fleetPage(result: FleetResult, designs: readonly Design[], style: string): string {
  const [totals, ...sections] = fleetSections(result);
  const [headline = '', ...others] = totals?.before ?? [];
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>vhostscope fleet</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(headline)}</h1>
${others.map(paragraph).join('\n')}
<dl class="facts">
${fleetHead(result, designs).map(fact).join('\n')}
</dl>
${sections.map(sectionOf).join('\n')}
</main>
</body>
</html>
`;
}

function fact({ label, texts }: HeadEntry): string {
  const [first = ''] = texts;
  return `<div><dt>${escaped(label)}</dt><dd>${texts.length > 1 ? list(texts) : escaped(first)}</dd></div>`;
}

function sectionOf({ before, table, items = [], after = [] }: FleetSection): string {
  const [title, ...others] = before;
  return [
    '<section>',
    ...(title === undefined ? [] : [`<h2>${escaped(title)}</h2>`]),
    ...others.map(paragraph),
    ...(table === undefined ? [] : [tableOf(table)]),
    ...(items.length === 0 ? [] : [list(items)]),
    ...after.map(paragraph),
    '</section>',
  ].join('\n');
}

function tableOf({ columns, rows }: FleetTable): string {
  const kind = (at: number): string => (columns[at]?.align === 'right' ? ' class="number"' : '');
  const titles = columns.map(
    ({ title }, at) => `<th scope="col"${kind(at)}>${escaped(title)}</th>`,
  );
  const lines = rows.map(
    (row) => `<tr>${row.map((cell, at) => `<td${kind(at)}>${escaped(cell)}</td>`).join('')}</tr>`,
  );
  // It can be scrolled by keys, too.
  return `<div class="scrolls" tabindex="0"><table>
<thead><tr>${titles.join('')}</tr></thead>
<tbody>
${lines.join('\n')}
</tbody>
</table></div>`;
}

function paragraph(text: string): string {
  return `<p>${escaped(text)}</p>`;
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escaped(item)}</li>`).join('')}</ul>`;
}

const ENTITY: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITY[sign] ?? sign);
}
