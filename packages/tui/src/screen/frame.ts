/** The room that a view is drawn in. */
import type { Look } from './look.js';
import type { ScreenSize } from './screen-size.js';

export interface Frame {
  /** Cells. */
  readonly width: number;
  readonly height: number;
  readonly look: Look;
}

/**
 * The frame below the lines of the head. Tabs and the last line take one each, and a screen that is full to its last
 * row would scroll.
 */
export function frameBelow(head: readonly unknown[], size: ScreenSize, look: Look): Frame {
  return { width: size.columns, height: size.rows - head.length - 3, look };
}
