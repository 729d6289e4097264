/** The room that a view is drawn in. */
import type { Look } from './look.js';

export interface Frame {
  /** Cells. */
  readonly width: number;
  readonly height: number;
  readonly look: Look;
}
