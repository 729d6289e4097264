/** The list to choose a design from, drawn over the view. */
import type { DashboardView } from '../dashboard.js';
import { designName } from './design-name.js';
import type { Frame } from './frame.js';
import { choices } from './pick-design.js';
import type { Picker } from './screen-state.js';
import { fitLine, lineOf, marked, span, type Line } from './styled-line.js';
import { firstShown } from './table.js';

export function pickerLines(
  { of, index }: Picker,
  view: DashboardView,
  { width, height, look }: Frame,
): Line[] {
  const { cursor, cut } = look.glyphs;
  const all = choices(of, view);
  const room = Math.max(1, height - 1);
  const first = firstShown(index, all.length, room);
  return [
    lineOf(
      of === 'design'
        ? 'which design is the trace to be seen through?'
        : 'which design is to stand beside it?',
      'title',
    ),
    ...all.slice(first, first + room).map((name, at) => {
      const isChosen = first + at === index;
      const notes = [
        ...(name !== undefined && name === view.design ? ['shown'] : []),
        ...(name === view.beside ? [of === 'design' ? 'beside' : 'now'] : []),
      ];
      const line: Line = [
        span(
          `${isChosen ? cursor : ' '} ${name === undefined ? 'none' : designName(name, view.pinning, look)}`,
        ),
        ...notes.map((note) => span(`  ${note}`, 'faint')),
      ];
      return isChosen ? marked(fitLine(line, Math.min(width, 40), cut)) : line;
    }),
  ];
}
