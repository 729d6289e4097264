/** The help, drawn from the table of keys. */
import { PINS_MEANING } from '@vhostscope/replay';
import { PINS_MARK } from './design-name.js';
import type { Frame } from './frame.js';
import { KEY_TABLE, type KeyGroup, type KeyWords } from './key-table.js';
import { beside, fitLine, span, type Line, type Span } from './styled-line.js';
import { inColumns, section, wrap } from './text-blocks.js';

const GROUPS: Readonly<Record<KeyGroup, string>> = {
  views: 'views',
  time: 'time',
  judge: 'designs and window',
  lists: 'lists',
  program: 'program',
};

/** Cells of the keys. */
const KEYS = 17;
export const WIDTH_FOR_TWO_COLUMNS = 72;

export function helpLines({ width, look }: Omit<Frame, 'height'>): Line[] {
  const columns = width >= WIDTH_FOR_TWO_COLUMNS ? 2 : 1;
  const each = Math.floor(width / columns) - 2;
  const sections = Object.entries(GROUPS).map(([group, title]) =>
    section(
      title,
      keyLines(
        KEY_TABLE.filter((one) => one.group === group),
        each - 2,
        look.glyphs.cut,
      ),
    ),
  );
  const signs = section(
    'signs',
    [
      `DAu: the maps of desc, avail, used; capitals are up, small ones down, ~ ambiguous, ? not known`,
      `${look.glyphs.about}: an estimate, as rounds of a stock host tell no more; 10 % ${look.glyphs.between} 20 %: some accesses are ambiguous`,
      `a design that is marked ${PINS_MARK}: ${PINS_MEANING}`,
    ].flatMap((text) => wrap(text, each - 2)),
  );
  return inColumns([...sections, signs], width, columns, (parts) => beside(parts, look.glyphs.cut));
}

/** Keys, and what they do, on as many lines as that takes. */
export function keyLines(bindings: readonly KeyWords[], width: number, cut: string): Line[] {
  const rows = new Map<string, string[]>();
  for (const { keys, help } of bindings) rows.set(help, [...(rows.get(help) ?? []), ...keys]);
  return Array.from(rows, ([help, keys]) =>
    wrap(help, width - KEYS).map((line, at) => [
      ...fitLine([span(at === 0 ? keyNames(keys) : '', 'strong')], KEYS, cut),
      ...line,
    ]),
  ).flat();
}

/** Keys and a word for each, as many as there is room for. */
export function hintLine(bindings: readonly KeyWords[], width: number): Line {
  const line: Span[] = [];
  let used = 0;
  for (const { keys, hint } of bindings) {
    if (hint === undefined) continue;
    const key = keyName(keys[0] ?? '');
    // Between two of them there are two blanks.
    const gap = used === 0 ? '' : '  ';
    const wide = gap.length + key.length + 1 + hint.length;
    if (used + wide > width) break;
    used += wide;
    line.push(span(`${gap}${key}`, 'strong'), span(` ${hint}`, 'faint'));
  }
  return line;
}

function keyNames(keys: readonly string[]): string {
  return keys.map(keyName).join(' ');
}

function keyName(key: string): string {
  return NAMES[key] ?? key;
}

const NAMES: Readonly<Record<string, string>> = {
  space: 'Space',
  tab: 'Tab',
  'shift+tab': 'Shift-Tab',
  enter: 'Enter',
  escape: 'Esc',
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  pageup: 'PgUp',
  pagedown: 'PgDn',
  home: 'Home',
  end: 'End',
  'ctrl+c': 'Ctrl-C',
  'ctrl+z': 'Ctrl-Z',
};
