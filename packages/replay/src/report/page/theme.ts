/** The colours that a canvas is drawn with: those of the style sheet, as they are at the moment. */

export interface Theme {
  readonly of: (name: string) => string;
}

export function currentTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  return { of: (name) => style.getPropertyValue(`--${name}`).trim() };
}

/** A4 without its margins, in CSS pixels. */
const PAPER_WIDTH = 680;

/**
 * Calls `draw` now and whenever what is drawn has to change: other colours, another width, paper.
 *
 * @param draw gets the width of plots, which is that of `place` but on paper
 */
export function keepDrawn(place: HTMLElement, draw: (width: number) => void): void {
  let drawn = 0;
  let isOnPaper = false;
  const redraw = (isForced: boolean): void => {
    const width = isOnPaper ? PAPER_WIDTH : place.clientWidth;
    if (width === 0 || (width === drawn && !isForced)) return;
    drawn = width;
    draw(width);
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => redraw(true));
  new ResizeObserver(() => {
    if (!isOnPaper) redraw(false);
  }).observe(place);
  const turnPage = (toPaper: boolean): void => {
    isOnPaper = toPaper;
    // Paper is white, whatever the screen is.
    document.documentElement.classList.toggle('paper', toPaper);
    redraw(true);
  };
  addEventListener('beforeprint', () => turnPage(true));
  addEventListener('afterprint', () => turnPage(false));
  redraw(true);
}
