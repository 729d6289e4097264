/** A recording of a driver with the direct-map code that tells nothing of its MMU notifier: how many ranges are under way is not known. */
import type { EventName } from '@vhostscope/model';

/** What is to be said of it, and what to do. */
export const UNTOLD_NOTIFIER =
  'no event of the MMU notifier was recorded (vho:notifier of perf, N of bpftrace), so invalidate_count is not known, ' +
  'and most accesses are ambiguous under designs that count ranges; record it too, from before the rings are set up';

/** Events that only who records a stock host tells, whose rules say when a notifier would be there. */
const OF_STOCK_HOSTS: readonly EventName[] = ['core_range_start', 'core_range_end', 'round_end'];

/** @param events by name, as the counts of a recording have them */
export function lacksNotifier(events: Readonly<Record<string, number>>): boolean {
  const holds = (name: EventName): boolean => name in events;
  if (holds('notifier') || !holds('access')) return false;
  return !OF_STOCK_HOSTS.some(holds);
}
