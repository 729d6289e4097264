/** Elements of the page. Whatever a traced host can influence comes in as text, never as markup. */
import { printable } from '@vhostscope/terminal/text';

type Child = Node | string;

/** @param kind name of the element with its classes, as in `p.note` */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  kind: Tag | `${Tag}.${string}`,
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const [tag, ...classes] = kind.split('.') as [Tag, ...string[]];
  const made = document.createElement(tag);
  made.classList.add(...classes);
  made.append(...children.map((child) => (typeof child === 'string' ? shown(child) : child)));
  return made;
}

/**
 * Text as the page shows it: what is not seen, or turns the direction of writing, is named; a number
 * stays with its unit.
 */
export function shown(text: string): string {
  return printable(text).replace(/(\d) (%|s|ms|µs)(?![\p{L}\d])/gu, '$1\u00a0$2');
}

export interface Column {
  readonly title: string;
  /** `drawn`: a bar, which says the same as a number beside it. */
  readonly is?: 'number' | 'drawn';
}

/** A table that scrolls by itself where it is wider than the page. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Child[])[],
): HTMLElement {
  const cell = (tag: 'th' | 'td', child: Child, at: number): HTMLTableCellElement => {
    const made = element(tag, child);
    const is = columns[at]?.is;
    if (is !== undefined) made.classList.add(is);
    return made;
  };
  const head = element(
    'tr',
    ...columns.map(({ title }, at) => {
      const made = cell('th', title, at);
      made.setAttribute('scope', 'col');
      return made;
    }),
  );
  const body = rows.map((row) =>
    element(
      'tr',
      ...row.map((child, at) => {
        const made = cell(at === 0 ? 'th' : 'td', child, at);
        if (at === 0) made.setAttribute('scope', 'row');
        return made;
      }),
    ),
  );
  const made = element(
    'table',
    element('caption', caption),
    element('thead', head),
    element('tbody', ...body),
  );
  const around = element('div.scrolls', made);
  // So that it can be scrolled without a mouse.
  around.tabIndex = 0;
  around.setAttribute('role', 'region');
  around.setAttribute('aria-label', printable(caption));
  return around;
}

/** Rows of a table that are shown without being asked for. */
const FEW = 12;

/** A table of which the first rows are shown, and all on request. */
export function shortTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): HTMLElement[] {
  if (rows.length <= FEW) return [table(caption, columns, rows)];
  return [
    table(`${caption}: the first ${FEW} of ${rows.length}`, columns, rows.slice(0, FEW)),
    folded(`All ${rows.length}`, () => [table(caption, columns, rows)]),
  ];
}

export function list(items: readonly Child[]): HTMLUListElement {
  return element('ul', ...items.map((item) => element('li', item)));
}

/** A folded part, whose content is made when it is first unfolded. */
export function folded(title: string, make: () => readonly Child[]): HTMLDetailsElement {
  const made = element('details', element('summary', title));
  made.addEventListener('toggle', () => made.append(...make()), { once: true });
  return made;
}

/** A bar of shares of all, beside a number that says the same. */
export function bar(
  ...parts: readonly { readonly share: number; readonly kind: string }[]
): HTMLElement {
  const filled = parts
    .filter(({ share }) => share > 0)
    .map(({ share, kind }) => {
      const part = element('span');
      part.classList.add('filled', kind);
      part.style.width = `${100 * share}%`;
      return part;
    });
  const made = element('span.bar', ...filled);
  made.setAttribute('aria-hidden', 'true');
  return made;
}

export function section(title: string, ...children: readonly Child[]): HTMLElement {
  return element('section', element('h2', title), ...children);
}
