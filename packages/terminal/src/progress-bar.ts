import { byteSize } from './numbers.js';
import { openPassingLine } from './passing-line.js';
import { printable } from './printable.js';

/** Shows how far the reading of an input has come. */
export interface ProgressBar {
  /** @param total bytes in all, undefined when not known */
  update(done: number, total: number | undefined): void;
  /** Removes the bar. */
  clear(): void;
}

const WIDTH = 30;
/** Between two drawings. */
const PAUSE_MS = 100;
const SILENT: ProgressBar = { update: () => undefined, clear: () => undefined };

/** A bar on stderr when that is a terminal; otherwise nothing is drawn. */
export function createProgressBar(label: string): ProgressBar {
  const line = openPassingLine();
  if (line === undefined) return SILENT;
  const name = printable(label);
  const begun = performance.now();
  let drawn = -Infinity;
  return {
    update: (done, total) => {
      const now = performance.now();
      // Short jobs draw nothing at all.
      if (now - begun < 3 * PAUSE_MS || now - drawn < PAUSE_MS) return;
      drawn = now;
      line.show(
        total === undefined
          ? `${name} ${byteSize(done)}`
          : `${name} ${bar(total === 0 ? 1 : done / total)} ${byteSize(done)}`,
      );
    },
    clear: () => {
      if (drawn > 0) line.clear();
    },
  };
}

function bar(fraction: number): string {
  const full = Math.round(WIDTH * Math.min(1, fraction));
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${Math.floor(100 * Math.min(1, fraction))} %`;
}
