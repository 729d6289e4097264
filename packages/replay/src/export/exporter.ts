/** What every format is to the command. */
import type { DecidedVisitor } from './decided-events.js';

export interface Exporter {
  readonly visit: DecidedVisitor;
  /** The trace has ended: what is still held goes to the output. */
  finish(): void | Promise<void>;
}
