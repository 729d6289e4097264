/**
 * Ends a recording when it is as long as it was to be, by the clock of its events. A timer alone is not enough: those
 * stand still while the machine sleeps, and come late where the program was stopped.
 */
import { duration } from '@vhostscope/terminal';
import type { BootClock } from './boot-clock.js';

/** Between two looks at the clock, at most: what a recording lasts longer when the machine wakes up, ms. */
const LOOK_MS = 1000;

/**
 * @param from when the recording began, ns
 * @param onOver gets by how much it is later than it should be, ms
 * @returns ends the waiting
 */
export function whenOver(
  { from, lengthMs }: { readonly from: bigint; readonly lengthMs: number },
  clock: BootClock,
  onOver: (lateMs: number) => void,
): () => void {
  const until = from + BigInt(Math.ceil(lengthMs)) * NS_PER_MS;
  let timer: NodeJS.Timeout | undefined;
  /** Rounded up: never too early. */
  const leftMs = (): number => Number((until - clock.now() + NS_PER_MS - 1n) / NS_PER_MS);
  const look = (): void => {
    let left: number;
    try {
      left = leftMs();
    } catch {
      // Nobody waits for this timer: what is thrown in it would end the program, and the trace with it. A clock that
      // cannot be read now (too many open files, say) may be read at the next turn.
      left = LOOK_MS;
    }
    if (left > 0) timer = setTimeout(look, Math.min(left, LOOK_MS));
    else onOver(-left);
  };
  look();
  return () => clearTimeout(timer);
}

const NS_PER_MS = 1_000_000n;

/** So late nobody is told: a busy machine is. */
const TOLD_MS = 1000;

/** How a recording ended that was to last so long, for the trace. */
export function lengthInWords(lateMs: number): string {
  return lateMs < TOLD_MS
    ? 'duration'
    : `duration, ${duration(lateMs * 1e6)} late: the collector was held up, or the machine slept`;
}
