/** How much a spool may hold, of all its runs together. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { byteSize } from '@vhostscope/terminal';
import { OutputError } from '@vhostscope/trace';

export interface SpoolBudget {
  /** Bytes of this run that are in the spool, or on the way to it. */
  readonly used: number;
  /** Bytes that the spool takes before it is full, about. */
  readonly left: number;
  /** Takes bytes. @returns why not, where there is no room */
  take(bytes: number): OutputError | undefined;
  /** A file was deleted. */
  giveBack(bytes: number): void;
  /** What was kept for the end of the trace may be used. */
  openReserve(): void;
}

/** Others send, and record, beside us: how much theirs is, is looked up so often, ms, and before anything is refused. */
const LOOK_MS = 1000;

/**
 * @param spool the folder of all runs
 * @param own that of this run
 * @param reserve kept for the end of the trace
 */
export function createSpoolBudget(
  spool: string,
  own: string,
  max: number,
  reserve: number,
): SpoolBudget {
  let kept = reserve;
  let used = 0;
  let others = 0;
  let looked = Number.NEGATIVE_INFINITY;
  const look = (): void => {
    looked = performance.now();
    others = bytesOfOthers(spool, own);
  };
  look();
  const left = (): number => max - kept - used - others;
  return {
    get used() {
      return used;
    },
    get left() {
      if (performance.now() - looked > LOOK_MS) look();
      return left();
    },
    take: (bytes) => {
      if (bytes > left()) look();
      if (bytes > left())
        return new OutputError(
          `the spool ${spool} is full: it may hold ${byteSize(max)} (--spool-max)`,
        );
      used += bytes;
      return undefined;
    },
    giveBack: (bytes) => {
      used -= bytes;
    },
    openReserve: () => {
      kept = 0;
    },
  };
}

/** Files that come and go meanwhile count or not. */
function bytesOfOthers(spool: string, own: string): number {
  let bytes = 0;
  for (const run of namesIn(spool)) {
    const folder = join(spool, run);
    if (folder === own) continue;
    for (const file of namesIn(folder))
      bytes += statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
