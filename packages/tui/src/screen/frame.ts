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
 * The frame between the lines at the top and those at the bottom. The tabs take one, and a screen that is full to its
 * last row would scroll.
 */
export function frameBetween(
  head: readonly unknown[],
  foot: readonly unknown[],
  size: ScreenSize,
  look: Look,
): Frame {
  return { width: size.columns, height: size.rows - head.length - foot.length - 2, look };
}
